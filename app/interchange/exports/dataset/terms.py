"""The terms of a data set: stated by a person, never assumed."""

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
    """What only people know about a data set; empty values are left open.

    Attributes
    ----------
    licence
        An SPDX identifier, or `LicenseRef-NAME` for one's own terms.
    creators
        Persons or institutions, as they should be named.
    url
        Where it will be published.
    published
        Date of publication, such as 2026-11-28.
    cite
        How to cite it.
    """

    licence: str
    creators: tuple[str, ...] = ()
    url: str = ""
    published: str = ""
    cite: str = ""

    @property
    def licence_url(self) -> str:
        """Where the licence can be read; one's own terms are in LICENSE.md."""
        own = self.licence.startswith("LicenseRef-")
        return "LICENSE.md" if own else f"https://spdx.org/licenses/{self.licence}.html"

    @property
    def lacking(self) -> tuple[str, ...]:
        """What Croissant requires and nobody stated."""
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
            "LicenseRef-NAME for your own terms."
        )
    if licence not in LICENCES and not _OWN.fullmatch(licence):
        close = difflib.get_close_matches(licence.upper(), LICENCES, n=1, cutoff=0.5)
        guess = f" Did you mean {close[0]}?" if close else ""
        raise ExportError(
            f"{licence} is not an SPDX identifier of a licence for data.{guess} For your own "
            "terms, use LicenseRef-NAME."
        )
    if terms.published:
        try:
            date.fromisoformat(terms.published)
        except ValueError as error:
            raise ExportError(f"{terms.published} is not a date such as 2026-11-28.") from error
    if terms.url and not re.fullmatch(r"https?://\S+", terms.url):
        raise ExportError(f"{terms.url} is not an address such as https://example.org/data.")
    return terms
