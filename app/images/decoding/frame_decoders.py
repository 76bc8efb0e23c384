"""Frames that pydicom's own plugins do not decode, by imagecodecs: a plugin for pydicom.

Lossy colour JPEG, whose own markers say which colours it contains (pydicom's plugin converts some
twice); 12-bit JPEG (libjpeg-turbo), the usual lossy form of archived CR, DX and MG, which Pillow's
library cannot read; JPEG-LS (CharLS) on which pyjpegls fails.
"""

import imagecodecs
import numpy as np
from pydicom import uid
from pydicom.pixels.decoders import pyjpegls
from pydicom.pixels.decoders.base import DecodeRunner, get_decoder

from app.images.decoding.codestream import is_ycc

OURS = "foveate"
"""The name of the plugin."""
_EOI, _MORE = b"\xff\xd9", (b"\x55", b"\xaa")
_JPEG = (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit)
_JPEG_LS = (uid.JPEGLSLossless, uid.JPEGLSNearLossless)
DECODER_DEPENDENCIES = dict.fromkeys((*_JPEG, *_JPEG_LS), ("imagecodecs",))


def register() -> None:
    """Register the plugin with pydicom; once is enough."""
    for syntax in DECODER_DEPENDENCIES:
        decoder = get_decoder(syntax)
        if OURS not in decoder.available_plugins:
            decoder.add_plugin(OURS, (__name__, "decode_frame"))


def is_available(syntax: str) -> bool:
    """Return whether the plugin decodes a transfer syntax; pydicom asks."""
    return syntax in DECODER_DEPENDENCIES


def decode_frame(data: bytes, runner: DecodeRunner) -> bytes | bytearray:
    """Return a frame's bytes as pydicom expects them from a plugin.

    Parameters
    ----------
    data
        The codestream.
    runner
        What the data set says; receives the bits of a sample in the result.

    Raises
    ------
    ValueError
        If the codestream is damaged.
    """
    if runner.transfer_syntax in _JPEG_LS:
        return _jpeg_ls(data, runner)
    if runner.samples_per_pixel > 1:
        return _colours(data, runner)
    pixels = imagecodecs.jpeg8_decode(data)
    if not runner.pixel_representation:
        # The inverse transform overshoots: no value may exceed the stored bits.
        pixels = np.minimum(pixels, 2**runner.bits_stored - 1)
    runner.set_option("bits_allocated", 16)
    return pixels.astype("<u2").tobytes()


def is_whole_jpeg(data: bytes) -> bool:
    """Return whether a lossy JPEG's data are complete, whatever marker follows them.

    A decoder silently paints missing parts grey. It does not look at what follows the last block:
    if that changes the picture, the data end too early.
    """
    end = data.rfind(_EOI)
    kept = (data[:end] if end > 0 else data.rstrip(b"\0")).rstrip(b"\xff")
    try:
        one, other = (imagecodecs.jpeg8_decode(kept + more * 64 + _EOI) for more in _MORE)
    except imagecodecs.Jpeg8Error:  # the decoder will report what is wrong
        return True
    return np.array_equal(one, other)


def _colours(data: bytes, runner: DecodeRunner) -> bytes:
    """Return colours as they are in the codestream, and tell pydicom which they are."""
    said = is_ycc(data)
    ycc = "YBR" in runner.photometric_interpretation if said is None else said
    space = "YCBCR" if ycc else "RGB"
    pixels = imagecodecs.jpeg8_decode(data, colorspace=space, outcolorspace=space)
    runner.set_option("photometric_interpretation", "YBR_FULL" if ycc else "RGB")
    runner.set_option("planar_configuration", 0)
    return pixels.tobytes()


def _jpeg_ls(data: bytes, runner: DecodeRunner) -> bytes | bytearray:
    try:
        return pyjpegls._decode_frame(data, runner)
    except Exception:  # it raises its own errors; CharLS itself may read the frame
        pixels = np.asarray(imagecodecs.jpegls_decode(data))
    planar = pixels.ndim == 3 and pixels.shape[0] == runner.samples_per_pixel < pixels.shape[2]
    runner.set_option("planar_configuration", int(planar))
    runner.set_option("bits_allocated", pixels.itemsize * 8)
    return pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
