"""Which computers a study's images may come from: only this one, unless the study allows more."""

import ipaddress

from app.errors import ImportStopped
from migrations.study.settings import StudySettings


def is_loopback(host: str) -> bool:
    """Tell whether a host is this computer."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_allowed(host: str, settings: StudySettings) -> None:
    """Refuse another computer if the study does not allow the network.

    Raises
    ------
    ImportStopped
        Naming the setting.
    """
    if not is_loopback(host) and not settings.archive_network:
        raise ImportStopped(
            f"{host} is not this computer, and the study does not allow archives on the "
            "network. To allow them, set archive_network = true in its study.toml (Study "
            "settings, “Images from archives on other computers”)."
        )
