"""The text of batch scripts.

A training gets SIGUSR1 some time before its limit, writes a checkpoint and ends with code 3; its
script then puts the job back into the queue, and the same command goes on from the checkpoint. A
job that somebody cancels, or that fails, stays ended.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path

from migrations.study.processes import as_typed
from trainer.slurm.resources import Resources, directives

MOST_REQUEUES = 500
"""After as many the job ends: a limit too short for a single step would go round for ever."""


def train_script(script: Path, folder: Path, command: Sequence[str], asked: Resources) -> str:
    """Return what sbatch runs for a training.

    Parameters
    ----------
    script
        The file that it will be; names the log.
    folder
        Where paths of the command start from.
    command
        Program and arguments.
    asked
        What the job asks for.
    """
    more = [f"--nodes={asked.nodes}", f"--ntasks-per-node={asked.processes}"]
    more += [f"--gpus-per-node={asked.gpus}"] if asked.gpus else []
    head = directives(
        "foveate-train", _log(script, "%j"), asked, *more, f"--signal=USR1@{asked.notice_s}"
    )
    several = asked.nodes * asked.processes > 1
    run = (_SEVERAL if several else _ONE).replace("COMMAND", shlex.join(command))
    end = _REQUEUE.replace("MOST", str(MOST_REQUEUES))
    about = as_typed(
        f"# Written by `python main.py slurm train`. Submit it: sbatch {shlex.quote(script.name)}\n"
    )
    return f"#!/bin/bash\n{about}{head}\n{_begin(folder, asked)}{_CORES}\n{run}\n{end}"


def similarity_script(
    script: Path,
    folder: Path,
    search: Sequence[str],
    merge: Sequence[str],
    graph: Path,
    parts: int,
    asked: Resources,
) -> str:
    """Return what a shell runs to submit the parts of a search, and their merge after them.

    Parameters
    ----------
    script, folder, asked
        As for `train_script`.
    search, merge
        Program and arguments of each, without `--part` and `--graph`, and without files.
    graph
        The graph that is made; its parts lie beside it.
    parts
        How many.
    """
    part = shlex.quote(str(graph.with_suffix("")))
    each = (
        f'{shlex.join(search)} \\\n    --part "$SLURM_ARRAY_TASK_ID/{parts}" '
        f'--graph {part}.part-"$SLURM_ARRAY_TASK_ID"-of-{parts}.npz'
    )
    files = " ".join(f"{part}.part-{k}-of-{parts}.npz" for k in range(1, parts + 1))
    begin = _begin(folder, asked)
    searched = directives("foveate-parts", _log(script, "%A_%a"), asked, f"--array=1-{parts}")
    merged = directives("foveate-merge", _log(script, "%j"), asked)
    by = as_typed("python main.py slurm similarity")
    return (
        f"#!/bin/bash\n# Written by `{by}`. It submits two jobs: bash "
        f"{shlex.quote(script.name)}\nset -euo pipefail\n\n"
        f"parts=$(sbatch --parsable <<'PARTS'\n#!/bin/bash\n{searched}\n{begin}\n{each}\nPARTS\n)\n"
        'sbatch --dependency="afterok:${parts%%;*}" --kill-on-invalid-dep=yes '
        f"<<'MERGE'\n#!/bin/bash\n{merged}\n{begin}\n"
        f"{shlex.join(merge)} \\\n    {files} \\\n    --graph {shlex.quote(str(graph))}\nMERGE\n"
    )


def _log(script: Path, sign: str) -> Path:
    return script.with_name(f"{script.stem}-{sign}.log")


def _begin(folder: Path, asked: Resources) -> str:
    return f"cd {shlex.quote(str(folder))} || exit 1\n" + "".join(f"{s}\n" for s in asked.setup)


_CORES = """\
export OMP_NUM_THREADS="$SLURM_CPUS_PER_TASK" SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"
"""

_ONE = """\
srun COMMAND
code=$?
"""

# Each process ends with 0 where the run was stopped, and the first one leaves a note of it: the
# others may end before or after it.
_SEVERAL = """\
MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export MASTER_ADDR MASTER_PORT=$((20000 + SLURM_JOB_ID % 20000)) WORLD_SIZE="$SLURM_NTASKS"
STOPPED=$(mktemp)
export STOPPED
srun --kill-on-bad-exit=1 bash -c '
    trap : USR1 TERM
    export RANK="$SLURM_PROCID" LOCAL_RANK="$SLURM_LOCALID"
    "$@"
    code=$?
    [ "$code" = 3 ] || exit "$code"
    [ "$RANK" != 0 ] || echo stopped > "$STOPPED"
' foveate COMMAND
code=$?
[ "$code" != 0 ] || [ ! -s "$STOPPED" ] || code=3
rm -f "$STOPPED"
"""

_REQUEUE = """\
# 3: stopped with a checkpoint; 138: told to stop before it had begun.
if [ "$code" = 3 ] || [ "$code" = 138 ]; then
    if [ "${SLURM_RESTART_COUNT:-0}" -lt MOST ]; then
        scontrol requeue "$SLURM_JOB_ID"
        exit
    fi
    echo "Requeued MOST times; raise --time and submit again." >&2
fi
exit "$code"
"""
