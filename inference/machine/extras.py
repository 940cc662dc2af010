"""Packages that only some of the service's parts need, and that a base install leaves out."""

from collections.abc import Sequence
from importlib.util import find_spec

from detectors.errors import MaskwatchError


class ExtraMissing(MaskwatchError):
    """A part was asked for whose packages are not installed."""


def require_extra(extra: str, part: str, modules: Sequence[str]) -> None:
    """Stop before a part is imported that cannot work.

    Args:
        extra: of this package, that brings the modules.
        part: what needs them, as the beginning of a sentence.

    Raises:
        ExtraMissing: at least one of the modules is not installed.
    """
    missing_modules = [module for module in modules if find_spec(module) is None]
    if missing_modules:
        raise ExtraMissing(
            f"{part} needs {', '.join(missing_modules)}, and this installation is without: run "
            f"`pip install 'maskwatch[{extra}]'`."
        )
