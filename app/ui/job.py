"""What the station and its jobs know about each other: pages, questions and notices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QScreen
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from migrations.study.folder import Study

Part = Literal["reader", "researcher", "none"]
Kind = TypeVar("Kind", bound="StationJob")


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page and its place in the navigation.

    Attributes
    ----------
    name
        Name by which the station opens it.
    title
        Its name in the navigation.
    part
        Part of the navigation; "none" for a page that another page leads to.
    icon
        Name of its icon; that of the page if empty.
    after
        Name of the entry before it; the last of the navigation if empty.
    """

    name: str
    widget: QWidget
    title: str = ""
    part: Part = "none"
    icon: str = ""
    after: str = ""


class StationWindow(Protocol):
    """What a job sees of the window."""

    @property
    def current(self) -> str:
        """Name of the page that is shown."""

    @property
    def in_workspace(self) -> bool:
        """Whether the researcher's pages are offered instead of the reader's."""

    def screen(self) -> QScreen:
        """Return the screen that the window is on."""


class Notices(QObject):
    """What jobs tell each other without knowing who listens.

    Signals
    -------
    study_changed
        Rows of the study have changed: pages that show them read them again.
    cases_changed
        Cases were added or cleared.
    reading_allowed : str
        What prevents reading and calibrating now; "" for nothing.
    keys_changed : object
        The keys (`KeyMap`) in force from now on.
    session_opened : object
        The `ReadingSession`.
    session_closed
        Its rows are on the disk.
    replay_wanted : str
        A reading, by its id, should be replayed for the researcher.
    reproduce_wanted : object
        A new run with the settings of this `RunRow` is wanted.
    workspace_entered
        The researcher has opened the workspace.
    server_read : bool
        Whether the workspace shows the laboratory's server instead of this station's rows.
    """

    study_changed = Signal()
    cases_changed = Signal()
    reading_allowed = Signal(str)
    keys_changed = Signal(object)
    session_opened = Signal(object)
    session_closed = Signal()
    replay_wanted = Signal(str)
    reproduce_wanted = Signal(object)
    workspace_entered = Signal()
    server_read = Signal(bool)


@dataclass(slots=True)
class ChosenReader:
    """Who reads at the station.

    Attributes
    ----------
    name
        Pseudonym; None until one is chosen.
    consented
        Whether the reader has already agreed by means other than the consent text.
    cleared_only
        Whether cases wait until their images are cleared of burned-in names.
    """

    name: str | None = None
    consented: bool = False
    cleared_only: bool = True


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a job may ask of the station.

    Attributes
    ----------
    parent
        Owner of the job.
    device_id
        The tracker to use until another is chosen.
    go
        Shows a page by name, if the station is in a state that allows it.
    show_error
        Reports what went wrong; recording continues behind the message.
    close_session
        Ends the open session, if any.
    session_busy
        Whether a session is open, or about to be open or closed.
    reopen_study
        Opens a study again after its settings were rewritten.
    """

    parent: QObject
    window: StationWindow
    notices: Notices
    reader: ChosenReader
    device_id: str
    go: Callable[[str], object]
    show_error: Callable[[str, Exception | str], object]
    close_session: Callable[[], object]
    session_busy: Callable[[], bool]
    reopen_study: Callable[["Study"], object]


class StationJob(QObject):
    """One job of the station with its pages; does nothing by itself.

    Attributes
    ----------
    pages
        Its pages; the station adds them to window and navigation.
    """

    pages: Sequence[JobPage] = ()

    def __init__(self, context: JobContext) -> None:
        super().__init__(context.parent)
        self.context = context

    def open(self, study: "Study") -> None:
        """Belong to this study from now on."""

    def refresh(self) -> None:
        """Read again what the page shows; called whenever one of its pages is shown."""

    @property
    def unsaved(self) -> str:
        """What closing the window now would lose, in a sentence; "" for nothing."""
        return ""

    def close(self) -> None:
        """End what is running; the station is about to close."""


def job_of(jobs: Sequence[StationJob], kind: type[Kind]) -> Kind:
    """Return the job of a kind."""
    return next(job for job in jobs if isinstance(job, kind))
