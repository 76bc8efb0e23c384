"""The methods paragraph: every setting, version and hash, ready to be lifted into a paper."""

import platform
from collections import Counter
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from migrations.study.database import foveate_version
from migrations.study.evidence import kept_evidence
from trainer.report.data import ReportData, RunFigures
from trainer.report.page import Section, paragraph
from trainer.report.participation import setting, transductive
from trainer.report.run_sections import PACKAGES, flat, package_version


def methods_section(data: ReportData) -> Section:
    """Return the paragraphs as prose; they name nobody and no path."""
    parts = [_cohort(data), _reading(data), _similarity(data), *map(_run, data.runs)]
    parts += [_probe(found.provenance, found.name) for found in data.probes if found.provenance]
    parts.append(_software(data))
    body = "".join(f"<p>{escape(text)}</p>" for text in parts if text)
    note = paragraph(
        "May be copied as it stands. Values are those in force when the report was written; "
        "hashes are SHA-256, shortened where they end in an ellipsis.",
        "note",
    )
    return Section("methods", "Methods", f'{note}<div class="methods">{body}</div>')


def _cohort(data: ReportData) -> str:
    members, groups = data.cohort.members, {m.source_group for m in data.cohort.members}
    labels = Counter(m.label for m in members if m.label is not None)
    held = sum(1 for m in members if m.split == "test")
    what = "lay in a folder" if data.schema is None else "were imported"
    text = (
        f"Images. {len(data.image_names)} images {what} (Foveate "
        f"{foveate_version()}); {len(members)} of them, of {len(groups)} patients, formed the "
        f"cohort (fingerprint {data.cohort.fingerprint})."
    )
    if labels:
        listed = ", ".join(f"{name} {count}" for name, count in sorted(labels.items()))
        text += f" Labels: {listed}."
    return text + (f" {held} images were held back for testing, by patient." if held else "")


def _reading(data: ReportData) -> str:
    if not data.readings:
        return ""
    kept = len({r.reading_id for m in data.cohort.members for r in m.readings})
    readers = len({r.reader for r in data.readings})
    text = f"Reading. {readers} reader(s) made {len(data.readings)} readings"
    if data.setups:
        text += " with " + "; ".join(data.setups)
    dropped = Counter(d.reason for d in data.cohort.dropped if d.kind == "reading")
    text += f". {kept} readings were kept"
    if dropped:
        text += ", left out were " + ", ".join(f"{n} ({why})" for why, n in dropped.most_common())
    text += ". A reading counts if it was finished, was no practice and its quality was not bad."
    if data.filters:
        text += f" Fixations were found by {'; '.join(data.filters)}."
    return text


def _similarity(data: ReportData) -> str:
    found = data.similarity
    if found is None:
        return ""
    settings = ", ".join(f"{k} {v}" for k, v in found.run.parameters.items() if v not in (None, ""))
    text = (
        f"Gaze similarity. {found.run.image_count} images were compared by {found.run.measure} "
        f"({settings}); {found.run.valid_share:.1%} of the pairs have a value."
    )
    evidence = kept_evidence(found.run.details)
    if evidence is not None:
        text += f" The measure was chosen on this cohort. {evidence.reason}"
    if found.threshold is not None:
        text += f" Images above a similarity of {found.threshold:.6g} are positive pairs."
    return text


def _run(run: RunFigures) -> str:
    details, row = run.run.details, run.run
    listed = ", ".join(f"{key.removeprefix('config.')} {value}" for key, value in flat(run.config))
    text = (
        f"Pre-training, run {row.name} ({row.state}). "
        f"{setting(run, 'method') or 'The method'} with pairs "
        f"{setting(run, 'pairs') or 'not said'} on {details.get('images', 'the cohort’s')} images, "
        f"{details.get('steps', 'an unknown number of')} steps on "
        f"{details.get('device', 'a device not said')}."
    )
    if transductive(run):
        text += " Images of the test split took part (transductive)."
    rate = details.get("positive_rate")
    if rate is not None:
        text += f" {rate:.3%} of the pairs were positive"
        per_batch = details.get("extra_pairs_per_batch")
        text += f", {per_batch:.1f} extra pairs expected in a batch" if per_batch else ""
        text += _worth(details)
    hashes = ", ".join(f"{k} {v}" for k, v in run.hashes.items())
    return text + (f" Hashes: {hashes}." if hashes else "") + f" All settings: {listed}."


def _worth(details: Mapping[str, Any]) -> str:
    paired, purity = details.get("images_with_pairs"), details.get("pair_purity")
    text = "" if paired is None else f"; {paired:.0%} of the images had such a pair"
    if purity is not None:
        text += f"; {purity:.1%} of those of labelled images joined one label (labels made none)"
    return f"{text}."


def _probe(provenance: Mapping[str, Any], name: str) -> str:
    splits, settings = provenance.get("splits", {}), provenance.get("settings", {})
    hashes = [str(h)[:16] for h in (splits.get("sha256"), provenance.get("labels_sha256"))]
    listed = ", ".join(f"{k} {v}" for k, v in _plain(settings))
    encoders = "; ".join(
        f"{e['name']}" + (f" (sha256 {e['sha256'][:16]}…)" if e.get("sha256") else "")
        + (f", {e['size']} px" if e.get("size") else "")
        + f", test images seen: {e.get('saw_test_images')}"
        for e in provenance.get("encoders", ())
    )  # fmt: skip
    return (
        f"Probe {name}. {provenance.get('images')} labelled images of "
        f"{provenance.get('patients')} patients in {len(provenance.get('classes', ()))} classes; "
        f"split {splits.get('origin')} ({splits.get('train')} images to train on, "
        f"{splits.get('test')} tested; splits {hashes[0]}…, labels {hashes[1]}…). Linear probe: "
        "logistic regression on standardised frozen features, regularisation by inner validation "
        "on the labelled training images; kNN: cosine, number of neighbours likewise. "
        "Intervals: percentile bootstrap over patients and repeats; comparisons: corrected "
        "resampled t-test (Nadeau and Bengio 2003) over repeated splits, paired bootstrap on a "
        f"fixed one; Holm's correction. Encoders: {encoders}. All settings: {listed}."
    )


def _plain(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in flat(settings):
        yield key, value.replace('"', "")


def _software(data: ReportData) -> str:
    packages = ", ".join(f"{name} {package_version(name)}" for name in PACKAGES)
    system = f"{platform.system()} {platform.machine()}"
    return (
        f"Software. Foveate {foveate_version()}, "
        f"{f'database schema {data.schema}, ' if data.schema else ''}"
        f"Python {platform.python_version()} on {system}, {packages}."
    )
