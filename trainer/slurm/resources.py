"""What a batch script asks the cluster for, as lines of `#SBATCH`."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Resources:
    """What a job asks for; None and 0 leave it to the cluster.

    Attributes
    ----------
    nodes, processes
        Machines, and processes on each.
    gpus, cpus
        Cards on each machine, cores of each process.
    memory, time, partition, account
        As SLURM writes them: of each machine, at most, where, and on whose account.
    notice_s
        Seconds before the limit at which a training is told to write a checkpoint.
    directives
        More options of sbatch, each with its dashes.
    setup
        Shell lines before anything runs: modules, an environment.
    """

    nodes: int = 1
    processes: int = 1
    gpus: int = 0
    cpus: int = 4
    memory: str = ""
    time: str = ""
    partition: str = ""
    account: str = ""
    notice_s: int = 120
    directives: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()


def directives(name: str, log: Path, asked: Resources, *more: str) -> str:
    """Return the lines of `#SBATCH` of a job.

    Parameters
    ----------
    name
        Of the job.
    log
        Where its output goes, with SLURM's signs (`%j`).
    asked
        What it asks for.
    more
        Options of this kind of job.
    """
    options = [
        f"--job-name={name}",
        f'--output="{log}"',
        "--open-mode=append",
        "--requeue",
        f"--cpus-per-task={asked.cpus}",
        *_given("mem", asked.memory),
        *_given("time", asked.time),
        *_given("partition", asked.partition),
        *_given("account", asked.account),
        *more,
        *asked.directives,
    ]
    return "".join(f"#SBATCH {option}\n" for option in options)


def _given(option: str, value: str) -> list[str]:
    return [f"--{option}={value}"] if value else []
