"""Open, upgrade, check and back up the database, on SQLite or PostgreSQL.

One `Database` per process and file. `read()` and `write()` each give one short transaction; on
SQLite a writer takes the lock at once (BEGIN IMMEDIATE) and waits up to 30 s for it.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, exc, insert, text
from sqlalchemy.orm import Session as OrmSession

from migrations.study.audit import audit_row
from migrations.study.backups import whole_copy
from migrations.study.engine import make_engine
from migrations.study.errors import (
    DatabaseError,
    DatabaseTooNew,
    DiskFull,
    RightMissing,
    RowRefused,
)
from migrations.study.explain import explain
from migrations.study.processes import as_typed
from migrations.study.schema import Audit
from migrations.study.seal.chain import add_link, has_chain, seal_schema
from migrations.study.seal.heads import remember
from migrations.study.seal.watch import seal_changes, watch
from migrations.study.server_errors import is_of_server
from migrations.study.server_rights import may_upgrade
from migrations.study.unwritable import disk_of

BUSY_TIMEOUT_S = 30
_HISTORY = Path(__file__).parents[1]  # the folder of Alembic's env.py and versions/
_UPGRADE_LOCK = 0x0F0EA7E
"""Name of the server's lock that lets only one station upgrade it at a time."""


def foveate_version() -> str:
    """Return the version of this program."""
    try:
        return version("foveate")
    except PackageNotFoundError:  # run from a folder that was never installed
        return "unknown"


class Database:
    """The rows of a study.

    Parameters
    ----------
    url
        SQLAlchemy URL, e.g. ``sqlite:///…/foveate.sqlite`` or ``postgresql+psycopg://…``.
    durable
        Whether a commit survives power loss (``synchronous=FULL``); the recorder's setting.
        Either way a commit survives the death of the process.
    read_only
        Whether nothing is written, not even beside the SQLite file: for write-protected media.
    """

    def __init__(self, url: str, *, durable: bool = False, read_only: bool = False) -> None:
        self.url = url
        self.durable = durable
        self.read_only = read_only
        self._sealed = False
        self.engine = make_engine(url, durable=durable, read_only=read_only, wait_s=BUSY_TIMEOUT_S)

    @classmethod
    def at(cls, path: Path, *, durable: bool = False, read_only: bool = False) -> Self:
        """Return the SQLite database of a file; the file need not exist yet, unless read only.

        Raises
        ------
        DatabaseError
            If it is opened read-only while rows are still waiting in a file beside it.
        """
        return cls(f"sqlite:///{path.as_posix()}", durable=durable, read_only=read_only)

    @property
    def path(self) -> Path | None:
        """The SQLite file; None on a server."""
        name = self.engine.url.database
        return Path(name) if self.engine.dialect.name == "sqlite" and name else None

    @property
    def name(self) -> str:
        """Its name in messages: the file, or the URL without its password."""
        return str(self.path or self.engine.url.render_as_string(hide_password=True))

    @contextlib.contextmanager
    def read(self) -> Iterator[OrmSession]:
        """Give a session for reading; keep it short, an open one stops the WAL from shrinking."""
        with self._explained(), OrmSession(self.engine) as session:
            yield session

    @contextlib.contextmanager
    def write(self, *, signed: bool = True) -> Iterator[OrmSession]:
        """Give a session for writing; commits at the end, rolls back on an error.

        What it changes is sealed with it (`migrations.study.seal`).

        Parameters
        ----------
        signed
            Whether the station's key signs the seal; the next one that is signed vouches for it.

        Raises
        ------
        DatabaseError
            If the lock is not available, the disk is full or the file is damaged. Nothing committed
            before is lost.
        """
        with (
            self._explained(),
            self.engine.connect().execution_options(foveate_writer=True) as connection,
            OrmSession(connection) as session,
        ):
            session.connection()  # take the lock now, not at the first statement
            driver: Any = connection.connection.driver_connection
            if self.path is not None:
                watch(driver, connection.info)
            yield session
            session.flush()
            if self.path is not None:
                self._sealed |= seal_changes(driver, connection.info, signed=signed)
            session.commit()

    def close(self) -> None:
        """Close all connections, and keep the last seal outside the study."""
        if self._sealed:
            self.remember_seal()
        self.engine.dispose()

    def remember_seal(self, *, anew: bool = False) -> None:
        """Keep the last seal of a SQLite file in the configuration.

        Parameters
        ----------
        anew
            Whether it is accepted although the chain lacks the seal kept before: after a restore.
        """
        if self.path is None:
            return
        with self._explained(), self.engine.connect() as connection:
            remember(connection.connection.driver_connection, self.path, anew=anew)
        self._sealed = False

    def revision(self) -> str | None:
        """Return the revision of the schema in the database, None where it is empty."""
        with self._explained(), self.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def _known_revision(self) -> str | None:
        here, scripts = self.revision(), _scripts()
        if here is not None and here not in {s.revision for s in scripts.walk_revisions()}:
            raise DatabaseTooNew(
                f"{self.name} has schema {here}, written by a newer Foveate; this is Foveate "
                f"{foveate_version()}, which knows schemas up to {scripts.get_current_head()}. "
                "Install the newer Foveate to open it."
            )
        return here

    def require_current(self) -> None:
        """Refuse a schema other than this program's, and change nothing.

        Raises
        ------
        DatabaseTooNew
            If a newer Foveate wrote it.
        DatabaseError
            If an older one did.
        """
        here, wanted = self._known_revision(), _scripts().get_current_head()
        if here != wanted:
            has = f"has schema {here}" if here else "has no tables yet"
            raise DatabaseError(
                as_typed(
                    f"{self.name} {has}; this Foveate needs schema {wanted}. Upgrade it first "
                    "with python main.py db upgrade --study FOLDER, or open the study in the "
                    "window."
                )
            )

    def newest(self) -> str | None:
        """Return the newest revision that this program knows."""
        return _scripts().get_current_head()

    def upgrade(self, revision: str = "head") -> None:
        """Bring the schema to a revision; a filled SQLite file is backed up first.

        Raises
        ------
        DatabaseTooNew
            If a newer Foveate wrote it; the message names both versions.
        RightMissing
            If a server is older and the role may not change its tables.
        DatabaseError
            If a step fails; the database is then as it was, and the message names the backup.
        """
        here, scripts = self._known_revision(), _scripts()
        if here == (scripts.get_current_head() if revision == "head" else revision):
            return
        if self.read_only:
            raise DatabaseError(
                f"{self.name} is write-protected and has the older schema {here}. Copy the "
                "study to a writable disk and open it there."
            )
        self._require_owner(here, str(scripts.get_current_head()))
        copy = None
        if here is not None and self.path is not None:
            copy = self.backup(self.path.parent / "backups", f"-schema-{here}")
        try:
            self._migrate(command.upgrade, revision)
        except Exception as error:
            raise _not_upgraded(error, self.name, here, copy) from error

    def _require_owner(self, here: str | None, wanted: str) -> None:
        """Refuse, by name, to change a server's tables as a station's role."""
        if self.path is not None:
            return
        with self._explained(), self.engine.connect() as connection:
            if may_upgrade(connection):
                return
        has = f"has schema {here}" if here else "has no tables yet"
        raise RightMissing(
            as_typed(
                f"{self.name} {has}, this Foveate {foveate_version()} needs {wanted}, and this "
                "role may not change tables. The owner of the database can upgrade it: "
                "python main.py db server --database URL-OF-THE-OWNER."
            )
        )

    def downgrade(self, revision: str) -> None:
        """Take the schema back to an older revision (tests do)."""
        self._migrate(command.downgrade, revision)
        self.remember_seal(anew=True)

    def backup(self, folder: Path, suffix: str = "") -> Path:
        """Copy a SQLite database whole, consistent even while it is written to.

        For the backup at the end of each session, see `Study.backup`.

        Parameters
        ----------
        suffix
            Ends the copy's name, which contains the time.

        Returns
        -------
        Path
            The copy; it was verified.

        Raises
        ------
        DatabaseDamaged
            If the copy is not sound; it is not kept.
        DatabaseError
            If it cannot be read or the folder cannot be written; no partial copy remains.
        """
        with self.copied_to(folder) as path:
            return whole_copy(path, folder, suffix, read_only=self.read_only)

    @contextlib.contextmanager
    def copied_to(self, folder: Path) -> Iterator[Path]:
        """Yield the file for a copy in a folder; explain in words what goes wrong in the block."""
        if self.path is None:
            raise DatabaseError("A server's database is backed up with the server's own tools.")
        try:
            with self._explained():
                yield self.path
        except DiskFull as error:
            if "full" not in str(error.__cause__).lower():
                raise
            raise DiskFull(  # only the copy is written to
                f"The disk{disk_of(str(folder))} is full: {self.name} cannot be backed up to "
                f"{folder}. What was committed is safe; free some space, then back it up again."
            ) from error
        except OSError as error:
            raise DatabaseError(
                f"{self.name} cannot be backed up to {folder}: {error.strerror}. Make the folder "
                "writable, or free some space."
            ) from error

    def check(self) -> list[str]:
        """Return what is wrong with the database; nothing if it is sound."""
        if self.path is None:
            return []
        with self._explained(), self.engine.connect() as connection:
            integrity = connection.execute(text("PRAGMA integrity_check")).scalars().all()
            broken = connection.execute(text("PRAGMA foreign_key_check")).all()
        problems = [] if integrity == ["ok"] else [str(line) for line in integrity]
        return problems + [f"{row[0]}: row {row[1]} refers to a missing {row[2]}" for row in broken]

    def _migrate(self, step: Any, revision: str) -> None:
        config, here = _config(), self.revision()
        is_new = here is None
        self.engine.dispose()  # the watch of a connection must not stand in a rebuilt table's way
        with (
            self._explained(),
            self.engine.connect().execution_options(foveate_writer=True) as connection,
            self._foreign_keys_at_rest(connection),
            connection.begin(),
        ):
            if self.path is None:
                lock = text("SELECT pg_advisory_xact_lock(:name)")
                connection.execute(lock, {"name": _UPGRADE_LOCK})
            config.attributes["connection"] = connection
            step(config, revision)
            if self.path is not None:
                _require_references(connection, self.name)
                self._seal_schema(connection, here)
            elif row := self._upgraded(connection, here):
                connection.execute(insert(Audit), row)
        if is_new:
            self.remember_seal(anew=True)

    def _seal_schema(self, connection: Connection, before: str | None) -> None:
        """Seal the schema as it is now; the audit of a study that is older says so."""
        driver: Any = connection.connection.driver_connection
        if not has_chain(driver):
            return
        seal_schema(driver)
        if row := self._upgraded(connection, before):
            connection.execute(insert(Audit), row)
            add_link(driver, [("audit", row["id"])])
        self._sealed = True

    def _upgraded(self, connection: Connection, before: str | None) -> dict[str, Any] | None:
        """Return the audit's row of an upgrade to the newest schema; None of any other step."""
        now = MigrationContext.configure(connection).get_current_revision()
        if before is None or now != self.newest():
            return None
        details = {"from": before, "to": now, "foveate": foveate_version()}
        return audit_row("schema upgraded", details=details)

    @contextlib.contextmanager
    def _foreign_keys_at_rest(self, connection: Connection) -> Iterator[None]:
        """Let tables be rebuilt, as SQLite alters them, though rows refer to them."""
        if self.path is None:
            yield
            return
        # On the driver itself: inside a transaction, which `connection` would begin, SQLite
        # ignores this pragma without a word.
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            yield
        finally:
            driver.execute("PRAGMA foreign_keys=ON")

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            # Rows sent in bulk raise the driver's own errors.
            if not isinstance(error, exc.DBAPIError | sqlite3.Error) and not is_of_server(error):
                raise
            told = explain(error, self.name, BUSY_TIMEOUT_S)
            # A server's message about a refused row quotes the row.
            raise told from (None if isinstance(told, RowRefused) else error)


def _not_upgraded(error: Exception, name: str, here: str | None, copy: Path | None) -> Exception:
    kind = type(error) if isinstance(error, DatabaseError) else DatabaseError
    said = str(error) if kind is not DatabaseError else f"({getattr(error, 'orig', error)})"
    kept = f" The copy from before the upgrade is {copy}." if copy else ""
    return kind(f"{name} could not be upgraded from schema {here}. It is unchanged.{kept} {said}")


def _require_references(connection: Connection, name: str) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise DatabaseError(f"{name}: a row of {broken[0]} would refer to a missing {broken[2]}.")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", _HISTORY.as_posix())
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
