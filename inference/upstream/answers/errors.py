"""The error of an answer that cannot be read."""

from detectors.errors import MaskwatchError


class AnswerUnreadable(MaskwatchError):
    """Says in one sentence what of an upstream's answer is not as its preset says."""
