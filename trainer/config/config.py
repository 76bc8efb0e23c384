"""What a run does: one frozen dataclass, from `run.toml`, `--set name=value` and options.

Later layers win: defaults, then the settings of the recipe that a layer names, then the file, then
`--set`, then the options of the command line. `threshold` and `positive_rate` exclude each other: a
layer that gives one clears the other.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any

PAIRS = {
    "none": "None (plain)",
    "mcgip": "McGIP (gaze)",
    "gzpt": "GzPT (gaze)",
    "label": "Labels (upper bound)",
}
"""Where pairs come from, by name, as people write it."""
ENCODERS = (
    "resnet10", "resnet18", "resnet34", "resnet50", "resnet101",
    "convnext_tiny", "convnext_small", "convnext_base",
    "vit_mini_8", "vit_s_16", "vit_b_16", "vit_l_16",
    "vit_s_14", "vit_b_14", "vit_l_14",
)  # fmt: skip

# These do not change what is learnt, only where, how fast and under which name.
_NOT_HASHED = (
    "name", "device", "checkpoint_every", "keep_checkpoints", "workers", "compile", "compile_mode",
    "cuda_graph", "ddp", "deterministic", "tf32", "knn_every", "init", "onnx",
    "skip_broken", "unread_encoder",
)  # fmt: skip

# Settings that there were not always, with what stands for "as before": runs of then go on.
_SINCE: dict[str, Any] = {
    "softness": 0.0, "agreement": False, "path_weight": 1.0, "path_order": "gaze",
    "train_blocks": 0, "layer_decay": 1.0, "depth": "display", "window_jitter": 0.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Settings of one pre-training run.

    Attributes
    ----------
    name
        Part of the run folder's name; empty: method, pairs and encoder.
    method, pairs, encoder, recipe
        One of those that there are; any other encoder as torchvision:NAME or timm:NAME. Between a
        plain run (``pairs = "none"``) and a gaze run only the pair mask differs.
    measure, measure_parameters
        Gaze similarity and what is passed on to it; "auto": the measure that carries most on the
        cohort at hand, judged on its labels, else on what two readers share.
    threshold, positive_rate
        What makes two images a pair: similarity above `threshold`, or the share `positive_rate` of
        all pairs that are most alike; exactly one is set. The default is a rate of 5 %, because the
        papers' 0.95 of one measure lets through nearly all or hardly any pair of another measure
        or cohort, while 5 % always gives some 12 extra pairs in a batch of 32 at `drop` 0.5.
    neighbours, mutual
        Above 0: the pairs are those of each image with its most alike ones instead of those above a
        threshold; mutual: only where each is among the most alike of the other. A threshold lets
        images that were widely searched dominate; so each has about as many pairs as any other.
    softness, agreement
        Above 0: a pair's weight falls with its rank from 1 to 0 about the place where threshold or
        rate cut, over this share of as many pairs on either side, up to 1; whether pairs weigh less
        whose images' readers agree less, which needs images read by two. Both experimental: see
        docs/gaze-methods.md.
    unread_encoder
        File of an encoder, of a plain run on the same images: from its features gaze similarity is
        predicted for images that nobody read, which gives them pairs where it does better than
        chance; empty: they have none. Experimental: see docs/gaze-methods.md.
    drop
        GzPT: chance that an extra pair is left out of a step, 0 ≤ drop < 1.
    path_weight, path_order
        Of the method "trajectory": how much the guess of the next fixated patch counts beside
        BYOL's loss; and the order of fixations: "gaze", or the controls "shuffled" (the same places
        in another order) and "blocks" (random places).
    normalisation
        "batch": the mean over all positive pairs of a batch, as released; "anchor": the mean over
        anchors of the mean over each one's positives, as SupCon, so that an image with many
        positives counts no more than one with few.
    same_patient
        "negative": two images of one patient may be negatives of each other; "ignore": never.
    transductive, test_share
        Whether images of the split "test" take part; a run that says so carries it to its report.
        Share of the images (whole patients) that become "test" where no split is stored yet; None:
        0.2 for a study, 0 for a folder of images.
    in_channels, init
        Channels of the encoder, 3 or 1; file that its weights start from, empty: random.
    train_blocks, layer_decay
        For a start from `init`: how many of the encoder's last blocks (residual blocks or
        transformer layers) learn, 0 all, the others stay as the file has them; and what the rate of
        a block is multiplied by for each block from the heads on, 1 for none (0.65 to 0.9 is
        usual).
    size, aspect, batch, accumulate, epochs
        Height of a view in pixels and its width by height; images per step over all processes,
        steps whose gradients are summed before the optimiser's; passes over the cohort.
    flip
        Whether views may be mirrored; off where left and right carry meaning.
    crop
        "random" as the recipe has it; "ccrop": within the box that the encoder's own activation
        marks (contrastive crop, as the released baseline); "gaze": keeping what was looked at
        (FocusContrast).
    depth, window_jitter
        What views are cut from: "display", the 8-bit pictures by each image's own window; or
        "stored", the stored values (12 or 16 bits of a study's images), each view by a window of
        one of the image's readers. Then also how far a view's window is moved: by up to this share
        of its width, and as far of half its width from its centre. Both experimental: see
        docs/training.md.
    optimiser, lr, weight_decay, clip_grad
        "adamw", "sgd" or "lars"; learning rate after warm-up, falling to 0 along a cosine by step;
        largest norm of the gradient, 0 for no limit.
        The default rate suits random initialisation, unless recipe or method bring their own;
        fine-tuned starts want some 2e-5.
    warmup_epochs
        Epochs in which the rate rises. Unless given: 10, but a tenth of a run of fewer than 100
        epochs, since a short run would else spend most of its steps on a rate too low to learn by.
    momentum, momentum_schedule
        EMA of the target net and whether it rises to 1 along a cosine ("cosine"), stays
        ("constant") or stays at no more than 1 − 10 / optimiser steps ("fitted"). None and "": the
        method's own, 0.99 rising for BYOL and MoCo v3, 0.999 fitted for MoCo v2 (as released:
        "constant").
    temperature, queue
        Of the contrastive losses; None: the method's own, 0.2 (MoCo), 0.1 (SimCLR). Keys that
        MoCo v2 remembers.
    projector_hidden, projector_out, predictor_hidden
        Widths of the heads; 0 for the method's own.
    norm
        "batch", or "group" where batches are too small or processes too many for batch statistics;
        "split": MoCo v2 with a ResNet on one device, statistics of up to 8 parts of a batch, keys
        among other companions than their queries.
    early_stop
        Epochs without a better signal (online kNN, or RankMe without labels) until a run ends; 0
        never. Looks are then at most as many epochs apart; MoCo v2's count once its queue is full.
    device, precision, channels_last, workers
        "auto", "cpu" or "cuda"; "auto", "fp32", "bf16" or "fp16"; memory order of the nets;
        threads that make views ahead of the step.
    compile, compile_mode
        Whether torch compiles encoder and target, which takes a minute at the start; "default",
        "reduce-overhead" (CUDA graphs of its own) or "max-autotune-no-cudagraphs".
    cuda_graph
        Whether the gradient of a step is recorded once and replayed, where the step allows it: on
        CUDA, without other processes.
    ddp
        Whether a single process goes the way of several, to try it: groups (NCCL on a card),
        synchronised batch statistics, DistributedDataParallel.
    deterministic, tf32
        On CUDA: whether the same run gives the same weights bit for bit, at some speed; whether
        float32 products, of convolutions and of linear layers, may round to TF32.
    seed
        Of initialisation, order, views and dropped pairs.
    skip_broken
        Whether pictures that cannot be used (missing, damaged, no image) are left out and named in
        the run and its model card; else they are all named and nothing begins.
    knn_every
        Epochs between looks at the online kNN and RankMe; 0: some twenty times in a run.
    checkpoint_every
        Steps between checkpoints; 0: at the end of each epoch, once a minute at most.
    keep_checkpoints, onnx
        Whether a finished run keeps its older checkpoint too (some 200 MB each for ResNet-18);
        whether the encoder is written as ONNX too.
    """

    name: str = ""
    method: str = "byol"
    pairs: str = "gzpt"
    measure: str = "auto"
    measure_parameters: dict[str, Any] = field(default_factory=dict)
    threshold: float | None = None
    positive_rate: float | None = 0.05
    neighbours: int = 0
    mutual: bool = True
    softness: float = 0.0
    agreement: bool = False
    unread_encoder: str = ""
    drop: float = 0.5
    path_weight: float = 1.0
    path_order: str = "gaze"
    normalisation: str = "batch"
    same_patient: str = "negative"
    transductive: bool = False
    test_share: float | None = None
    encoder: str = "resnet18"
    in_channels: int = 3
    init: str = ""
    train_blocks: int = 0
    layer_decay: float = 1.0
    recipe: str = "radiograph"
    flip: bool = True
    crop: str = "random"
    depth: str = "display"
    window_jitter: float = 0.0
    size: int = 128
    aspect: float = 1.0
    batch: int = 32
    accumulate: int = 1
    epochs: int = 100
    optimiser: str = "adamw"
    lr: float = 3e-4
    weight_decay: float = 1e-6
    warmup_epochs: float | None = None
    clip_grad: float = 0.0
    momentum: float | None = None
    momentum_schedule: str = ""
    temperature: float | None = None
    queue: int = 1280
    projector_hidden: int = 0
    projector_out: int = 0
    predictor_hidden: int = 0
    norm: str = "batch"
    early_stop: int = 0
    device: str = "auto"
    precision: str = "auto"
    channels_last: bool = True
    compile: bool = False
    compile_mode: str = "default"
    cuda_graph: bool = False
    ddp: bool = False
    deterministic: bool = False
    tf32: bool = False
    workers: int = 1
    seed: int = 0
    skip_broken: bool = False
    knn_every: int = 0
    checkpoint_every: int = 0
    keep_checkpoints: bool = False
    onnx: bool = True

    def hash(self) -> str:
        """Return 16 hex digits of all that shapes the weights."""
        text = json.dumps(self.shaping(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def shaping(self) -> dict[str, Any]:
        """Return the fields that shape the weights, as JSON values."""
        values = {k: v for k, v in asdict(self).items() if k not in _NOT_HASHED}
        return {k: v for k, v in values.items() if k not in _SINCE or v != _SINCE[k]}

    @property
    def weighs_pairs(self) -> bool:
        """Whether pairs by gaze have weights, not yes and no."""
        return self.uses_gaze and (self.softness > 0 or self.agreement)

    @property
    def warmup(self) -> float:
        """Epochs of warm-up in force."""
        return min(10.0, self.epochs / 10) if self.warmup_epochs is None else self.warmup_epochs

    @property
    def view(self) -> tuple[int, int]:
        """Height and width of a view, pixels."""
        return self.size, round(self.size * self.aspect)

    @property
    def uses_gaze(self) -> bool:
        """Whether pairs come from gaze similarity."""
        return self.pairs in ("mcgip", "gzpt")

    @property
    def run_name(self) -> str:
        """The name that the run goes by."""
        encoder = re.sub(r"[^A-Za-z0-9_.-]", "-", self.encoder)
        return self.name or f"{self.method}-{self.pairs}-{encoder}"
