"""Send gaze of a tracker of one's own on Lab Streaming Layer: python examples/lsl/own_sender.py.

In place of `_gaze_px` a real one asks the tracker. Ctrl-C ends it.
"""

import math
import time

import pylsl

RATE_HZ = 120.0
WIDTH_PX, HEIGHT_PX = 1920, 1080


def _gaze_px(now_s: float) -> tuple[float, float]:
    """Return where the eyes are on the screen, in pixels from its upper left corner."""
    return (
        WIDTH_PX * (0.5 + 0.3 * math.sin(now_s)),
        HEIGHT_PX * (0.5 + 0.3 * math.cos(0.7 * now_s)),
    )


def main() -> None:
    """Send until the process is ended; each sample with the time at which the eyes were there."""
    info = pylsl.StreamInfo("OurTracker", "Gaze", 3, RATE_HZ, "double64", "our-tracker-1")
    outlet = pylsl.StreamOutlet(info)
    print("Sending OurTracker.", flush=True)
    start_s, sent = pylsl.local_clock(), 0
    while True:
        while start_s + sent / RATE_HZ <= pylsl.local_clock():
            stamp_s = start_s + sent / RATE_HZ
            outlet.push_sample([*_gaze_px(stamp_s), 1.0], stamp_s)
            sent += 1
        time.sleep(0.002)


if __name__ == "__main__":
    main()
