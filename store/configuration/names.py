"""How settings are called, and the error of those that Maskwatch cannot work with."""

from detectors.errors import MaskwatchError

PREFIX = "MASKWATCH_"
CONFIG_VARIABLE = PREFIX + "CONFIG"
"""Names the TOML file with settings; it is no setting itself."""
FILE_SUFFIX = "_file"
"""Ends the name under which the file of a secret is given instead of the secret."""


class SettingsError(MaskwatchError):
    """Settings that Maskwatch cannot work with: one sentence for each problem, the first shown.

    None of them holds the value of a secret.
    """

    def __init__(self, first: str, *more: str) -> None:
        super().__init__(first)
        self.sentences = (first, *more)
