"""How the settings of a run are told apart in a form: groups in order, each explained in a line."""

from dataclasses import dataclass

OTHER = "more"


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that belong together; `title` and `help` are what a person reads."""

    key: str
    title: str
    help: str
    fields: tuple[str, ...]


GROUPS = (
    Group(
        "pairs", "Which images are pairs",
        "How gaze similarity becomes positive pairs.",
        ("pairs", "measure", "measure_parameters", "threshold", "positive_rate", "neighbours",
         "mutual", "drop", "normalisation", "same_patient"),
    ),
    Group(
        "cohort", "Images and split",
        "Which images take part, and which are held out for testing.",
        ("transductive", "test_share", "skip_broken"),
    ),
    Group(
        "views", "Recipe and views",
        "How an image is changed before the encoder sees it.",
        ("recipe", "size", "aspect", "flip", "crop"),
    ),
    Group(
        "encoder", "Encoder",
        "The network that is trained, and its initial weights.",
        ("encoder", "in_channels", "init", "train_blocks", "layer_decay", "norm"),
    ),
    Group(
        "method", "Method",
        "Details of the learning method. Left empty, the method's own values apply.",
        ("method", "momentum", "momentum_schedule", "temperature", "queue", "projector_hidden",
         "projector_out", "predictor_hidden"),
    ),
    Group(
        "optimiser", "Optimiser",
        "How fast and how long the network learns.",
        ("epochs", "batch", "accumulate", "optimiser", "lr", "weight_decay", "warmup_epochs",
         "clip_grad", "early_stop"),
    ),
    Group(
        "speed", "Hardware and speed",
        "Where the training runs. These do not change what is learned.",
        ("device", "precision", "channels_last", "workers", "compile", "compile_mode",
         "cuda_graph", "ddp", "deterministic", "tf32"),
    ),
    Group(
        "run", "Name, seed and files",
        "What the run is called and what it keeps.",
        ("name", "seed", "knn_every", "checkpoint_every", "keep_checkpoints", "onnx"),
    ),
    Group(
        "experimental", "Experimental: more from gaze",
        "Off by default. docs/gaze-methods.md shows how much each of them helped.",
        ("softness", "agreement", "unread_encoder", "path_weight", "path_order",
         "depth", "window_jitter"),
    ),
    Group(OTHER, "More", "Settings of other kinds.", ()),
)  # fmt: skip


def group_of(field: str) -> str:
    """Return the key of a setting's group; `OTHER` for one that no group names."""
    return next((group.key for group in GROUPS if field in group.fields), OTHER)
