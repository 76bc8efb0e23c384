"""Write XDF 1.0 by its specification (github.com/sccn/xdf/wiki/Specifications)."""

import struct
from collections.abc import Sequence
from pathlib import Path


def write_xdf(path: Path, *streams: bytes) -> Path:
    header = _chunk(1, b'<?xml version="1.0"?><info><version>1.0</version></info>')
    path.write_bytes(b"XDF:" + header + b"".join(streams))
    return path


def stream(
    number: int, name: str, kind: str, channels: Sequence[tuple[str, str, str]], times, values
) -> bytes:
    """Return a stream of doubles, or of text where the values are; channels: label, eye, unit."""
    text = isinstance(values[0], str)
    described = "".join(
        f"<channel><label>{label}</label><eye>{eye}</eye><unit>{unit}</unit></channel>"
        for label, eye, unit in channels
    )
    info = (
        f'<?xml version="1.0"?><info><name>{name}</name><type>{kind}</type>'
        f"<channel_count>{1 if text else len(values[0])}</channel_count><nominal_srate>0"
        f"</nominal_srate><channel_format>{'string' if text else 'double64'}</channel_format>"
        f"<desc><channels>{described}</channels></desc></info>"
    )
    own = struct.pack("<I", number)
    body = b"".join(_sample(t, v) for t, v in zip(times, values, strict=True))
    footer = (
        f"<info><first_timestamp>{times[0]}</first_timestamp><last_timestamp>{times[-1]}"
        f"</last_timestamp><sample_count>{len(times)}</sample_count></info>"
    )
    samples = own + b"\x04" + struct.pack("<I", len(times)) + body
    return _chunk(2, own + info.encode()) + _chunk(3, samples) + _chunk(6, own + footer.encode())


def _sample(time_s: float, value) -> bytes:
    stamp = b"\x08" + struct.pack("<d", time_s)
    if isinstance(value, str):
        text = value.encode()
        return stamp + b"\x04" + struct.pack("<I", len(text)) + text
    return stamp + struct.pack(f"<{len(value)}d", *value)


def _chunk(tag: int, content: bytes) -> bytes:
    return b"\x04" + struct.pack("<IH", len(content) + 2, tag) + content
