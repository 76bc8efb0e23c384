"""The stages of the demo, one after another, each timed."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QApplication
from sqlalchemy import select

from app.demo.folder import READER
from app.demo.phantoms import Cohort, read_truth, write_cohort
from app.demo.progress import Progress
from app.demo.reader import Plan, SimulatedHands
from app.demo.result import probe_lines, run_command
from app.demo.steps import Script, run_script
from app.demo.summary import summarise, write_summary
from app.images.clearing import clear, to_clear
from app.images.importing.importer import import_paths
from app.pages.pretrain.controller import TrainingController
from app.recording.stimulus import Findings
from app.station import Station
from app.ui import theme
from devices.simulated import Style, Target
from migrations.study.folder import Study
from migrations.study.processes import as_typed
from migrations.study.schema import Image
from migrations.study.settings import StudySettings

CLASSES = ("normal", "mass", "spiculated", "calcification", "other")
TRAINING = {"method": "byol", "pairs": "gzpt", "measure": "tima", "amount": 15.0}
VIEW_PX, BATCH, STEPS = 64, 12, 32
STYLES: dict[str, Style] = {
    "mass": "concentrated",
    "calcification": "concentrated",
    "spiculated": "radial",
}
"""Where and how long readers look at a kind of image: gaze carries what they see in these."""


@dataclass(frozen=True, slots=True)
class TourOptions:
    """The options of the command line."""

    out: Path
    cases: int
    seed: int
    speed: float


class Tour:
    """One run of the demo."""

    def __init__(self, options: TourOptions) -> None:
        self.options = options
        self.progress = Progress()
        self.study: Study | None = None
        self._result: dict[str, Any] = {}

    def run(self) -> Iterator[str]:
        """Run all stages and return the lines of the summary.

        Raises
        ------
        AppError, DeviceError, StudyError
            If a stage fails; the results of earlier stages are kept.
        """
        out, progress = self.options.out, self.progress
        with progress.stage("cohort", f"drawing {self.options.cases} cases as DICOM and PNG files"):
            cohort = write_cohort(out / "source", self.options.cases, self.options.seed, real=False)
        with progress.stage("import", f"importing {len(cohort.files)} files"):
            self.study = self._import(cohort)
        with _application():
            self._at_the_station(self.study, cohort)
        found = self._compare(self.study)
        self._collect(out)
        summary = summarise(self.study, self._result, progress.seconds)
        write_summary(out / "summary.json", summary)
        self.study.close()
        yield from summary.lines()
        yield from found
        yield as_typed(
            f"now open it: python main.py --study {out / 'study'}, and {out / 'report.html'}"
        )

    def _compare(self, study: Study) -> list[str]:
        """Train a plain run on the same split, try both at few labels, write the report."""
        out, named = self.options.out, ["--study", str(study.folder)]
        settings = self._training()
        size = [f"--{n}={settings[n]}" for n in ("method", "size", "batch", "epochs")]
        probes = study.exports / "probe"
        with self.progress.stage("plain", "a plain run for comparison, on the same split"):
            run_command(["train", *named, "--pairs", "none", "--name", "plain", *size],
                        out / "plain.log", self.progress, is_needed=True)  # fmt: skip
        with self.progress.stage("probe", "both encoders probed with few labels"):
            gaze = Path(str(self._result["encoder"])).parent.name
            words = ["--encoder", gaze, "plain", "--probes", "linear", "--label-budget", "10,all"]
            is_tried = run_command(["probe", *named, *words, "--out", str(probes)],
                                   out / "probe.log", self.progress, is_needed=False)  # fmt: skip
        with self.progress.stage("report", "the report"):
            run_command(["report", *named, "--out", str(out / "report.html")],
                        out / "report.log", self.progress, is_needed=True)  # fmt: skip
        return ["probe", *probe_lines(probes)] if is_tried else []

    def _import(self, cohort: Cohort) -> Study:
        settings = StudySettings(
            name="Demo", question="What do you see?", classes=CLASSES, order="random", trial=True
        )
        study = Study.create(self.options.out / "study", settings, durable=True)
        results = import_paths(study, cohort.paths, labels=cohort.labels)
        for result in results:
            if result.status == "refused":
                self.progress.say(f"refused {result.path.name}: {result.reason}")
        accepted = sum(result.status == "accepted" for result in results)
        self.progress.say(f"{accepted} of {len(results)} accepted, de-identified")
        # Made here, they carry no names; real ones are reviewed on the contact sheet.
        clear(study, [image.image_id for image in to_clear(study)], "demo")
        return study

    def _at_the_station(self, study: Study, cohort: Cohort) -> None:
        truth = Truth(study, cohort)
        station = Station(
            study,
            reader=READER,
            consented=True,
            seed=self.options.seed,
            speed=self.options.speed,
            finding_source=truth.findings,
            full_screen=False,
        )
        plan = Plan(truth.labels, self._training(), self.options.out / "screens",
                    self.options.seed, stop_once=True)  # fmt: skip
        hands = SimulatedHands(station, plan, self.progress)
        try:
            station.window.resize(1440, 900)
            station.show()
            with self.progress.stage("calibrate", "the simulated reader calibrates"):
                self._run(hands.calibrate())
            with self.progress.stage("reading", f"reading at {self.options.speed:g} × real time"):
                self._run(hands.read(lambda: self._recorded(station)))
                station.sitting.close_session()
            with self.progress.stage("pretrain", "Pretrain pressed"):
                self._run(hands.pretrain(lambda: self._trained(station)))
            self._result = dict(station.job(TrainingController).page.result)
        finally:
            queue = station.job(TrainingController).queue
            if queue.running:  # else it would continue without the demo
                queue.stop()
            station.close()
            station.window.close()

    def _run(self, script: Script) -> None:
        run_script(script, say=self.progress.say, heeds_signals=True)

    def _training(self) -> dict[str, object]:
        epochs = max(3, round(STEPS * min(BATCH, self.options.cases) / self.options.cases))
        return TRAINING | {"size": VIEW_PX, "batch": BATCH, "epochs": epochs}

    def _recorded(self, station: Station) -> str:
        if station.sitting.session is None:
            return "all done"
        status = station.sitting.session.recorder.status()
        return f"{status.sample_count:,} samples, {status.missing_count} lost"

    def _trained(self, station: Station) -> str:
        return station.job(TrainingController).page.message

    def _collect(self, out: Path) -> None:
        shutil.copyfile(out / "study" / self._result["encoder"], out / "encoder.safetensors")
        self.progress.say(f"{out / 'encoder.safetensors'}, {out / 'report.html'}")


class Truth:
    """The findings of each image, by its id."""

    def __init__(self, study: Study, cohort: Cohort) -> None:
        found = read_truth(cohort.truth)
        by_digest = {file.pixels_sha256: file.label for file in cohort.files}
        with study.database.read() as session:
            images = session.execute(select(Image.id, Image.sha256)).all()
        self.labels = {i: by_digest.get(digest, "other") for i, digest in images}
        self._targets = {
            i: tuple(Target(f.x, f.y, f.radius, f.weight) for f in found.get(digest, ()))
            for i, digest in images
        }

    def findings(self, image_id: str) -> Findings:
        """Return the places that draw a reader's eye, and how this kind of image is read."""
        style = STYLES.get(self.labels.get(image_id, ""), "search")
        return Findings(self._targets.get(image_id, ()), style)


class _application:
    """A QApplication for the duration of the stage at the station."""

    def __enter__(self) -> QApplication:
        existing = QApplication.instance()
        application = existing if isinstance(existing, QApplication) else QApplication([])
        theme.apply(application)
        return application

    def __exit__(self, *_: object) -> None:
        QApplication.processEvents()
