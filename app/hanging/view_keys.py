"""What keys do to one image: positions of the viewport, steps of pan and window, `_view` pixels."""

PLACES = ("fit", "one_to_one", "reset", "true_size")
STEP_VIEW = 40.0
MOVES = {
    "pan_left": (STEP_VIEW, 0.0),
    "pan_right": (-STEP_VIEW, 0.0),
    "pan_up": (0.0, STEP_VIEW),
    "pan_down": (0.0, -STEP_VIEW),
}
WINDOWS = {
    "window_wider": (20.0, 0.0),
    "window_narrower": (-20.0, 0.0),
    "window_darker": (0.0, 20.0),
    "window_brighter": (0.0, -20.0),
}
