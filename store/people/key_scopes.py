"""What an API key is good for; imports nothing, since the command line reads it."""

from enum import StrEnum


class KeyScope(StrEnum):
    """What a key is good for."""

    PARSE = "parse"
    OBSERVE = "observe"
    METRICS = "metrics"
    DECISIONS = "decisions"


DEFAULT_SCOPES = frozenset({KeyScope.PARSE})
