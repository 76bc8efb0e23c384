"""Where an image comes from, without names: hashed patient and UIDs, shifted day, device.

Everything that identifies goes through one keyed hash (PS3.15 E.3: UIDs are replaced consistently,
so that images of one study, series or patient still belong together).
"""

import hashlib
import hmac
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Self

_SHIFT_DAYS = 3653
_DEVICE_TEXT = 64


@dataclass(frozen=True, slots=True)
class Origin:
    """What is kept of where an image comes from.

    Attributes
    ----------
    group
        Hash of the patient, else of the study; "" if the file names neither.
    uids
        New UIDs (2.25.…) of `study`, `series`, `image`, `frame_of_reference`: the same original
        gives the same new one.
    study_day
        Day of the study, shifted by up to ten years: by the same amount for all of one patient, so
        that current and prior keep their interval.
    manufacturer
        Maker of the device, by its name in `vocabulary`; "" if it is not listed.
    model
        Stands for maker and model: the same for all files of one kind of device, without their
        words. "" if the file names neither.
    """

    group: str = ""
    uids: dict[str, str] = field(default_factory=dict)
    study_day: int | None = None
    manufacturer: str = ""
    model: str = ""

    def details(self) -> dict[str, Any]:
        """Return what the image's row stores besides its columns; no empty values."""
        kept = {name: value for name, value in asdict(self).items() if name != "group"}
        return {name: value for name, value in kept.items() if value not in ("", None, {})}

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> Self:
        """Return the origin that `asdict` gave."""
        return cls(**table)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose an image is, both hashed and as in the file; exists only in the decoding process.

    Attributes
    ----------
    origin
        What the study stores.
    original
        What a linkage file contains; it goes only there, and only if the user names one.
    device
        Maker and model as in the file, for the masks of studies that stored them that way.
    """

    origin: Origin = field(default_factory=Origin)
    original: dict[str, str] = field(default_factory=dict)
    device: tuple[str, str] = ("", "")


def keyed_hash(key: bytes, kind: str, identifier: str) -> bytes:
    """Return the HMAC-SHA256 of an identifier."""
    return hmac.new(key, f"{kind}\0{identifier.strip()}".encode(), hashlib.sha256).digest()


def new_uid(key: bytes, original: str) -> str:
    """Return the UID that replaces another: a UUID-derived UID (PS3.5 B.2) of its keyed hash."""
    return f"2.25.{int.from_bytes(keyed_hash(key, 'uid', original)[:16])}"


def shifted_day(key: bytes, patient: str, text: str) -> int | None:
    """Return a DICOM date as a day number, shifted by the patient's own secret number of days."""
    digits = text.replace(".", "").strip()[:8]
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).toordinal()
    except ValueError:
        return None
    return day - int.from_bytes(keyed_hash(key, "date", patient)[:8]) % _SHIFT_DAYS


def device_text(text: str) -> str:
    """Return a manufacturer or model cut to what is printable and short."""
    return "".join(c for c in text.strip()[:_DEVICE_TEXT] if c.isprintable())


def device_name(key: bytes, maker: str, model: str) -> str:
    """Return the code for a maker and a model; "" for neither."""
    if not maker and not model:
        return ""
    told = f"{maker}\0{model}".casefold()
    return f"device {keyed_hash(key, 'device', told).hex()[:8]}"
