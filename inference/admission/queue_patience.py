"""How long an upload waits for its turn."""

from math import inf

# A flood refuses somebody many times a second; a burst does it once.
_REMEMBERED_SECONDS = 1.0
_SHARE_IN_A_FLOOD = 0.1


class WaitingTime:
    """Long as a rule, short in a flood.

    A burst of honest uploads is over soon: each of them may wait. In a flood the queue never
    empties, so that a long wait would serve nobody more and everybody later. Whoever is refused is
    the sign of it: from then on, until nobody was refused for a second, waiting takes a tenth.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._refused_at = -inf

    def seconds(self, now: float) -> float:
        """What somebody who comes now may wait; ``now`` is monotonic, in seconds."""
        in_a_flood = now - self._refused_at < _REMEMBERED_SECONDS
        return self._seconds * (_SHARE_IN_A_FLOOD if in_a_flood else 1)

    def refused(self, now: float) -> None:
        """Somebody found no place or no turn."""
        self._refused_at = now
