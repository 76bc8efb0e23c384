"""Errors of the database room.

StudyError                  anything about a study folder or its database
├── NotAStudy               the folder is not a study
├── UnsafeFolder            a network or cloud-synchronised folder: recording into it is refused
├── SettingsError           study.toml cannot be understood
├── UnknownName             no image, case or reading of the study is called so
├── AmbiguousName           several are
├── FolderNotEmpty          an export would mix with what lies there
├── IncompleteExport        an export was written, but for gaze that is damaged
└── DatabaseError
    ├── DatabaseBusy        another process held the write lock too long
    ├── DatabaseDamaged     the file is damaged or no database
    ├── DiskFull            no space left to commit
    ├── ServerUnreachable   no line to the server, or it does not let this role in
    ├── RightMissing        the role on the server may not do it
    ├── RowRefused          the server refuses a row for what it holds
    └── DatabaseTooNew      written by a newer Foveate
"""


class StudyError(Exception):
    """Anything about a study folder or its database."""


class NotAStudy(StudyError):
    """The folder is not a study."""


class UnsafeFolder(StudyError):
    """A network or cloud-synchronised folder: recording into it is refused."""


class SettingsError(StudyError):
    """study.toml cannot be understood."""


class UnknownName(StudyError):
    """No image, case or reading of the study is called so."""


class AmbiguousName(StudyError):
    """Several images, cases or readings of the study may be meant."""


class UnknownReaders(StudyError):
    """A plan names readers whom the study does not have.

    Attributes
    ----------
    readers
        Their pseudonyms.
    """

    def __init__(self, text: str, readers: tuple[str, ...]) -> None:
        super().__init__(text)
        self.readers = readers


class FolderNotEmpty(StudyError):
    """An export would mix with the files already there."""


class IncompleteExport(StudyError):
    """An export was written without some gaze that is damaged."""


class DatabaseError(StudyError):
    """The database cannot be used."""


class DatabaseBusy(DatabaseError):
    """Another process held the write lock too long."""


class DatabaseDamaged(DatabaseError):
    """The file is damaged or not a database."""


class DiskFull(DatabaseError):
    """No space is left to commit."""


class DatabaseTooNew(DatabaseError):
    """Written by a newer Foveate."""


class ServerUnreachable(DatabaseError):
    """The server cannot be reached, or does not let this role in."""


class RightMissing(DatabaseError):
    """The role on the server may not do it."""


class RowRefused(DatabaseError):
    """The server refuses a row because of its contents; other rows can still be sent."""
