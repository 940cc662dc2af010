"""Reasons: why a person changes something, for whoever reads the audit later."""

from detectors.errors import MaskwatchError

MAX_REASON_LENGTH = 500


class ReasonError(MaskwatchError):
    """A reason that says nothing, or that cannot be kept."""


def read_reason(typed: str) -> str:
    r"""A reason as it is kept.

    >>> read_reason(" A mistake.\n")
    'A mistake.'

    Raises:
        ReasonError: there is none, it is longer than anybody reads, or not every database keeps it.
    """
    reason = typed.strip()
    if not reason:
        raise ReasonError("Say why, for whoever reads this later.")
    if len(reason) > MAX_REASON_LENGTH:
        raise ReasonError(
            f"The reason has {len(reason)} characters: write at most {MAX_REASON_LENGTH}."
        )
    if any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in reason):
        raise ReasonError("The reason has characters that are no text: write it in UTF-8.")
    return reason
