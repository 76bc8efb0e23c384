"""One file decoded into a folder: what the worker process does for each request."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from app.errors import ImportRefused
from app.images.attributes import DisplayAttributes
from app.images.decoding.archives import ZIP_HEADS, is_archive, listed_members
from app.images.decoding.dicomdir import listed_files
from app.images.decoding.in_memory import InMemory, Readable
from app.images.decoding.jpeg_file import JPEG_HEAD
from app.images.decoding.large_stacks import is_mapped
from app.images.decoding.png_file import PNG_HEAD
from app.images.decoding.read_dicom import looks_like_dicom, read_dicom
from app.images.decoding.read_raster import read_raster
from app.images.decoding.read_tiff import TIFF_HEADS
from app.images.dicom.origin import Identity
from app.images.files import STORED, Unwritable, digest_of, write_image
from app.images.limits import OUT_OF_MEMORY, require_file_size
from app.images.masks import blacked_out, mask_for, template_of
from app.images.notes import note


def answer_to(request: dict[str, Any], key: bytes, sent: bytes | None = None) -> dict[str, Any]:
    """Return the answer to a request of the station, or why the file is refused.

    Parameters
    ----------
    sent
        The file itself, if it came over a connection and is on no disk.
    """
    path = Path(request["path"])
    try:
        if "folder" not in request:
            return {"files": listed_members(path) if is_archive(path) else listed_files(path)}
        return _decoded(request, key, path if sent is None else InMemory(sent))
    except ImportRefused as error:
        return {"refused": str(error)}
    except MemoryError:
        return {"refused": OUT_OF_MEMORY}
    except Unwritable as error:
        return {"stopped": str(error)}
    except OSError as error:
        return {"refused": f"it cannot be read ({error.strerror or 'input/output error'})"}
    except Exception:  # one odd file must not end the import
        return {"refused": "it cannot be read as an image: its contents contradict each other"}


def _decoded(request: dict[str, Any], key: bytes, path: Readable) -> dict[str, Any]:
    room = Path(request["folder"]) / STORED
    stored, attributes, identity = read_file(path, key, room)
    mapped = stored if is_mapped(stored) else None
    digest = kept_digest = digest_of(stored)
    templates = [template_of(item) for item in request.get("masks", ())]
    origin, size = identity.origin, (attributes.rows, attributes.columns)
    rectangles = mask_for(templates, origin.manufacturer, origin.model, *size) or mask_for(
        templates,
        *identity.device,
        *size,  # a mask made by 0.1.0 names them as the file does
    )
    if rectangles:
        stored, attributes = blacked_out(stored, attributes, rectangles)
        if mapped is not None:
            mapped[...] = stored
            stored = mapped
        kept_digest = digest_of(stored)
        said = note("blacked-out", count=len(rectangles))
        attributes = replace(attributes, notes=(*attributes.notes, said))
    write_image(Path(request["folder"]), stored, attributes, written=mapped is not None)
    # The lists of a LUT stay in the folder; the parent needs the plain fields only.
    plain = replace(attributes, modality_lut=None, voi_luts=(), windows=(), overlay=())
    answer: dict[str, Any] = {"sha256": digest, "kept_sha256": kept_digest}
    answer |= {"origin": asdict(origin), "rectangles": rectangles, "attributes": plain.to_json()}
    return answer | ({"original": identity.original} if request.get("linkage") else {})


def read_file(
    path: Readable, key: bytes, room: Path | None = None
) -> tuple[NDArray[Any], DisplayAttributes, Identity]:
    """Return little-endian stored values, what is stored with them, and whose they are.

    Parameters
    ----------
    room
        A file to create for the values of a large stack, which are then mapped.

    Raises
    ------
    ImportRefused
        If it is not an image, or not one that can be imported.
    """
    size = path.stat().st_size
    if size == 0:
        raise ImportRefused("the file is empty")
    with path.open("rb") as file:
        head = file.read(132)
    if looks_like_dicom(
        head
    ):  # before TIFF, since a DICOM file's preamble may look like its header
        return read_dicom(path, key, room)
    if isinstance(path, InMemory):
        raise ImportRefused("what was sent is not a DICOM file")
    require_file_size(size)
    if head.startswith(PNG_HEAD):
        return *read_raster(path, "PNG"), Identity()
    if head.startswith(JPEG_HEAD):
        return *read_raster(path, "JPEG"), Identity()
    if head.startswith(TIFF_HEADS):
        return *read_raster(path, "TIFF"), Identity()
    if head.startswith(ZIP_HEADS):
        listed_members(path)  # says why it is refused
        raise ImportRefused("it is a zip archive; give its name the suffix .zip, or unpack it")
    raise ImportRefused("it is neither DICOM nor PNG, JPEG or TIFF")
