"""Under which terms a data set goes out: said by a person, never taken for granted."""

import difflib
import re
from dataclasses import dataclass
from datetime import date

from app.errors import ExportError

LICENCES = (
    "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0",
    "CC-BY-NC-ND-4.0", "CC0-1.0", "ODC-By-1.0", "ODbL-1.0", "PDDL-1.0", "CDLA-Permissive-2.0",
    "CDLA-Sharing-1.0",
)  # fmt: skip
"""Licences for data by their SPDX identifiers."""
_OWN = re.compile(r"LicenseRef-[A-Za-z0-9.\-]{1,60}")


@dataclass(frozen=True, slots=True)
class Terms:
    """What only people know of a data set; what is empty was not said, and is left open.

    Attributes
    ----------
    licence
        An SPDX identifier, or `LicenseRef-NAME` for terms of one's own.
    creators
        Persons or institutions, as they are to be named.
    url
        Where it will be found.
    published
        The day of publication, as 2026-11-28.
    cite
        How it is to be cited.
    """

    licence: str
    creators: tuple[str, ...] = ()
    url: str = ""
    published: str = ""
    cite: str = ""

    @property
    def licence_url(self) -> str:
        """Where the licence can be read; terms of one's own stand in LICENSE.md."""
        own = self.licence.startswith("LicenseRef-")
        return "LICENSE.md" if own else f"https://spdx.org/licenses/{self.licence}.html"

    @property
    def lacking(self) -> tuple[str, ...]:
        """What Croissant wants to know and nobody said."""
        said = {
            "creator": self.creators,
            "url": self.url,
            "datePublished": self.published,
            "citeAs": self.cite,
        }
        return tuple(name for name, value in said.items() if not value)


def require_terms(terms: Terms) -> Terms:
    """Return terms under which a data set may go out.

    Raises
    ------
    ExportError
        If there is no licence or an unknown one, or the day or the address is not valid.
    """
    licence = terms.licence
    if not licence:
        raise ExportError(
            "A data set needs a licence, and only its owner can choose one: --licence "
            f"{LICENCES[0]}, another SPDX identifier for data ({', '.join(LICENCES[1:])}), or "
            "LicenseRef-NAME for terms of your own."
        )
    if licence not in LICENCES and not _OWN.fullmatch(licence):
        close = difflib.get_close_matches(licence.upper(), LICENCES, n=1, cutoff=0.5)
        guess = f" Did you mean {close[0]}?" if close else ""
        raise ExportError(
            f"{licence} is not an SPDX identifier of a licence for data.{guess} Terms of your own "
            "are LicenseRef-NAME."
        )
    if terms.published:
        try:
            date.fromisoformat(terms.published)
        except ValueError as error:
            raise ExportError(f"{terms.published} is not a day such as 2026-11-28.") from error
    if terms.url and not re.fullmatch(r"https?://\S+", terms.url):
        raise ExportError(f"{terms.url} is not an address such as https://example.org/data.")
    return terms
