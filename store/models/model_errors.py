"""The error of a model that cannot be loaded."""

from detectors.errors import MaskwatchError


class ModelError(MaskwatchError):
    """A model file that is missing, damaged or not the one that is needed."""
