"""The error of a model that cannot be loaded: that of the store, where signatures are read."""

from store.models.model_errors import ModelError

__all__ = ["ModelError"]
