"""The connection to a server: encrypted and verified, or a warning that it is not."""

import configparser
import ipaddress
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

log = logging.getLogger(__name__)

VERIFIED = "verify-full"
_UNSAID = {
    "disable": "is not encrypted: anyone on the network can read it",
    "allow": "may be unencrypted, and the server is not verified",
    "prefer": "may be unencrypted, and the server is not verified",
    "require": "is encrypted, but the server is not verified: another can impersonate it",
    "verify-ca": "is encrypted, but the server's name is not checked against its certificate",
}


@dataclass(frozen=True, slots=True)
class Line:
    """How safe the connection to a server is.

    Attributes
    ----------
    settings
        Settings for libpq beyond the URL.
    warning
        Warning to give before use; empty where it is verified or never leaves this computer.
    """

    settings: Mapping[str, str]
    warning: str = ""


def line_to(url: URL) -> Line:
    """Return how to connect to a PostgreSQL server.

    Unless TLS is configured (`sslmode` in the URL, the service file or `PGSSLMODE`), the
    certificate must be valid and the server's own. A local socket and loopback need none, since
    that traffic never reaches a network.
    """
    service = _service(_first(url, "service") or os.environ.get("PGSERVICE", ""))
    said = _first(url, "sslmode") or service.get("sslmode") or os.environ.get("PGSSLMODE", "")
    if _stays_here(_hosts(url, service)) or said == VERIFIED:
        return Line({} if said != VERIFIED else _root(url, service))
    if said:
        warning = (
            f"The connection to the server (sslmode={said}) {_UNSAID.get(said, 'is not verified')}."
        )
        return Line({}, f"{warning} sslmode={VERIFIED} is safe; see docs/multi-station.md.")
    return Line({"sslmode": VERIFIED, **_root(url, service)})


def _root(url: URL, service: Mapping[str, str]) -> dict[str, str]:
    """Return whose signature counts: that of a named or default file, else the system's."""
    named = _first(url, "sslrootcert") or service.get("sslrootcert")
    base = Path(os.environ.get("APPDATA", "")) if os.name == "nt" else Path.home()
    usual = base / ("postgresql" if os.name == "nt" else ".postgresql") / "root.crt"
    if named or os.environ.get("PGSSLROOTCERT") or usual.is_file():
        return {}
    return {"sslrootcert": "system"}


def _hosts(url: URL, service: Mapping[str, str]) -> list[str]:
    named = url.host or _first(url, "host") or service.get("host") or os.environ.get("PGHOST", "")
    hosts = named.split(",")
    address = _first(url, "hostaddr") or service.get("hostaddr") or os.environ.get("PGHOSTADDR", "")
    return [*hosts, *(address.split(",") if address else ())]


def _stays_here(hosts: list[str]) -> bool:
    """Tell whether all of these are sockets of this computer or its loopback."""
    return all(_is_here(host) for host in hosts)


def _is_here(host: str) -> bool:
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _first(url: URL, name: str) -> str:
    value = url.query.get(name, "")
    return value if isinstance(value, str) else ",".join(value)


def _service(name: str) -> Mapping[str, str]:
    """Return what libpq's service file says about a service; empty where there is none."""
    if not name:
        return {}
    own = os.environ.get("PGSERVICEFILE") or Path.home() / ".pg_service.conf"
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(own, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return {}
    return dict(parser[name]) if parser.has_section(name) else {}
