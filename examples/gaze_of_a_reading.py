"""Print what one reading saw and said: python examples/gaze_of_a_reading.py STUDY [READING]."""

import sys

from trainer.api import open_study


def main(folder: str, name: str | None = None) -> None:
    """Print a reading, by default the first that counts."""
    with open_study(folder) as study:
        readings = study.readings()
        counted = readings[readings["left_out"] == ""]
        name = name or str(counted["reading"].iloc[0])
        gaze = study.gaze(name)
        seconds = (gaze.time_us[-1] - gaze.time_us[0]) / 1e6
        print(f"reading {name}: {len(gaze)} samples in {seconds:.1f} s")
        print(f"on an image: {(gaze.image_id != '').mean():.0%} of them")
        print(study.fixations(name)[["image", "start_us", "duration_us", "x_image", "y_image"]])
        print(study.answers(name)[["key", "value"]])


if __name__ == "__main__":
    main(*sys.argv[1:3])
