"""What the page says about readings to learn from, finished runs and stopped ones."""

from app.ui.text import tr, trn


def waiting(readings: int) -> str:
    """Return what there is to learn from."""
    if not readings:
        return tr("No finished readings yet. Read some cases, then come back.")
    return trn(
        "There is {count} finished reading to learn from. Press Pretrain.",
        "There are {count} finished readings to learn from. Press Pretrain.",
        readings,
    )


def trained(images: int, positive_rate: float | None) -> str:
    """Return the results of a training."""
    said = trn("✓ Trained on {count} image.", "✓ Trained on {count} images.", images)
    if positive_rate is None:
        return said
    return f"{said} " + tr("{rate} of the pairs were positive.", rate=f"{positive_rate:.1%}")


def continued(*, is_sweep: bool, is_kept: bool) -> str:
    """Return what happens to a stopped training."""
    if is_sweep:
        return tr("Compare again with the same settings to continue.")
    if is_kept:
        return tr("A checkpoint was saved. Press Pretrain with the same settings to continue.")
    return tr("The training ended before a checkpoint could be saved.")
