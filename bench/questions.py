"""The three questions of real people's eyes, asked of every measure; docs/similarity.md tells.

python -m bench.questions --osie osie_fixations.npz --faces faces.csv --findings gazesearch.json
    1 Is the same image found again in another person's gaze? Viewers 10 to 14 of the handed file,
      the images whose number is not divisible by 3; what a measure learns of labels or of other
      readers it learns of viewers 0 to 9 and the other images.
    2 Are pairs of one radiological finding? `--findings` is the JSON of GazeSearch (Pham and
      others, WACV 2025, MIT licence, github.com/UARK-AICV/GazeSearch): scan paths on chest X-rays
      with the finding that was looked for. What is learnt of labels is learnt of one half of the
      images and judged on the other, both ways round.
    3 Do pairs gather images with a face? Readings as in 1; `--faces` is a table `image,label` whose
      label is `face` where a frontal face is in the photograph.
      python -m bench.questions faces STIMULI FILE.csv makes it of the photographs, with OpenCV's
      cascade (frontalface_alt2; OpenCV 4, OpenCV 5 has none).
Purity is that of the 1 % most alike pairs over chance, separation the chance that two people's
gaze on one image is more alike than on two. Intervals are of 95 %, images drawn anew, each measure
alone.
"""

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from bench.measures import CHOOSE, REPORT, load, read_table, samples
from migrations.study.evidence import Figure
from trainer.errors import SimilarityError
from trainer.similarity.base import Fitted, Gaze
from trainer.similarity.comparison import ComparisonControl, prepare
from trainer.similarity.evidence.intervals import joint_figures
from trainer.similarity.evidence.judge import Judging, PairRule, judge
from trainer.similarity.evidence.purity import Sampled, draw_weights
from trainer.similarity.registry import MEASURES
from trainer.similarity.sources import GazeList, readings_alone

RATE = 0.01
XRAY_PX, CANVAS_PX = 224.0, 800.0
PROTOTYPE = {"sigma": 0.05, "whitening": 0.0, "prior": 0.0}
FACE = "face"


@dataclass(frozen=True, slots=True)
class Row:
    """A measure with its settings, as the table names it."""

    title: str
    measure: str
    settings: dict[str, float]


def rows(measures: Sequence[str]) -> list[Row]:
    """Return the rows of some measures; the described prototype stands beside `dwell`."""
    found = [Row(name, name, {}) for name in measures]
    return found + [Row("the prototype", "dwell", PROTOTYPE)] * ("dwell" in measures)


def read_findings(path: Path) -> GazeList:
    """Return scan paths on chest X-rays, one item each; items of one X-ray have one case."""
    paths, rng = json.loads(path.read_text(encoding="utf-8")), np.random.default_rng(0)
    gazes = [_xray_gaze(one, rng) for one in paths]
    return GazeList(
        tuple(f"{place:05d}" for place in range(len(paths))),
        gazes,
        np.arange(len(paths)),
        cases=tuple(str(one["name"]) for one in paths),
        labels=tuple(str(one["task"]) for one in paths),
    )


def _xray_gaze(one: dict[str, Any], rng: np.random.Generator) -> Gaze:
    places = (np.stack((one["X"], one["Y"]), axis=1) + 0.5) * CANVAS_PX / XRAY_PX
    made = samples(places, np.rint(np.array(one["T"]) * 1000).astype(np.int64), rng)
    return replace(made, width=CANVAS_PX, height=CANVAS_PX)


def with_faces(gaze: GazeList, faces: Path | None) -> GazeList:
    """Return the readings with the label of each photograph; the file counts them from 1001."""
    if faces is None:
        return gaze
    known = {f"{int(name) - 1001:04d}": label for name, label in read_table(faces).items()}
    return replace(gaze, labels=tuple(known.get(id_, "") for id_ in gaze.ids))


def learnt(row: Row, chosen: GazeList, settings: dict[str, Any], jobs: int) -> Fitted | None:
    """Return what a measure learns of labels and readers on the choosing side; None: it does not.

    Raises
    ------
    SimilarityError
        If there is nothing to learn of.
    """
    cohort = MEASURES[row.measure].cohort
    if cohort is None or not cohort.learns:
        return None
    return prepare(row.measure, chosen, settings, ComparisonControl(jobs)).fitted


def same_image(row: Row, gaze: GazeList, settings: dict[str, Any], fitted: Fitted | None,
               jobs: int) -> Figure | None:  # fmt: skip
    """Return question 1: the separation of readers."""
    judging = Judging(PairRule(RATE), settings, (row.measure,))
    control = ComparisonControl(jobs, fitted=fitted)
    return (
        judge(replace(gaze, labels=()), [None] * len(gaze.ids), judging, control).rows[0].separation
    )


def one_finding(row: Row, gaze: GazeList, fitted: Fitted | None, jobs: int) -> Figure | None:
    """Return question 2: purity over chance of the finding that was looked for."""
    cohort = MEASURES[row.measure].cohort
    taught = cohort is not None and cohort.learns == "labels"
    control = ComparisonControl(jobs, fitted=None if taught else fitted)
    judging = Judging(PairRule(RATE), row.settings, (row.measure,))
    return judge(gaze, gaze.labels, judging, control).rows[0].purity


def with_a_face(row: Row, gaze: GazeList, settings: dict[str, Any], fitted: Fitted | None,
                jobs: int) -> Figure:  # fmt: skip
    """Return question 3: how often both of a pair have a face, over chance, mean over viewers."""
    made = prepare(
        row.measure, readings_alone(gaze), settings, ComparisonControl(jobs, fitted=fitted)
    )
    similarity = made.matrix()
    face = np.array([gaze.labels[owner] == FACE for owner in gaze.owners])
    weights, found = draw_weights(len(gaze.ids)), []
    for reader in sorted(set(gaze.readers)):
        own = np.flatnonzero(np.array(gaze.readers) == reader)
        square = np.ix_(own, own)
        found.append(
            _both(similarity.matrix[square], similarity.valid[square], face[own],
                  weights[:, gaze.owners[own]])
        )  # fmt: skip
    draws = np.nanmean([f.draws for f in found], axis=0)
    value = float(np.mean([f.value for f in found]))
    return joint_figures({"": Sampled(value, draws)})[""]


def _both(
    values: NDArray[np.float64], valid: NDArray[np.bool_], face: NDArray[np.bool_],
    weights: NDArray[np.float64],
) -> Sampled:  # fmt: skip
    allowed = valid & ~np.eye(len(face), dtype=bool)
    positive = allowed & (values > np.quantile(values[allowed], 1 - RATE))
    both = np.logical_and.outer(face, face)
    sets = [(p & q).astype(float) for p in (positive, allowed) for q in (both, np.ones_like(both))]
    counts = [c.sum() for c in sets]
    drawn = [np.einsum("bi,bi->b", weights @ c, weights) for c in sets]
    with np.errstate(invalid="ignore", divide="ignore"):
        draws = (drawn[0] / drawn[1]) / (drawn[2] / drawn[3])
    return Sampled(float((counts[0] / counts[1]) / (counts[2] / counts[3])), draws)


def find_faces(stimuli: Path, out: Path) -> None:
    """Write which photographs have a frontal face, by OpenCV's cascade."""
    import cv2

    if not hasattr(cv2, "CascadeClassifier"):
        sys.exit("This OpenCV has no cascades; use OpenCV 4 (opencv-contrib-python-headless<5).")
    known: Any = cv2  # the stubs are those of OpenCV 5
    finder = known.CascadeClassifier(f"{known.data.haarcascades}haarcascade_frontalface_alt2.xml")
    with out.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("image", "label"))
        for path in sorted(stimuli.glob("*.jpg")):
            grey = known.equalizeHist(known.imread(str(path), known.IMREAD_GRAYSCALE))
            found = finder.detectMultiScale(grey, 1.1, 4, minSize=(30, 30))
            table.writerow((path.stem, FACE if len(found) else "none"))


def ask(options: argparse.Namespace, console: Console) -> None:
    """Print the table."""
    gaze = chosen = xrays = None
    if options.osie is not None:
        gaze = with_faces(load(options.osie, REPORT, "report"), options.faces)
        chosen = with_faces(load(options.osie, CHOOSE, "choose"), options.faces)
    if options.findings is not None:
        xrays = read_findings(options.findings)
    print("| measure | same image, separation | one finding, purity | a face in both |")
    print("|---|---|---|---|")
    for row in rows(options.measures):
        cells: list[Figure | None] = [None, None, None]
        settings = {"proportions": "image", **row.settings}
        fitted, jobs = None, options.jobs
        try:
            if gaze is not None and chosen is not None:
                fitted = learnt(row, chosen, settings, jobs)
                cells[0] = same_image(row, gaze, settings, fitted, jobs)
                if options.faces is not None:
                    cells[2] = with_a_face(row, gaze, settings, fitted, jobs)
            if xrays is not None:
                cells[1] = one_finding(row, xrays, fitted, jobs)
        except SimilarityError as error:
            console.print(f"{row.title}: {error}", highlight=False)
        said = ("–" if cell is None else str(cell) for cell in cells)
        print(f"| {row.title} | " + " | ".join(said) + " |", flush=True)


def main() -> None:
    """Ask the questions, or make the table of faces."""
    if sys.argv[1:2] == ["faces"]:
        find_faces(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("--osie", "--faces", "--findings"):
        parser.add_argument(name, type=Path, default=None)
    parser.add_argument("--measures", nargs="+", default=list(MEASURES), choices=list(MEASURES))
    parser.add_argument("--jobs", type=int, default=2)
    ask(parser.parse_args(), Console(width=140))


if __name__ == "__main__":
    main()
