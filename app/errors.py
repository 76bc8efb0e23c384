"""Errors of the reading station.

AppError                  anything the station has to tell its user
├── ImportRefused         a file cannot become a case; the rest of the import goes on
├── ImportStopped         the import as a whole cannot go on
│   └── ArchiveClosed     an archive does not let us in, or is not to be trusted
├── LabelsError           the csv of labels cannot be understood
├── ImageUnreadable       an image of the study is missing or damaged
├── StoppedByUser         work was ended by a signal; what was done is kept
├── ExportError           an export or an archive cannot be written or read
└── SessionError          a reading session cannot do what was asked
    ├── ConsentMissing    the reader has not agreed to be recorded
    ├── StationBusy       another station records into the same study
    ├── WrongStep         not possible in the state the session is in
    └── NotCommitted      rows still wait for the database
"""


class AppError(Exception):
    """Anything the station has to tell its user."""


class ImportRefused(AppError):
    """A file cannot become a case; the rest of the import goes on."""


class ImportStopped(AppError):
    """The import as a whole cannot continue."""


class ArchiveClosed(ImportStopped):
    """An archive refuses access or cannot be trusted.

    Attributes
    ----------
    command_hint
        What to do about it at the command line.
    """

    def __init__(self, text: str, command_hint: str) -> None:
        super().__init__(text)
        self.command_hint = command_hint


class LabelsError(AppError):
    """The csv of labels cannot be read."""


class ImageUnreadable(AppError):
    """An image of the study is missing or damaged."""


class StoppedByUser(AppError):
    """Work was ended by a signal; everything finished is kept."""


class ExportError(AppError):
    """An export or an archive cannot be written or read."""


class SessionError(AppError):
    """A reading session cannot do what was requested."""


class ConsentMissing(SessionError):
    """The reader has not agreed to be recorded."""


class StationBusy(SessionError):
    """Another station is recording into the same study."""


class WrongStep(SessionError):
    """Not possible in the current state of the session."""


class NotCommitted(SessionError):
    """Rows are still waiting for the database."""
