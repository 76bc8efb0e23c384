"""Draw where a reading looked: python examples/plot_reading.py STUDY OUT.png [READING].

With OpenCV, which Foveate brings; any library that takes NumPy arrays will do.
"""

import sys

import cv2

from trainer.api import open_study

PATH, CIRCLE = (150, 150, 150), (60, 160, 250)


def main(folder: str, out: str, name: str | None = None) -> None:
    """Write the first image of a reading with its fixations, larger where longer."""
    with open_study(folder) as study:
        readings = study.readings()
        name = name or str(readings[readings["left_out"] == ""]["reading"].iloc[0])
        table = study.fixations(name).dropna(subset=["image", "x_image"])
        image = str(table["image"].iloc[0])
        own = table[table["image"] == image]
        drawn = cv2.cvtColor(study.picture(image), cv2.COLOR_GRAY2BGR)
    points = own[["x_image", "y_image"]].to_numpy()
    cv2.polylines(drawn, [points.round().astype("int32")], False, PATH, 1, cv2.LINE_AA)
    for (x, y), duration_us in zip(points, own["duration_us"], strict=True):
        radius = max(2, round((duration_us / 1000) ** 0.5))
        cv2.circle(drawn, (round(x), round(y)), radius, CIRCLE, 2, cv2.LINE_AA)
    if not cv2.imwrite(out, drawn):
        sys.exit(f"{out} cannot be written.")
    print(f"{out}: image {image}, {len(own)} fixations of reading {name}")


if __name__ == "__main__":
    main(*sys.argv[1:4])
