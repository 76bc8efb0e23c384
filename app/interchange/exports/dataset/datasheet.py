"""The datasheet (Gebru et al. 2021, Datasheets for Datasets): what the study knows, and questions.

What only people know remains a marked question; it is never filled with a guess.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.interchange.exports.dataset.terms import Terms
from migrations.study.plurals import counted

NAME = "datasheet.md"
OPEN = "**To be answered:**"
"""Marks each question that only people can answer."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the study knows about itself.

    Attributes
    ----------
    labels, modalities, trackers, ratings, left_out, attributes
        How often each occurs; `trackers` are kinds with their rates.
    agreed
        How many of the readers have agreed to be recorded.
    pictures
        How many images are included; None: none were requested.
    held_back
        How many were left out because they are not yet cleared of burned-in names.
    """

    name: str
    question: str
    classes: Sequence[str]
    version: str
    readers: int
    agreed: int
    readings: int
    cases: int
    images: int
    labels: Mapping[str, int]
    modalities: Mapping[str, int]
    trackers: Mapping[str, int]
    ratings: Mapping[str, int]
    left_out: Mapping[str, int]
    attributes: Sequence[str]
    pictures: int | None
    held_back: int


def datasheet(facts: Facts, terms: Terms) -> str:
    """Return the text; `OPEN` stands before each open question."""
    parts = [
        f"# Datasheet: {facts.name}",
        "After Gebru et al., *Datasheets for Datasets* (2021). Foveate wrote what the study knows; "
        f"whoever publishes it answers each question that is marked {OPEN}",
        *_section("Motivation", _motivation(terms)),
        *_section("Composition", _composition(facts)),
        *_section("Collection", _collection(facts)),
        *_section("Preprocessing and de-identification", _preprocessing(facts)),
        *_section("Uses", _uses(facts)),
        *_section("Distribution", _distribution(terms)),
        *_section("Maintenance", _maintenance()),
    ]
    return "\n\n".join(parts) + "\n"


def open_questions(text: str) -> int:
    """Return how many questions of a datasheet are still open."""
    return sum(line.startswith(f"- {OPEN}") for line in text.splitlines())


def _section(title: str, lines: Iterable[str]) -> list[str]:
    return [f"## {title}", "\n".join(f"- {line}" for line in lines)]


def _open(question: str) -> str:
    return f"{OPEN} {question}"


def _motivation(terms: Terms) -> list[str]:
    who = (
        f"Created by: {', '.join(terms.creators)}."
        if terms.creators
        else _open("Who created the data set, and on behalf of which institution?")
    )
    return [
        _open("For what purpose was the data set created?"),
        who,
        _open("Who paid for it?"),
    ]


def _composition(facts: Facts) -> list[str]:
    said = f"{', '.join(facts.attributes)}, in coarse classes" if facts.attributes else "nothing"
    lines = [
        f"{counted(facts.readings, 'reading')} of {counted(facts.cases, 'case')} by "
        f"{counted(facts.readers, 'reader')}; {counted(facts.images, 'image')}.",
        f"Question put to the readers: {facts.question}",
        f"Answers they could give: {', '.join(facts.classes) or 'not a fixed list'}.",
        f"Labels of the images: {_counts(facts.labels, 'no label')}.",
        f"Modalities: {_counts(facts.modalities, 'not stated')}.",
        f"Rating of the gaze: {_counts(facts.ratings, 'not rated')}.",
        f"Readers said about themselves: {said}.",
    ]
    if facts.left_out:
        lines.append(f"Left out of the finished readings: {_counts(facts.left_out, '')}.")
    if facts.pictures is None:
        lines.append("Images are named by the SHA-256 of their pixels; they are not included.")
    else:
        lines.append(
            f"{counted(facts.pictures, 'image')} as 8-bit PNG in `stimuli/`, as the presentation "
            "shows them; of a stack, the middle frame."
        )
    if facts.held_back:
        lines.append(
            f"{counted(facts.held_back, 'image')} left out: nobody has checked yet whether "
            "their pixels show a name."
        )
    return [
        *lines,
        _open("Is the data set a sample, and of what? Is it representative?"),
        _open("Where do the images come from, and may they be described here?"),
        _open("How were the labels found, and by whom?"),
    ]


def _collection(facts: Facts) -> list[str]:
    return [
        f"Gaze was recorded with: {_counts(facts.trackers, 'not stated')}.",
        f"{facts.agreed} of {counted(facts.readers, 'reader')} agreed in the station to being "
        "recorded.",
        _open("Which ethics committee approved the recording of readers, under which number?"),
        _open("On which legal basis are the patients' images used?"),
        _open("When, where and over what period was it recorded?"),
        _open("How were the readers recruited and paid?"),
    ]


def _preprocessing(facts: Facts) -> list[str]:
    return [
        "Raw samples are those of the tracker; fixations, saccades, pursuits and blinks were "
        "found by Foveate's online filter, whose parameters each row names by their hash.",
        "Readers are pseudonyms. Patients are keyed hashes, the same for all images of one "
        "patient; the key is not part of the data set. Free text, notes, dates, station names and "
        "serial numbers are left out.",
        "Readings of erased readers and images of erased patients are no longer in the study.",
        f"Written by Foveate {facts.version}.",
        _open("Was anything else changed, filtered or removed?"),
    ]


def _uses(facts: Facts) -> list[str]:
    return [
        "For research, not for diagnosis.",
        _open("What has it been used for already?"),
        _open("What must it not be used for? Could readers be recognised by how they read?"),
    ]


def _distribution(terms: Terms) -> list[str]:
    where = f"Found at {terms.url}." if terms.url else _open("Where will it be found (URL, DOI)?")
    when = f"Published on {terms.published}." if terms.published else _open("When is it published?")
    cite = f"To be cited as: {terms.cite}" if terms.cite else _open("How is it to be cited?")
    return [f"Licence: {terms.licence} ({terms.licence_url}).", where, when, cite]


def _maintenance() -> list[str]:
    return [
        _open("Who looks after it, and how are they reached?"),
        _open("How are errors reported and corrected? Are old versions kept?"),
        _open("How can a reader or a patient be removed?"),
    ]


def _counts(counts: Mapping[str, int], nothing: str) -> str:
    told = Counter({word or nothing: count for word, count in counts.items()})
    return ", ".join(f"{word} ({count:,})" for word, count in told.most_common()) or nothing
