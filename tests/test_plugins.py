"""Plug-ins of other distributions: templates that work from wheels, broken ones that are named."""

import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from tests import ROOT
from tests.built import built
from tests.trainer.gaze_study import StudyMaker
from trainer.api import open_study

pytestmark = pytest.mark.slow

TEMPLATES = ("measure", "importer", "tracker", "method")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed packages: the templates from their wheels."""
    folder = tmp_path_factory.mktemp("plugins")
    wheels = []
    for name in TEMPLATES:
        source = copytree(ROOT / "examples" / "plugins" / name, folder / name)
        wheels.append(str(built("wheel", source, folder)))
    words = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target"]
    subprocess.run([*words, str(folder / "site"), *wheels], check=True, capture_output=True)
    return folder / "site"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    maker = StudyMaker.create(tmp_path_factory.mktemp("study") / "study")
    for k in range(4):
        points = np.repeat([(100 + 40 * k, 100), (300, 150)], 20, axis=0)
        maker.read_once(maker.image(), points, start_us=10_000_000 * (k + 1))
    return maker.study.folder


def foveate(*words: str, site: Path) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, "main.py", *words], cwd=ROOT, env=given, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def broken(folder: Path, group: str, name: str, content: str, text: str) -> Path:
    """Lay down an installed distribution by hand that has one entry point."""
    info = folder / "hapless-2.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hapless\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {content}\n")
    (folder / "hapless.py").write_text(text)
    return folder


def test_the_version_names_the_installed_plug_ins_without_importing_them(tmp_path: Path) -> None:
    site = broken(tmp_path, "foveate.trackers", "hapless", "hapless:THING", "1 / 0")
    done = foveate("--version", site=site)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Plug-in: hapless (foveate.trackers), from hapless 2.0\n" in done.stdout


def test_a_similarity_measure_from_a_wheel_compares_a_study_and_says_whose_it_is(
    site: Path, study: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.npz"
    words = ["--gaze", str(study), "--measure", "middle", "--out", str(out)]
    done = foveate("similarity", *words, site=site)
    assert done.returncode == 0, done.stderr
    with np.load(out) as file:
        assert file["similarity"].shape == (4, 4)
    assert "foveate-example-measure 0.1.0" in out.with_suffix(".json").read_text()


def test_a_measure_of_areas_from_a_wheel_is_a_column_with_its_definition(
    site: Path, study: Path, tmp_path: Path
) -> None:
    words = ["--study", str(study), "--out", str(tmp_path / "out"), "--plain", "halves"]
    done = foveate("analyse", *words, site=site)
    assert done.returncode == 0, done.stderr
    table = next((tmp_path / "out").rglob("areas.csv")).read_text()
    assert "early_share" in table.splitlines()[0].split(",")
    definitions = next((tmp_path / "out").rglob("definitions.json")).read_text()
    assert "foveate-example-measure 0.1.0" in definitions


def test_a_format_from_a_wheel_is_read_by_import_gaze(
    site: Path, study: Path, tmp_path: Path
) -> None:
    with open_study(study) as opened:
        image = opened.images()["image"][0]
    file = tmp_path / "gaze.csv"
    lines = "".join(f"{image},{10 * k},{50 + k},60\n" for k in range(100))
    file.write_text(f"image,time_ms,x,y\n{lines}")
    done = foveate("import-gaze", "plainlab", "--study", str(study), str(file), site=site)
    assert done.returncode == 0, done.stdout + done.stderr
    with open_study(study) as opened:
        imported = opened.readings().iloc[-1]
        gaze = opened.gaze(imported["reading"])
    np.testing.assert_allclose(gaze.points_image[:2], [[50, 60], [51, 60]], atol=0.01)


def test_a_tracker_from_a_wheel_is_found_and_read(site: Path) -> None:
    done = foveate("devices", "--json", "--timeout", "0.1", site=site)
    assert done.returncode == 0, done.stderr
    assert '"steady:0"' in done.stdout
    done = foveate("devices", "--test", "steady:0", "--seconds", "0.5", site=site)
    assert done.returncode == 0, done.stderr
    assert "Steady eyes" in done.stdout


def test_a_method_from_a_wheel_trains(site: Path, study: Path) -> None:
    words = ["--method", "alignuniform", "--pairs", "none", "--encoder", "resnet10", "--size", "32"]
    sizes = ["--batch", "2", "--epochs", "1", "--device", "cpu"]
    done = foveate("train", "--study", str(study), *words, *sizes, site=site)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("group", "words", "text", "reason"),
    [
        ("foveate.measures", ["train", "--describe"], "import nothing_like_it",
         "ModuleNotFoundError: No module named 'nothing_like_it'"),
        ("foveate.measures", ["analyse", "--help"], "THING = 3", "neither a Measure nor a Group"),
        ("foveate.importers", ["import-gaze", "--help"], "1 / 0", "ZeroDivisionError"),
        ("foveate.importers", ["import-gaze", "--help"], "THING = 3", "it is not a Format"),
        ("foveate.trackers", ["devices", "--timeout", "0.1"], "raise SystemExit(4)", "SystemExit"),
        ("foveate.methods", ["train", "--help"], "x = 1", "has no METHOD"),
        ("foveate.methods", ["train", "--help"], "METHOD = MethodSpec(title=f())",
         "METHOD cannot be read"),
    ],
)  # fmt: skip
def test_a_plug_in_that_cannot_be_used_is_named_and_the_command_goes_on(
    group: str, words: list[str], text: str, reason: str, tmp_path: Path
) -> None:
    content = "hapless" if group == "foveate.methods" else "hapless:THING"
    done = foveate(*words, site=broken(tmp_path, group, "odd", content, text))
    assert done.returncode == 0, done.stderr
    assert f'The plug-in "odd" of hapless 2.0 ({group}) is left out: ' in done.stderr
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_a_plug_in_cannot_take_the_name_of_something_that_is_there(tmp_path: Path) -> None:
    text = "from app.interchange.formats.registry import _OWN; THING = _OWN['xdf']"
    site = broken(tmp_path, "foveate.importers", "miceye", "hapless:THING", text)
    done = foveate("import-gaze", "--help", site=site)
    assert done.returncode == 0
    assert "the name is already taken" in done.stderr
    assert "MicEye's csv" in done.stdout
