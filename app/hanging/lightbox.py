"""The images of a case as they hang: their tiles, common scale, linked zoom. No Qt here."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.hanging.image_view import ImageView
from app.hanging.layouts import page_rects, tile_rects
from app.hanging.mammography import wanted_side
from app.hanging.pages import PLACES, pages_of
from app.hanging.upright import upright_of
from app.images.store import LoadedImage
from app.images.viewport import Rect
from devices.gaze.view import CLOSED, TileView

Changes = dict[int, str]
"""Kind of the change (`TileView.kind`) by tile."""
LENS_TILE = 99
"""The magnifier is a tile of its own, above the others."""
LENS_SIDE_VIEW = 260.0
LENS_FACTOR = 2.5
_MEETING = ("mammo", "prior")
"""Hangings in which chest walls meet and images share one scale."""
_LINKED = {"fit", "one_to_one", "true_size", "zoom_in", "zoom_out", "reset"}


@dataclass(frozen=True, slots=True)
class Hung:
    """One image and the tile it hangs in."""

    tile: int
    image: LoadedImage


class LightBox:
    """What hangs on a canvas.

    Parameters
    ----------
    background
        Grey off the images, 0 to 255.
    band_view
        Height of a band that stays free above and below each tile, `_view`.

    Attributes
    ----------
    views
        Those of the page on the canvas, by tile; tiles without an image are missing.
    active
        The tile that keys act on.
    linked
        Whether zoom and pan of one image affect all.
    lens
        The magnifier while it is shown.
    size_view
        Of the canvas for which it was laid out last.
    """

    def __init__(self, background: int, band_view: float = 0.0) -> None:
        self.band_view = band_view
        self.views: dict[int, ImageView] = {}
        self.active = 0
        self.linked = False
        self.size_view = (0.0, 0.0)
        self.lens: ImageView | None = None
        self._background = background
        self._hanging = "one-up"
        self._count = 1
        self._all: dict[int, ImageView] = {}
        self._page = 0

    @property
    def view(self) -> ImageView | None:
        """The view that keys act on."""
        return self.views.get(self.active)

    def hang(
        self,
        images: Sequence[Hung],
        hanging: str,
        size_view: tuple[float, float],
        device_pixel_ratio: float,
    ) -> None:
        """Hang the images of a case, each in its first preset; an empty case clears everything."""
        self.lens, self.linked = None, False
        self._hanging = hanging
        self._count = max((hung.tile + 1 for hung in images), default=1)
        room = (0.0, 0.0, max(size_view[0], 1.0), max(size_view[1], 1.0))
        self._all = {
            hung.tile: ImageView(hung.image, room, self._background)
            for hung in sorted(images, key=lambda hung: hung.tile)
        }
        for tile, view in self._all.items():
            _hang_upright(view, meeting=hanging in _MEETING and self._meets_another(tile))
        self._show_page(min(self._pages(), default=0))
        self.layout(size_view, device_pixel_ratio)

    def _meets_another(self, tile: int) -> bool:
        """Whether something hangs on the other side of its page; alone, it is centred."""
        if self._hanging != "mammo":
            return True
        return any(t // PLACES == tile // PLACES and t % 2 != tile % 2 for t in self._all)

    @property
    def page(self) -> int:
        """Which page of the case is on the canvas, from 0."""
        pages = self._pages()
        return pages.index(self._page) if self._page in pages else 0

    @property
    def page_count(self) -> int:
        """How many pages the case has; only mammograms have more than one."""
        return max(len(self._pages()), 1)

    def turn_page(
        self, step: int, size_view: tuple[float, float], device_pixel_ratio: float
    ) -> Changes:
        """Show another page of the case, the first after the last; nothing if there is only one."""
        pages = self._pages()
        if len(pages) < 2:
            return {}
        changed: Changes = dict.fromkeys(self.views, CLOSED)
        if self.lens is not None:
            self.lens, changed[LENS_TILE] = None, CLOSED
        self._show_page(pages[(self.page + step) % len(pages)])
        self.layout(size_view, device_pixel_ratio)
        return changed | self._coarse(dict.fromkeys(self.views, "open"))

    def layout(self, size_view: tuple[float, float], device_pixel_ratio: float) -> Changes:
        """Place the tiles on a canvas of another size."""
        self.size_view = size_view
        rects = self._rects(size_view, device_pixel_ratio)
        changed: Changes = {}
        for tile, view in self.views.items():
            changed[tile] = view.set_tile(rects[tile])
        if self._hanging in _MEETING and len(self.views) > 1:
            self._share_scale()
        return self._coarse(changed)

    def tile_at(self, x_view: float, y_view: float) -> int | None:
        """Return the tile with an image at a point of the canvas."""
        for tile, view in self.views.items():
            x, y, width, height = view.viewport.tile_view
            if x <= x_view < x + width and y <= y_view < y + height:
                return tile
        return None

    def activate_next(self, step: int = 1) -> None:
        """Make keys act on the next image."""
        tiles = list(self.views)
        if tiles:
            self.active = tiles[(tiles.index(self.active) + step) % len(tiles)]

    def zoom(self, tile: int, factor: float, x_view: float, y_view: float) -> Changes:
        """Zoom one image about a point of the canvas, or all about the corresponding points."""
        view = self.views[tile]
        x, y, width, height = view.viewport.tile_view
        u, v = (x_view - x) / width, (y_view - y) / height
        changed: Changes = {tile: view.zoom(factor, x_view, y_view)}
        for other, linked, mirrored in self._others(tile):
            left, top, w, h = linked.viewport.tile_view
            at = left + ((1 - u) if mirrored else u) * w
            changed[other] = linked.zoom(factor, at, top + v * h)
        return self._coarse(changed)

    def pan(self, tile: int, dx_view: float, dy_view: float) -> Changes:
        """Move one image, or all."""
        changed: Changes = {tile: self.views[tile].pan(dx_view, dy_view)}
        for other, linked, mirrored in self._others(tile):
            changed[other] = linked.pan(-dx_view if mirrored else dx_view, dy_view)
        return changed

    def act(
        self, action: str, device_pixel_ratio: float, view_pixel_mm: float | None
    ) -> Changes | None:
        """Do what a key means to the active image; None for a key of something else."""
        if action in ("zoom_in", "zoom_out"):
            return self._zoom_by_key(action)
        kind = self._act_on(self.active, action, device_pixel_ratio, view_pixel_mm)
        if kind is None:
            return None
        changed = {self.active: kind}
        if action in _LINKED:
            for other, _, _ in self._others(self.active):
                done = self._act_on(other, action, device_pixel_ratio, view_pixel_mm)
                if done is not None:
                    changed[other] = done
        return self._coarse(changed)

    def magnify(self, x_view: float, y_view: float, size_view: tuple[float, float]) -> bool:
        """Hold the lens over a place; tell whether there is an image under it."""
        tile = self.tile_at(x_view, y_view)
        if tile is None:
            self.lens = None
            return False
        side = LENS_SIDE_VIEW
        left = min(max(round(x_view - side / 2), 0), max(round(size_view[0] - side), 0))
        top = min(max(round(y_view - side / 2), 0), max(round(size_view[1] - side), 0))
        self.lens = self.views[tile].magnified(
            (x_view, y_view), (float(left), float(top), side, side), LENS_FACTOR
        )
        return True

    def tile_view(
        self, time_us: int, kind: str, tile: int, origin_screen: tuple[float, float]
    ) -> TileView:
        """Return how a tile lies on the screen, given the screen position of the canvas's corner.

        Raises
        ------
        KeyError
            If no image hangs there.
        """
        if tile == LENS_TILE:
            if self.lens is not None:
                return self.lens.tile_view(time_us, kind, tile, origin_screen)
            some = next(iter(self.views.values()))
            return some.tile_view(time_us, CLOSED, tile, origin_screen)
        if tile not in self.views:  # of the previous page
            return self._all[tile].tile_view(time_us, CLOSED, tile, origin_screen)
        return self.views[tile].tile_view(time_us, kind, tile, origin_screen)

    def _coarse(self, changed: Changes) -> Changes:
        """Sample several images fast at first: one smoothly takes half the time of a frame."""
        if len(changed) > 1:
            for tile in changed:
                self.views[tile].smooth = False
        return changed

    def _act_on(
        self, tile: int, action: str, device_pixel_ratio: float, view_pixel_mm: float | None
    ) -> str | None:
        view = self.views.get(tile)
        return None if view is None else view.act(action, device_pixel_ratio, view_pixel_mm)

    def _zoom_by_key(self, action: str) -> Changes | None:
        if self.view is None:
            return None
        x, y, width, height = self.view.viewport.tile_view
        factor = 1.25 if action == "zoom_in" else 0.8
        return self.zoom(self.active, factor, x + width / 2, y + height / 2)

    def _others(self, tile: int) -> list[tuple[int, ImageView, bool]]:
        """Return the images linked to one, and whether each hangs as its mirror image."""
        if not self.linked:
            return []
        own = self.views[tile].viewport.anchor
        return [
            (other, view, view.viewport.anchor != own)
            for other, view in self.views.items()
            if other != tile
        ]

    def _share_scale(self) -> None:
        """Give fitted images a common scale: in millimetres if all have a spacing, else pixels."""
        spacings = [view.spacing_mm[0] if view.spacing_mm else None for view in self.views.values()]
        known = [s for s in spacings if s]
        each = known if len(known) == len(spacings) else [1.0] * len(spacings)
        views = list(self.views.values())
        per_mm = min(v.viewport.fit_zoom() / mm for v, mm in zip(views, each, strict=True))
        for view, mm in zip(views, each, strict=True):
            view.share_zoom(per_mm * mm)

    def _pages(self) -> list[int]:
        return pages_of(list(self._all)) if self._hanging == "mammo" else [0]

    def _show_page(self, page: int) -> None:
        shown = self._all.items()
        on_page = self._hanging != "mammo"
        self._page = page
        self.views = {t: view for t, view in shown if on_page or t // PLACES == page}
        self.active = min(self.views, default=0)

    def _rects(self, size_view: tuple[float, float], ratio: float) -> dict[int, Rect]:
        if self._hanging == "mammo":
            places = page_rects({tile % PLACES for tile in self.views}, size_view, ratio)
            rects = {tile: places[tile % PLACES] for tile in self.views}
        else:
            rects = dict(enumerate(tile_rects(self._hanging, self._count, size_view, ratio)))
        band = round(self.band_view * ratio) / ratio
        return {tile: _between_bands(rect, band) for tile, rect in rects.items()}


def _between_bands(rect: Rect, band: float) -> Rect:
    """Return what two bands leave of a tile; a tile too low for them gets none."""
    x, y, width, height = rect
    return rect if height <= 4 * band else (x, y + band, width, height - 2 * band)


def _hang_upright(view: ImageView, *, meeting: bool) -> None:
    """Hang an image upright; a mammogram's chest wall lies next to the other breast's."""
    wanted = wanted_side(view.image.attributes)
    edge = 1.0 if wanted == "right" else 0.0
    view.hang(upright_of(view.image), edge if meeting and wanted is not None else None)
