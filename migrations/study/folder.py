"""A study is a folder: settings, database, images, cache, runs, exports.

``study.toml``, ``foveate.sqlite``, ``images/`` (de-identified), ``cache/`` (can be deleted),
``runs/``, ``exports/``, ``backups/``.
"""

import contextlib
import errno
import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from migrations.study.backups import back_up
from migrations.study.database import Database
from migrations.study.errors import NotAStudy, StudyError, UnsafeFolder
from migrations.study.opened import require_database
from migrations.study.private_files import make_private
from migrations.study.processes import as_typed
from migrations.study.same_image import identities, same_images
from migrations.study.settings import StudySettings, read_settings, write_settings

log = logging.getLogger(__name__)
_CLOUD_NAMES = ("onedrive", "dropbox", "google drive", "googledrive", "icloud", "nextcloud", "box")
_NETWORK_TYPES = ("nfs", "cifs", "smb", "9p", "afs", "sshfs", "fuse.rclone", "glusterfs", "ceph")

URL_VARIABLE = "FOVEATE_DATABASE_URL"
"""The variable that can hold a server's URL, since other users can see a command line."""
SERVER = "server"
"""As `database_url`: the server named by the variable."""


@dataclass(frozen=True)
class Study:
    """An open study.

    Attributes
    ----------
    folder
        Its path.
    settings
        What `study.toml` says.
    database
        Its rows, upgraded to this program's schema.
    local_ids
        With a server: the local id of each image whose id on the server differs. Images are matched
        as by `same_images`.
    reads_server
        Whether the rows come from a database other than the folder's own.
    """

    folder: Path
    settings: StudySettings
    database: Database = field(repr=False)
    local_ids: Mapping[str, str] = field(default_factory=dict, repr=False)
    reads_server: bool = False

    @classmethod
    def create(cls, folder: Path, settings: StudySettings, *, durable: bool = False) -> Self:
        """Make a new study in a folder that does not contain one.

        Raises
        ------
        UnsafeFolder
            If the folder is on a network drive or is synchronised to a cloud.
        """
        require_local(folder)
        with _folder_explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            make_private(folder)
            if not (folder / "study.toml").exists():
                write_settings(folder / "study.toml", settings)
        return cls.open(folder, durable=durable)

    @classmethod
    def open(cls, folder: Path, *, database_url: str | None = None, durable: bool = False) -> Self:
        """Open a study and bring its database to this program's schema.

        A study on a write-protected medium can be read, checked and exported elsewhere. If other
        users of this computer can read the study, for example after a copy, that is corrected.

        Parameters
        ----------
        folder
            A folder with a `study.toml`.
        database_url
            A database other than the folder's own, e.g. the laboratory's server; "server" stands
            for the URL in the variable `FOVEATE_DATABASE_URL`, which other users cannot see.
        durable
            Whether a commit survives power loss; set when recording.

        Raises
        ------
        NotAStudy
            If the folder has no `study.toml`.
        DatabaseError
            If its database is missing although it has images or backups.
        StudyError
            If "server" is asked for and the variable is not set.
        """
        if database_url == SERVER:
            database_url = _server_url()
        if not (folder / "study.toml").is_file():
            raise NotAStudy(
                as_typed(
                    f"{folder} is not a Foveate study (it has no study.toml). Name a study's "
                    "folder, or create one by importing images: python main.py import --study "
                    f"{folder} FILES"
                )
            )
        settings = read_settings(folder / "study.toml")
        read_only = not is_writable(folder)
        if not read_only:
            if make_private(folder):
                log.warning(
                    "%s could be read by other users of this computer; this has been corrected.",
                    folder,
                )
            with _folder_explained(folder):
                for name in ("images", "cache", "runs", "exports"):
                    (folder / name).mkdir(exist_ok=True)
        if database_url:
            database = Database(database_url, durable=durable)
        else:
            path = folder / "foveate.sqlite"
            if _was_used(folder, settings):
                require_database(path)
            database = Database.at(path, durable=durable, read_only=read_only)
        try:
            database.upgrade()
        except BaseException:
            database.close()
            raise
        local_ids = _local_ids(folder, database) if database_url else {}
        return cls(folder, settings, database, local_ids, bool(database_url))

    def image_folder(self, image_id: str) -> Path:
        """Return the folder of an image's `stored.npy`, `display.json` and `presentation.png`."""
        return self.folder / "images" / self.local_ids.get(image_id, image_id)

    def presentation(self, image_id: str) -> Path:
        """Return the 8-bit PNG of an image: VOI applied, inverted once; what the trainer sees."""
        return self.image_folder(image_id) / "presentation.png"

    def presentation_of_frame(self, image_id: str, frame: int) -> Path:
        """Return the same for one frame (from 0) of a stack; it exists if the frame was looked at.

        The station writes it when a reading ends (`app.images.frames`), also for the two frames on
        either side of a fixated one. An image that is not a stack has none.
        """
        return self.image_folder(image_id) / "frames" / f"{frame:05d}.png"

    @property
    def cache(self) -> Path:
        """Files that can be deleted and computed again."""
        return self.folder / "cache"

    @property
    def runs(self) -> Path:
        """One folder for each training run."""
        return self.folder / "runs"

    @property
    def exports(self) -> Path:
        """What leaves the study."""
        return self.folder / "exports"

    def backup(self) -> Path:
        """Copy the database to the study's backup folder, as is done at the end of a session.

        Raises
        ------
        UnsafeFolder
            If that folder is on a network drive or is synchronised to a cloud.
        DatabaseDamaged, DatabaseError
            As `migrations.study.backups.back_up` and `Database.copied_to` say.
        """
        folder = backup_folder(self.folder, self.settings)
        require_local(folder)
        with self.database.copied_to(folder) as path:
            return back_up(path, folder)

    def close(self) -> None:
        """Close the database."""
        self.database.close()


def backup_folder(folder: Path, settings: StudySettings) -> Path:
    """Return where the database of the study in `folder` is copied.

    A relative path starts at the study's folder, wherever the program was started.
    """
    return folder / (
        Path(settings.backup_folder).expanduser() if settings.backup_folder else "backups"
    )


def is_writable(folder: Path) -> bool:
    """Tell whether a study's folder and its database can be written.

    A file is actually created: permissions alone do not reveal write-protected media on every
    system.
    """
    database = folder / "foveate.sqlite"
    if database.exists() and not os.access(database, os.W_OK):
        return False
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError as error:
        return error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM)


def _was_used(folder: Path, settings: StudySettings) -> bool:
    """Tell whether a study has images or backups, so that a database must exist."""
    places = (folder / "images", backup_folder(folder, settings))
    return any(place.is_dir() and any(place.iterdir()) for place in places)


def _server_url() -> str:
    url = os.environ.get(URL_VARIABLE)
    if not url:
        raise StudyError(f"No server is given. Set {URL_VARIABLE}, or give the URL itself.")
    return url


def _local_ids(folder: Path, server: Database) -> dict[str, str]:
    """Return server id → local id of the images that both have under different ids."""
    path = folder / "foveate.sqlite"
    if not path.is_file():
        return {}
    local = Database.at(path)
    try:
        with local.read() as session:
            mine = identities(session)
        with server.read() as session:
            theirs = identities(session)
    finally:
        local.close()
    own, known = {image.id for image in mine}, {image.id for image in theirs}
    there = same_images(mine, [image for image in theirs if image.id not in own])
    return {theirs_id: mine_id for mine_id, theirs_id in there.items() if mine_id not in known}


@contextlib.contextmanager
def _folder_explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StudyError(
            f"{folder} cannot be used as a study's folder: "
            f"{error.strerror}{f' ({error.filename})' if error.filename else ''}. Choose a "
            "folder that you can write to."
        ) from error


def require_local(folder: Path) -> None:
    """Refuse a folder that a network or a cloud client may lock, delay or copy elsewhere.

    Raises
    ------
    UnsafeFolder
        Naming the folder and why.
    """
    resolved = folder.expanduser().resolve()
    cloud = next((p for p in resolved.parts if _is_cloud(p)), None)
    if cloud:
        raise UnsafeFolder(
            f"{resolved} is synchronised to a cloud ({cloud}), which can damage a database "
            "while it is being written. Choose a folder on this computer's own disk."
        )
    kind = _file_system(resolved)
    if any(kind.startswith(name) or name in kind.split(".") for name in _NETWORK_TYPES):
        raise UnsafeFolder(
            f"{resolved} is on a network drive ({kind}). Gaze must be recorded on this "
            "computer's own disk: choose a local folder, and copy or push the study after the "
            "session."
        )


def _is_cloud(part: str) -> bool:
    name = part.lower()
    return any(name == cloud or name.startswith(f"{cloud} -") for cloud in _CLOUD_NAMES)


def _file_system(path: Path) -> str:
    if sys.platform == "win32":
        return _windows_drive(path)
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return ""
    best, kind = "", ""
    for line in mounts.read_text().splitlines():
        _, mount, mount_type, *_ = line.split(" ")
        mount = mount.replace("\\040", " ")
        if (path == Path(mount) or Path(mount) in path.parents) and len(mount) >= len(best):
            best, kind = mount, mount_type
    return kind


def _windows_drive(path: Path) -> str:
    if str(path).startswith("\\\\"):
        return "smb"
    import ctypes

    drive_remote = 4
    windll: Any = getattr(ctypes, "windll", None)
    is_remote = windll and windll.kernel32.GetDriveTypeW(path.anchor) == drive_remote
    return "smb" if is_remote else ""
