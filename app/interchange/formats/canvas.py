"""From the coordinates in a table to the canvas on which they are kept."""

import numpy as np

from app.interchange.formats.table_rules import TableRules
from app.interchange.options import ImportOptions
from app.interchange.places import Place, fitted_screen, image_axes, shown_at
from devices.gaze.errors import GazeFileError
from devices.gaze.geometry import FloatArray


def middle(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return the mean of both eyes (N, 2), or the only one."""
    only_left, only_right = np.isnan(right[:, 0]), np.isnan(left[:, 0])
    between = (left + right) / 2
    between[only_left], between[only_right] = left[only_left], right[only_right]
    return between


def on_screen(points: FloatArray, rules: TableRules, options: ImportOptions) -> FloatArray:
    """Return points (N, 2) on a screen as its pixels from the top left; others unchanged."""
    screen = options.screen
    if screen is None or rules.unit.startswith("image"):
        return points
    size = np.array([screen.width_screen, screen.height_screen])
    if rules.unit == "screen-deg":
        flip = (1, -1) if rules.origin != "top-left" else (1, 1)
        found: FloatArray = screen.norm_to_screen(screen.deg_to_norm(points * flip))
        return found
    if rules.unit == "screen-fraction":
        points = points * size
    if rules.origin == "centre":
        return points * (1, -1) + size / 2
    return points if rules.origin == "top-left" else points * (1, -1) + (0, size[1])


def place_of(rules: TableRules, options: ImportOptions) -> Place:
    """Return where the image is on the canvas of a table's coordinates.

    Raises
    ------
    GazeFileError
        If coordinates refer to a screen of which nothing is known.
    """
    screen = options.screen
    if rules.unit.startswith("image"):
        return image_axes(in_pixels=rules.unit == "image-px", origin=rules.origin)
    if screen is None:
        more = ", and --screen-mm and --distance-mm" if rules.unit == "screen-deg" else ""
        raise GazeFileError(
            f"Gaze in {rules.unit} needs the screen's size: give --screen WIDTHxHEIGHT in "
            f"pixels{more}, and --shown X,Y,WIDTH,HEIGHT if the image was not fitted and "
            "centred; or give the unit with --unit."
        )
    return shown_at(*options.shown) if options.shown else fitted_screen(screen)
