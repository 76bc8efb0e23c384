"""What the reading process answers: the readings of one file, one message each."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from app.interchange.foreign_reading import SourceFile
from app.interchange.formats.registry import FORMATS
from app.interchange.options import ImportOptions
from app.interchange.wire import options_of, pack_reading, packed, unpacked
from devices.gaze.errors import GazeFileError


def read_here(format_name: str, path: Path, options: ImportOptions) -> SourceFile:
    """Read a file in this process.

    Raises
    ------
    GazeFileError
        If it does not have the format.
    """
    return FORMATS[format_name].read(path, options)


def answer(request: bytes) -> Iterator[bytes]:
    """Answer a request: the number of rows, each reading, and what happened to the rows."""
    message, _ = unpacked(request)
    try:
        file = read_here(message["format"], Path(message["path"]), options_of(message["options"]))
        yield packed({"kind": "begin", "rows": file.counts.read}, {})
        for reading in file.readings:
            yield pack_reading(reading)
        yield packed({"kind": "end", **_ended(file)}, {})
    except GazeFileError as error:
        yield packed({"kind": "refused", "reason": str(error)}, {})
    except MemoryError:
        yield packed({"kind": "refused", "reason": f"{message['path']}: {OUT_OF_MEMORY}"}, {})
    except RecursionError:
        yield packed({"kind": "refused", "reason": f"{message['path']}: {TOO_DEEP}"}, {})
    except Exception as error:  # a hostile file can cause any error in a parser
        reason = f"{message['path']} cannot be read ({type(error).__name__})."
        yield packed({"kind": "refused", "reason": reason}, {})


OUT_OF_MEMORY = "reading it takes too much memory; split the file"
TOO_DEEP = "it is nested too deeply to be gaze"


def _ended(file: SourceFile) -> dict[str, object]:
    return {
        "rows": file.counts.read,
        "dropped": dict(file.counts.dropped),
        "notes": [asdict(each) for each in file.notes],
    }
