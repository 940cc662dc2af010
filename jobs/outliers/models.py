"""Where the jobs keep outlier models, and whose they read."""

from jobs.context import JobContext
from store.models.outlier_models import OutlierModelStore


def open_models(context: JobContext) -> OutlierModelStore:
    """The archives; with keys in the settings, those that one of them signed."""
    settings = context.settings
    return OutlierModelStore(settings.store.var_dir, settings.outliers.outlier_model_keys)
