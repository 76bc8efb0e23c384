"""The methods in prose, ready to be lifted into a paper; settings stand in the appendix."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from migrations.study.database import foveate_version
from migrations.study.evidence import kept_evidence
from migrations.study.plurals import counted
from trainer.config.config import PAIRS
from trainer.report.data import ReportData, RunFigures
from trainer.report.page import Section, paragraph, percent, rounded
from trainer.report.participation import setting, transductive
from trainer.report.run_sections import package_version

_NAMED = {"numpy": "NumPy", "scipy": "SciPy", "torch": "PyTorch"}
_METHODS = {
    "simclr": "SimCLR", "mocov2": "MoCo v2", "mocov3": "MoCo v3", "byol": "BYOL",
    "simsiam": "SimSiam",
}  # fmt: skip
_DIGITS = 12
"""Of a hash in the text; the whole of it stands in the appendix."""


def methods_section(data: ReportData) -> Section:
    """Return the paragraphs as prose; they name nobody and no path."""
    parts = [_cohort(data), _reading(data), _similarity(data), *map(_run, data.runs)]
    parts += [_probe(found.provenance, found.name) for found in data.probes if found.provenance]
    parts.append(_software())
    body = "".join(paragraph(text) for text in parts if text)
    note = paragraph(
        "You may copy this text. All settings, versions and full hashes are in the appendix. "
        "Values are those in force when the report was written.",
        "note",
    )
    return Section("methods", "Methods", f'{note}<div class="methods">{body}</div>')


def listed(parts: list[str]) -> str:
    """Return words as a list in a sentence: a, b and c."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _cohort(data: ReportData) -> str:
    members, groups = data.cohort.members, {m.source_group for m in data.cohort.members}
    labels = Counter(m.label for m in members if m.label is not None)
    held = sum(1 for m in members if m.split == "test")
    total = len(data.image_names)
    what = "were in a folder" if data.schema is None else f"{_were(total)} imported"
    kept = counted(len(members), "image")
    kept = f"All {kept}" if 1 < len(members) == total else kept
    patients = counted(len(groups), "patient")
    text = (
        f"Images. {counted(total, 'image')} {what}. {kept}, from {patients}, formed "
        f"the cohort (fingerprint {data.cohort.fingerprint[:_DIGITS]})."
    )
    if labels:
        text += (
            f" They were labelled as {listed([f'{k} ({n})' for k, n in sorted(labels.items())])}."
        )
    if held:
        text += (
            f" Of these, {counted(held, 'image')} {_were(held)} held out for testing, by patient."
        )
    return text


def _reading(data: ReportData) -> str:
    if not data.readings:
        return ""
    kept = len({r.reading_id for m in data.cohort.members for r in m.readings})
    readers = len({r.reader for r in data.readings})
    text = f"Reading. {counted(readers, 'reader')} made {counted(len(data.readings), 'reading')}"
    if data.setups:
        text += f", recorded with {'; '.join(data.setups)}"
    text += (
        ". A reading was included if it was finished, was not for practice and was not rated bad: "
    )
    text += f"{counted(kept, 'reading')} {_were(kept)} included"
    dropped = Counter(d.reason for d in data.cohort.dropped if d.kind == "reading")
    if dropped:
        reasons = [f"{n} ({why})" for why, n in dropped.most_common()]
        text += f" and {counted(sum(dropped.values()), 'other')} left out: {listed(reasons)}"
    text += "."
    if data.filters:
        text += f" Fixations were detected with the filter {listed(data.filters)}."
    return text


def _similarity(data: ReportData) -> str:
    found = data.similarity
    if found is None:
        return ""
    count = found.run.image_count
    text = (
        f"Gaze similarity. The gaze on {counted(count, 'image')} was compared pairwise with the "
        f"measure {found.run.measure}; {percent(found.run.valid_share)} of the pairs had a value."
    )
    evidence = kept_evidence(found.run.details)
    if evidence is not None:
        text += f" The measure was chosen on this cohort. {evidence.reason}"
    if found.threshold is not None:
        text += f" Pairs with a similarity above {found.threshold:.3g} counted as positive"
        text += f" ({percent(found.positive_rate(found.threshold))} of the pairs)."
    return text


def _run(run: RunFigures) -> str:
    details, row = run.run.details, run.run
    name = str(setting(run, "method") or "")
    pairs = setting(run, "pairs")
    source = "with no pairs other than two views of the same image" if pairs == "none" else (
        f"with pairs from {PAIRS.get(str(pairs), pairs or 'a source that is not recorded')}"
    )  # fmt: skip
    encoder = setting(run, "encoder")
    text = f"Pre-training ({row.name}, {row.state}). "
    text += f"{'An encoder' if not encoder else f'The encoder {encoder}'} was pre-trained with "
    text += f"{_METHODS.get(name, name) or 'a method that is not recorded'} {source}"
    images, steps = details.get("images"), details.get("steps")
    if images is not None:
        text += f" on {counted(int(images), 'image')}"
    if steps is not None:
        text += f" for {counted(int(steps), 'step')}"
    text += "." + _schedule(run)
    if transductive(run):
        text += " Images of the test split were also used (transductive)."
    rate = details.get("positive_rate")
    if rate is not None:
        text += f" {percent(rate)} of the pairs were positive"
        per_batch = details.get("extra_pairs_per_batch")
        if per_batch:
            text += f", which gives {rounded(per_batch)} extra pairs per batch on average"
        text += _worth(details)
    device = details.get("device")
    return text + (f" Training ran on {device}." if device else "")


def _schedule(run: RunFigures) -> str:
    """Return size of image and batch, optimiser, rate and seed, as far as they are known."""
    told = [
        (setting(run, "size"), "images of {} px"),
        (setting(run, "batch"), "a batch size of {}"),
        (setting(run, "optimiser"), "the optimiser {}"),
        (setting(run, "lr"), "a learning rate of {}"),
        (setting(run, "seed"), "seed {}"),
    ]
    said = [words.format(value) for value, words in told if value not in (None, "")]
    return f" It used {listed(said)}." if said else ""


def _worth(details: Mapping[str, Any]) -> str:
    paired, purity = details.get("images_with_pairs"), details.get("pair_purity")
    text = "" if paired is None else f"; {percent(paired)} of the images were in such a pair"
    if purity is not None:
        text += f". Of the positive pairs of labelled images, {percent(purity)} shared a label "
        text += "(labels were not used to make pairs)"
    return f"{text}."


def _probe(provenance: Mapping[str, Any], name: str) -> str:
    splits = provenance.get("splits", {})
    hashes = [str(h)[:_DIGITS] for h in (splits.get("sha256"), provenance.get("labels_sha256"))]
    encoders = [
        f"{e['name']} (test images seen: {e.get('saw_test_images')})"
        for e in provenance.get("encoders", ())
    ]
    return (
        f"Evaluation ({name}). Frozen features were evaluated on {provenance.get('images')} "
        f"labelled images of {provenance.get('patients')} patients in "
        f"{len(provenance.get('classes', ()))} classes; split {splits.get('origin')}, "
        f"{splits.get('train')} images for training and {splits.get('test')} for testing (hash of "
        f"the splits {hashes[0]}, of the labels {hashes[1]}). The linear probe was a logistic "
        "regression on standardised features, with regularisation chosen by inner validation on "
        "the labelled training images; kNN used cosine similarity, with the number of neighbours "
        "chosen in the same way. Intervals are percentile bootstraps over patients and repeats. "
        "Encoders were compared by the corrected resampled t-test (Nadeau and Bengio 2003) over "
        "repeated splits, or a paired bootstrap on a fixed split, with Holm's correction. "
        + (f"Encoders: {listed(encoders)}." if encoders else "")
    )


def _software() -> str:
    packages = [f"{said} {package_version(name)}" for name, said in _NAMED.items()]
    return f"Software. Analyses were made with Foveate {foveate_version()}, {listed(packages)}."
