"""Scarf plots: a band for each reading of an image, coloured by the area looked at."""

from collections.abc import Mapping, Sequence

from trainer.analysis.areas import Area, first_area
from trainer.analysis.figures.figure import (
    FILLS,
    LEFT_OVER,
    WIDTH,
    Figure,
    Target,
    fill_legend,
    fill_of,
    shortened,
    slug,
)
from trainer.analysis.looked import Looked
from trainer.analysis.tables import Settings, margin_px
from trainer.drawing.frame import Frame, rectangle, text

IMAGES, BANDS = 8, 40
_BAND, _NARROWEST = 14.0, 9.0
COLUMNS = ("reading", "reader", "arm", "image", "start_ms", "end_ms", "area")


def scarves(
    looks: Sequence[Looked], areas: Mapping[str, Sequence[Area]], settings: Settings
) -> list[Figure]:
    """Return a scarf plot of each image with areas, those with the most readings first.

    At most `IMAGES` plots of `BANDS` readings each; captions say where there are more.
    """
    by_image: dict[str, list[Looked]] = {}
    for looked in looks:
        if areas.get(looked.image):
            by_image.setdefault(looked.image, []).append(looked)
    chosen = sorted(by_image.items(), key=lambda item: (-len(item[1]), item[0]))
    left_out = len(chosen) - IMAGES
    more = f" {left_out} more images are not drawn." if left_out > 0 else ""
    return [_scarf(image, own, areas[image], settings, more) for image, own in chosen[:IMAGES]]


def segments(
    looked: Looked, areas: Sequence[Area], settings: Settings
) -> list[tuple[float, float, str]]:
    """Return start and end (ms from the first showing) and area of each run of fixations.

    Fixations in the same area that no other interrupts are one run; `other` is none of them.
    """
    inside = first_area(areas, looked.points_image, looked.frame, margin_px(looked, settings))
    runs: list[tuple[float, float, str]] = []
    for k, place in enumerate(inside):
        start = (int(looked.start_us[k]) - looked.shown_us) / 1000
        end = start + int(looked.duration_us[k]) / 1000
        name = LEFT_OVER if place < 0 else areas[place].name
        if runs and k and inside[k - 1] == place:
            runs[-1] = (runs[-1][0], end, name)
        else:
            runs.append((start, end, name))
    return runs


def _scarf(
    image: str, looks: Sequence[Looked], areas: Sequence[Area], settings: Settings, more: str
) -> Figure:
    looks = sorted(looks, key=lambda each: (each.arm, each.reader, each.reading))
    runs = [segments(looked, areas, settings) for looked in looks]
    drawn = looks[:BANDS]
    names = [*dict.fromkeys(area.name for area in areas), LEFT_OVER]
    legend, high = fill_legend(names, 8, 6, WIDTH - 8)
    end_ms = max((each.left_us - each.shown_us) / 1000 for each in drawn)
    height = high + 14 + len(drawn) * _BAND + 36
    frame = Frame((0.0, max(end_ms, 1.0) / 1000), (float(len(drawn)), 0.0), WIDTH, height,
                  left=110, top=high + 10)  # fmt: skip
    # The values grow downwards: the first reading lies on top.
    parts = [legend, frame.drawn("time since the image was first shown (s)", "", y_ticks=False)]
    targets = []
    for k, (looked, own) in enumerate(zip(drawn, runs, strict=False)):
        top = frame.top + (k * _BAND)
        parts.append(text(frame.left - 6, top + 10, _called(looked), "end"))
        parts += [_segment(frame, top, run, names) for run in own]
        targets.append(Target(0, top, WIDTH, _BAND, looked.reading))
    shown = f"{len(drawn)} of {len(looks)} readings" if len(looks) > BANDS else "All readings"
    return Figure(
        f"scarf-{slug(image)}", f"Scarf plot of {image}",
        f"{shown} of image {image}: the area of each fixation over time. Where areas overlap, a "
        f"fixation belongs to the one in which it lies deepest.{more}",
        "".join(parts), WIDTH, height, COLUMNS,
        [(each.reading, each.reader, each.arm, image, *run)
         for each, own in zip(looks, runs, strict=True) for run in own],
        targets=tuple(targets), tells_readers=True,
    )  # fmt: skip


def _called(looked: Looked) -> str:
    return shortened(f"{looked.reader} {looked.arm}".strip(), 17)


def _segment(frame: Frame, top: float, run: tuple[float, float, str], names: Sequence[str]) -> str:
    start, end, name = run
    number = names.index(name)
    left, right = (frame.at(time / 1000, 0)[0] for time in (start, end))
    drawn = rectangle(left, top + 2, right - left, _BAND - 4, fill_of(number, name))
    is_wide = right - left >= _NARROWEST and name != LEFT_OVER
    if is_wide or (number >= FILLS and name != LEFT_OVER):
        drawn += text((left + right) / 2, top + 10, str(number + 1), "middle", "inside")
    return drawn
