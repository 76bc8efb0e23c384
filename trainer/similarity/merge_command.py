"""`python main.py similarity merge`: the graph of parts that `--part` wrote.

Exit codes: 0 done, 1 failed, 2 wrong arguments.
"""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from migrations.study.command_line import CommandParser, existing_file
from trainer.errors import TrainerError
from trainer.process.events import RunFailed
from trainer.process.terminal import TerminalReporter
from trainer.similarity.graph_job import merge_parts


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit code; the first word is `merge`."""
    parser = CommandParser(
        prog="python main.py similarity merge",
        description="Merge the parts written by `similarity --part K/N` into one graph, "
        "identical to that of a single run.",
        example="python main.py similarity merge part-*.npz --graph graph.npz",
    )
    parser.add_argument(
        "parts", type=existing_file, nargs="+", metavar="PART", help="all parts, in any order"
    )
    parser.add_argument(
        "--graph", type=Path, required=True, metavar="FILE.npz", help="the graph to write"
    )
    options = parser.parse_args(list(argv)[1:])
    if options.graph.suffix != ".npz":
        parser.error(f"--graph {options.graph}: its name must end in .npz.")
    if options.graph in options.parts:
        parser.error(f"--graph {options.graph} is one of the parts.")
    console = Console()
    try:
        merge_parts(console, options.parts, options.graph)
        return 0
    except TrainerError as error:
        TerminalReporter(console)(RunFailed(str(error)))
        return 1
