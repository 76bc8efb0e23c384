"""What a batch script says, and what is refused before anything waits in a queue."""

import shutil
import subprocess
from pathlib import Path

import pytest

from migrations.study.processes import MAIN
from trainer.slurm.command import main

TRAIN = ["train", "--images", "my images", "--pairs", "none", "--epochs", "5", "--out", "run"]
SEARCH = ["similarity", "--gaze", "gaze", "--top-k", "5", "--graph", "all.npz"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(words: list[str], name: str) -> str:
    assert main(words) == 0
    if shutil.which("bash"):
        subprocess.run(["bash", "-n", name], check=True, timeout=60)
    return Path(name).read_text(encoding="utf-8")


def asked(text: str) -> list[str]:
    return [line.removeprefix("#SBATCH ") for line in text.splitlines() if "#SBATCH" in line]


def test_a_training_asks_for_notice_and_goes_back_into_the_queue(tmp_path: Path) -> None:
    text = written(
        [*TRAIN, "--time", "08:00:00", "--memory", "32G", "--partition", "gpu", "--notice", "90",
         "--directive=--constraint=a100", "--setup", "module load cuda", "--python", "python3"],
        "foveate-train.sbatch",
    )  # fmt: skip
    assert asked(text) == [
        "--job-name=foveate-train", f'--output="{tmp_path}/foveate-train-%j.log"',
        "--open-mode=append", "--requeue", "--cpus-per-task=4", "--mem=32G", "--time=08:00:00",
        "--partition=gpu", "--nodes=1", "--ntasks-per-node=1", "--gpus-per-node=1",
        "--signal=USR1@90", "--constraint=a100",
    ]  # fmt: skip
    command = f"python3 {MAIN} train --images 'my images' --pairs none --epochs 5 --out run"
    assert "module load cuda\n" in text
    assert f"\nsrun {command}\n" in text
    assert 'if [ "$code" = 3 ]' in text
    assert 'scontrol requeue "$SLURM_JOB_ID"' in text


def test_many_cards_are_one_process_each_on_every_machine() -> None:
    text = written([*TRAIN, "--nodes", "2", "--gpus", "4"], "foveate-train.sbatch")
    for option in ("--nodes=2", "--ntasks-per-node=4", "--gpus-per-node=4"):
        assert option in asked(text)
    assert 'WORLD_SIZE="$SLURM_NTASKS"' in text
    assert 'export RANK="$SLURM_PROCID" LOCAL_RANK="$SLURM_LOCALID"' in text


def test_a_run_on_cpu_asks_for_no_card() -> None:
    text = written([*TRAIN, "--device", "cpu", "--gpus", "4"], "foveate-train.sbatch")
    assert "gpus" not in " ".join(asked(text))
    assert "--ntasks-per-node=1" in asked(text)


def test_a_search_is_an_array_of_parts_with_their_merge_after_it() -> None:
    text = written([*SEARCH, "--parts", "3", "--cpus", "6"], "foveate-similarity.sh")
    parts, merge = text.split("\nPARTS\n")
    assert "--array=1-3" in asked(parts)
    assert (
        'similarity --gaze gaze --top-k 5 --jobs 6 \\\n    --part "$SLURM_ARRAY_TASK_ID/3" '
        '--graph all.part-"$SLURM_ARRAY_TASK_ID"-of-3.npz' in parts
    )
    assert '--dependency="afterok:${parts%%;*}" --kill-on-invalid-dep=yes' in merge
    files = " ".join(f"all.part-{k}-of-3.npz" for k in (1, 2, 3))
    assert f"similarity merge \\\n    {files} \\\n    --graph all.npz" in merge


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([*TRAIN, "--fresh"], "would start over each time"),
        ([*TRAIN, "--set", "bacth=16"], "batch"),
        ([*TRAIN, "--parts", "4"], "--parts only works with similarity"),
        (["train", "--pairs", "none"], "either --study FOLDER or --images FOLDER"),
        (SEARCH[:-2], "--graph FILE.npz is missing"),
        ([*SEARCH, "--part", "1/2"], "number of parts with --parts"),
        ([*SEARCH, "--approximate"], "cannot be split into parts"),
        ([*SEARCH, "--nodes", "2"], "for similarity, use --parts"),
    ],
)
def test_what_could_not_run_is_refused_at_once(words: list[str], said: str, capsys) -> None:
    assert main(words) == 2
    assert said in " ".join(capsys.readouterr().out.split())
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    "words", [[*TRAIN, "--colour"], [*TRAIN, "--time", "soon"], [*TRAIN, "--nodes", "0"], ["x"]]
)
def test_what_is_mistyped_ends_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)


def test_a_script_that_is_there_is_left_alone(capsys) -> None:
    Path("mine.sbatch").write_text("mine")
    assert main([*TRAIN, "--script", "mine.sbatch"]) == 2
    assert "already exists" in " ".join(capsys.readouterr().out.split())
    assert Path("mine.sbatch").read_text() == "mine"
