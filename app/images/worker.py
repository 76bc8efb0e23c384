"""The process that decodes: it may be killed by a hostile file, never the station.

It speaks JSON over one pipe (nothing is unpickled from it) and imports nothing heavy at module
level, so that the spawning side can name its entry cheaply.
"""

import json
import os
import sys
from dataclasses import asdict, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import ImportRefused
from app.images.limits import require_file_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.images.attributes import DisplayAttributes
    from app.images.origin import Identity

OUT_OF_MEMORY = "it needs more memory to decode than an import may take"


def serve(connection: Connection, key: bytes, memory_bytes: int) -> None:
    """Answer requests until the pipe closes; the entry of the process.

    {path, folder} decodes a file into a folder, {path} alone lists the files of a DICOMDIR.
    """
    # What a decoder prints must not mix with the station's own output.
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
    import app.images.read_dicom
    import app.images.read_raster  # noqa: F401

    limit_memory(memory_bytes)
    connection.send_bytes(b"{}")
    while True:
        try:
            request = json.loads(connection.recv_bytes())
        except (EOFError, OSError):
            return
        answer = _answered(request, key)
        connection.send_bytes(json.dumps(answer).encode())


def limit_memory(memory_bytes: int) -> None:
    """Allow this process so much address space more than it has; Linux only.

    Elsewhere the parent watches the process's memory and ends it.
    """
    if sys.platform != "linux":
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _answered(request: dict[str, Any], key: bytes) -> dict[str, Any]:
    from app.images.dicomdir import listed_files
    from app.images.files import Unwritable

    path = Path(request["path"])
    try:
        if "folder" not in request:
            return {"files": listed_files(path)}
        return _decoded(request, key)
    except ImportRefused as error:
        return {"refused": str(error)}
    except MemoryError:
        return {"refused": OUT_OF_MEMORY}
    except Unwritable as error:
        return {"stopped": str(error)}
    except OSError as error:
        return {"refused": f"it cannot be read ({error.strerror or 'input/output error'})"}
    except Exception as error:  # one strange file must not end the import
        return {"refused": f"it cannot be read as an image ({type(error).__name__})"}


def _decoded(request: dict[str, Any], key: bytes) -> dict[str, Any]:
    from app.images.files import digest_of, write_image
    from app.images.masks import blacked_out, mask_for, template_of

    path = Path(request["path"])
    require_file_size(path.stat().st_size)
    stored, attributes, identity = _read(path, key)
    digest = kept_digest = digest_of(stored)
    templates = [template_of(item) for item in request.get("masks", ())]
    origin, size = identity.origin, (attributes.rows, attributes.columns)
    rectangles = mask_for(templates, origin.manufacturer, origin.model, *size)
    if rectangles:
        stored, attributes = blacked_out(stored, attributes, rectangles)
        kept_digest = digest_of(stored)
    write_image(Path(request["folder"]), stored, attributes)
    # The lists of a LUT stay in the folder; the parent needs the plain fields only.
    plain = replace(attributes, modality_lut=None, voi_luts=(), windows=())
    answer: dict[str, Any] = {"sha256": digest, "kept_sha256": kept_digest}
    answer |= {"origin": asdict(origin), "rectangles": rectangles, "attributes": plain.to_json()}
    return answer | ({"original": identity.original} if request.get("linkage") else {})


def _read(path: Path, key: bytes) -> "tuple[NDArray[Any], DisplayAttributes, Identity]":
    """Return little-endian stored values, what is kept beside them, and who they are of."""
    from app.images.origin import Identity
    from app.images.read_dicom import looks_like_dicom, read_dicom
    from app.images.read_raster import JPEG_HEAD, PNG_HEAD, read_raster

    with path.open("rb") as file:
        head = file.read(132)
    if head.startswith(PNG_HEAD):
        return *read_raster(path, "PNG"), Identity()
    if head.startswith(JPEG_HEAD):
        return *read_raster(path, "JPEG"), Identity()
    if looks_like_dicom(head):
        return read_dicom(path, key)
    raise ImportRefused("it is neither DICOM nor PNG nor JPEG")
