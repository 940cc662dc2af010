"""What a network answered, checked: an output that is not as described is never read otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.segmenters.described.description import Description, OutputForm
from inference.supply.errors import ModelError

Floats = npt.NDArray[np.float32]
# Rounding of a network's own softmax.
_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Heads:
    """Outputs as they are described, not yet activated.

    Attributes:
        labels: ``(C, h, w)``.
        person: ``(h', w')``; ``None`` if no output is for the person.
    """

    labels: Floats
    person: Floats | None


def read_heads(values: Sequence[Any], description: Description) -> Heads:
    """Take apart what a network answered for one picture.

    Args:
        values: of the outputs, in the order of the description.

    Raises:
        ModelError: an output has another shape, or values that do not fit.
    """
    labels: Floats | None = None
    person: Floats | None = None
    for output, array in zip(description.outputs, values, strict=True):
        if output.holds == "labels":
            labels = _read_output(np.asarray(array), output, description.channel_count)
        else:
            (person,) = _read_output(np.asarray(array), output, 1)
    if labels is None:
        raise ValueError("a description without an output for labels")
    if description.label_output.values == "labels":
        _check_indices(labels, description)
    return Heads(labels, person)


def count_channels(count: int) -> str:
    """A number of channels in words."""
    return f"{count} channel{'' if count == 1 else 's'}"


def _read_output(array: npt.NDArray[Any], output: OutputForm, channels: int) -> Floats:
    planes = _order_axes(array, output.layout)
    if planes is None or planes.shape[0] != channels or 0 in planes.shape:
        raise ModelError(
            f"The output {output.name} has the shape {array.shape}: as {output.layout} and by the "
            f"labels it should have {count_channels(channels)}."
        )
    values = np.ascontiguousarray(planes, dtype=np.float32)
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ModelError(f"The output {output.name} has values that are no finite numbers.")
    is_share = output.values in ("probabilities", "alpha")
    if is_share and (low < -_TOLERANCE or high > 1 + _TOLERANCE):
        raise ModelError(
            f"The output {output.name} has values from {low:.3g} to {high:.3g}, and "
            f"{output.values} lie between 0 and 1: are they logits?"
        )
    return np.clip(values, 0, 1) if is_share else values


def _order_axes(array: npt.NDArray[Any], layout: str) -> npt.NDArray[Any] | None:
    """Planes ``(C, h, w)`` of a batch of one; ``None`` if there are other axes."""
    if array.ndim != len(layout) or array.shape[0] != 1:
        return None
    if layout == "nhw":
        return array
    planes: npt.NDArray[Any] = array[0]
    return planes if layout == "nchw" else planes.transpose(2, 0, 1)


def _check_indices(labels: Floats, description: Description) -> None:
    last = len(description.labels.names) - 1
    if labels.min() < 0 or labels.max() > last or (labels != np.floor(labels)).any():
        raise ModelError(
            f"The output {description.label_output.name} has values that are no labels: those are "
            f"whole numbers from 0 to {last}."
        )
