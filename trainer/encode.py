"""`python main.py encode`: compute features of a folder of images with an encoder."""

import argparse
import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import nn

from migrations.study.command_line import (
    WRONG,
    CommandParser,
    existing_file,
    existing_folder,
    file_to_write,
    one_or_more,
)
from migrations.study.plurals import counted
from migrations.study.stopping import listened
from migrations.study.told_events import ToldProgress, add_events, is_told
from migrations.study.unwritable import unwritable_text
from trainer.data.cache import cache_side, load_grey
from trainer.data.decode import place
from trainer.data.image_folder import find_images, overlooked, read_order
from trainer.encoders.files import existing_encoder
from trainer.encoders.info import EncoderInfo
from trainer.encoders.nets import encoder_names, load_encoder, to_input
from trainer.errors import EncoderError, EncoderUnknown, TrainerError
from trainer.pretrain.augment import apply_views, whole_views
from trainer.process.device import choose_device
from trainer.process.events import Meter, RunFailed
from trainer.process.terminal import TerminalReporter

_BATCH = 32


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(argv)
    console = Console()
    reporter = TerminalReporter(console)
    try:
        with listened(options.events):
            _run(options, console, _progress(reporter))
        return 0
    except EncoderError as error:  # the file that was named
        hint = " Use --name ENCODER to name it." if isinstance(error, EncoderUnknown) else ""
        reporter(RunFailed(f"{error}{hint}"))
        return WRONG
    except TrainerError as error:
        reporter(RunFailed(str(error)))
        return 1
    except KeyboardInterrupt:
        console.print("Stopped. Nothing was written.")
        return 3
    finally:
        reporter.close()


def _progress(reporter: TerminalReporter) -> Callable[[int, int], None]:
    return ToldProgress("encode", "images") if is_told() else Meter(reporter, "encode", "images")


def _run(options: argparse.Namespace, console: Console, meter: Callable[[int, int], None]) -> None:
    device = choose_device(options.device)
    encoder, info = load_encoder(options.encoder, name=options.name)
    found = find_images(options.images)
    names = read_order(options.order, found) if options.order else list(found)
    for note in overlooked(options.images, list(found)):
        console.print(note, highlight=False, soft_wrap=True)
    paths = [found[n] for n in names]
    size = options.size or info.size
    features = encode(encoder.to(device), info, paths, size, device, progress=meter)
    save_features(options.out, features, names)
    console.print(
        f"{counted(len(names), 'image')} × {counted(features.shape[1], 'feature')} "
        f"({info.name}, {size} px) → {options.out}",
        highlight=False,
        soft_wrap=True,
    )


def encode(
    encoder: nn.Module,
    info: EncoderInfo,
    paths: Sequence[Path],
    size: int | None = None,
    device: torch.device | None = None,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> NDArray[np.float32]:
    """Return features of image files, shape (N, D), float32; whole images, no augmentation.

    Each image goes the way it goes in training: the same loader, the same shrinking, squashed into
    a view of `size` pixels, by the encoder in evaluation mode.

    Raises
    ------
    ImageCacheError
        If a file is damaged; names it.
    """
    device = device or torch.device("cpu")
    side_px = size or info.size
    encoder.eval()
    made: list[NDArray[np.float32]] = []
    for start, batch in _batches(paths):
        with torch.inference_mode():
            views = _views(batch, side_px, info, device)
            made.append(encoder(views).float().cpu().numpy())
        progress(start + len(batch), len(paths))
    return np.concatenate(made) if made else np.zeros((0, info.features), np.float32)


def _batches(paths: Sequence[Path]) -> Iterator[tuple[int, Sequence[Path]]]:
    for start in range(0, len(paths), _BATCH):
        yield start, paths[start : start + _BATCH]


def _views(
    paths: Sequence[Path], size: int, info: EncoderInfo, device: torch.device
) -> torch.Tensor:
    width = round(size * info.aspect)
    side = cache_side(max(size, width))
    arrays = np.zeros((len(paths), side, side), np.uint8)
    boxes = [place(array, load_grey(path)) for array, path in zip(arrays, paths, strict=True)]
    draw = whole_views(torch.tensor(boxes, dtype=torch.float32), side)
    pixels = torch.from_numpy(arrays)[:, None].to(device)
    return to_input(apply_views(pixels, draw, (size, width)), info.in_channels)


def save_features(path: Path, features: NDArray[np.float32], names: Sequence[str]) -> None:
    """Write `features` (N, D) float32 and `names` (N,) into one npz file, whole or not at all.

    Raises
    ------
    TrainerError
        If it cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            shown = np.array(names, dtype=np.str_)
            np.savez(file, features=features.astype(np.float32), names=shown)
        partial.replace(path)
    except OSError as error:
        raise TrainerError(unwritable_text(path, error)) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py encode",
        description="Compute features of images with an encoder, as an npz with the keys features "
        "(N, D) float32 and names (N,): paths within the folder, in the same order.",
        example="python main.py encode --encoder encoder.safetensors --images IMAGES --out "
        "features.npz",
    )
    parser.add_argument(
        "--encoder", type=existing_encoder, required=True, metavar="FILE|RUN",
        help="a run's folder or its encoder.safetensors, or a torchvision or timm weights file",
    )  # fmt: skip
    parser.add_argument(
        "--images", type=existing_folder, required=True, metavar="FOLDER", help="PNG or JPEG images"
    )
    parser.add_argument(
        "--order",
        type=existing_file,
        metavar="FILE",
        help="file of image names, one per line, in order",
    )
    parser.add_argument(
        "--out", type=file_to_write, required=True, metavar="FILE", help="the npz file to write"
    )
    parser.add_argument(
        "--size", type=one_or_more, help="image size in pixels (default: as trained)"
    )
    parser.add_argument(
        "--name",
        help="encoder architecture, if the file does not name it: torchvision:NAME, timm:NAME, "
        f"{', '.join(encoder_names())} (default: as in the file)",
    )
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="device to compute on"
    )
    add_events(parser)
    return parser
