"""What to say when a library is missing that only an extra of Foveate installs."""

import sys

from migrations.study.processes import as_typed

_EXTRAS = {
    "station": ("PySide6", "pyqtgraph", "pylsl", "pydicom", "openjpeg", "pylibjpeg", "jpeg_ls",
                "gdcm", "imagecodecs"),
    "train": ("torch", "torchvision", "sklearn", "faiss", "threadpoolctl", "safetensors",
              "tensorboard"),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "postgresql": ("psycopg",),
    "interchange": ("pyxdf", "pyarrow", "openpyxl"),
    "api": ("pandas",),
    "pacs": ("pynetdicom", "keyring"),
}  # fmt: skip
"""The modules that each extra of pyproject.toml brings."""


def missing_text(error: ImportError) -> str:
    """Return what is missing and how to get it; "" where no extra brings that module."""
    name = (error.name or "").partition(".")[0]
    extra = next((extra for extra, names in _EXTRAS.items() if name in names), None)
    if extra is None or not isinstance(error, ModuleNotFoundError):
        return ""
    if getattr(sys, "frozen", False):  # as PyInstaller marks its programs
        return (
            f"{name} is not part of this package, which contains only the reading station. To use "
            f'it, install Foveate\'s wheel with the extra "{extra}": see docs/installation.md.'
        )
    return as_typed(
        f'{name} is not installed here; it comes with the extra "{extra}": '
        f'pip install -e ".[{extra}]".'
    )
