"""A SLURM of one machine, with its own ports, keys and folder, as an ordinary user starts it."""

import contextlib
import getpass
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol")
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
_PATIENCE_S = 240

_CONF = """\
ClusterName=trial
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={controller_port}
SlurmdPort={daemon_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=2,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=30
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def why_none() -> str:
    """Return what a cluster lacks here; empty where one can be started."""
    missing = [name for name in PROGRAMS if shutil.which(name, path=_PATH) is None]
    return f"{', '.join(missing)} missing (Debian: slurm-wlm, munge)" if missing else ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running SLURM; `environment` leads commands to it."""

    environment: dict[str, str]

    def run(self, *words: str) -> str:
        """Return what one of SLURM's commands prints."""
        done = subprocess.run(
            words, env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def submit(self, script: Path, *options: str) -> str:
        """Submit a script; return the job's number."""
        return self.run("sbatch", "--parsable", *options, str(script)).strip().partition(";")[0]

    def facts(self, job: str) -> dict[str, str]:
        """Return what SLURM says of a job."""
        text = self.run("scontrol", "show", "job", "-o", job)
        return dict(w.split("=", 1) for w in text.splitlines()[0].split() if "=" in w)

    def wait(self, job: str, done: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        """Wait until something holds of a job.

        A job that is put back waits until its old credential has expired (`cred_expire`); one that
        is hurried is refused by its machine.
        """

        def ready() -> dict[str, str] | None:
            facts = self.facts(job)
            return facts if done(facts) else None

        try:
            return wait_for(ready)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.facts(job)}") from error

    def wait_end(self, job: str, state: str = "COMPLETED") -> dict[str, str]:
        """Wait until a job has ended so."""
        return self.wait(job, lambda facts: facts["JobState"] == state)


def wait_for(ready: Callable[[], dict[str, str] | None]) -> dict[str, str]:
    """Return what is there once it is; fails after a patience that only a hang uses up."""
    until = time.monotonic() + _PATIENCE_S
    while (found := ready()) is None:
        assert time.monotonic() < until, "nothing came of it"
        time.sleep(0.1)
    return found


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a SLURM and end it again; nothing of it stays."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # short: a socket's path has 107 bytes
    environment = {**os.environ, "PATH": _PATH, "SLURM_CONF": str(folder / "slurm.conf")}
    for name in ("state", "spool"):
        (folder / name).mkdir()
    (folder / "munge.key").write_bytes(secrets.token_bytes(1024))
    (folder / "munge.key").chmod(0o400)
    controller_port, daemon_port = _free_ports()
    conf = _CONF.format(
        host=socket.gethostname().partition(".")[0], user=getpass.getuser(), folder=folder,
        controller_port=controller_port, daemon_port=daemon_port,
    )  # fmt: skip
    (folder / "slurm.conf").write_text(conf, encoding="utf-8")
    munge = [f"--{n}={folder}/munged.{n[:3]}" for n in ("pid-file", "log-file", "seed-file")]
    munge += [f"--socket={folder}/munge.sock", f"--key-file={folder}/munge.key", "--force"]
    commands = (
        ["munged", "--foreground", "--num-threads=2", *munge],
        ["slurmctld", "-D", "-i"],
        ["slurmd", "-D"],
    )
    started: list[subprocess.Popen[bytes]] = []
    try:
        with (folder / "daemons.log").open("wb") as log:
            for words in commands:
                started.append(subprocess.Popen(words, env=environment, stdout=log, stderr=log))
                if words[0] == "munged":
                    wait_for(lambda: {} if (folder / "munge.sock").exists() else None)
            found = Cluster(environment)
            wait_for(lambda: {} if _is_idle(found) else None)
            yield found
    finally:  # jobs first: they would outlive the daemons
        subprocess.run(
            ["scancel", "--user", getpass.getuser()],
            env=environment, capture_output=True, check=False, timeout=60,
        )  # fmt: skip
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _is_idle(found: Cluster) -> bool:
    asked = ("sinfo", "-h", "-o", "%T")
    done = subprocess.run(
        asked, env=found.environment, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode == 0 and done.stdout.strip() == "idle"


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]
