"""Says when an upstream is slower than usual."""

_USUAL_WEIGHT = 0.02
_RECENT_WEIGHT = 0.3
# So many times the usual seconds and so many more are slow.
_SLOW_TIMES, _SLOW_SECONDS = 2.0, 0.1


class Pace:
    """How long clients wait for answers: usually, and lately; its owner sees to threads.

    What is usual follows slowly, so that an upstream which is slower for good is not slow for ever.

    >>> pace = Pace()
    >>> for seconds in (1, 1, 1, 1, 1): pace.note(seconds)
    >>> pace.is_slow, [pace.note(9), pace.note(9)], pace.is_slow
    (False, [None, None], True)
    """

    def __init__(self) -> None:
        self._answers = 0
        self._usual = self._lately = 0.0

    @property
    def is_slow(self) -> bool:
        """Whether its last answers took much longer than usual."""
        return self._lately > _SLOW_TIMES * self._usual + _SLOW_SECONDS

    def note(self, seconds: float) -> None:
        """Count an answer."""
        self._answers += 1
        # A plain mean at first, for there is nothing yet that would be usual.
        self._usual += max(_USUAL_WEIGHT, 1 / self._answers) * (seconds - self._usual)
        self._lately += max(_RECENT_WEIGHT, 1 / self._answers) * (seconds - self._lately)
