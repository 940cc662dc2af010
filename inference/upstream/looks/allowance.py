"""What looks may use of something, in proportion to what the clients use of it."""


class Allowance:
    """Is earned as clients use something, and spent by looks; its owner sees to threads.

    Whoever finds enough in it may spend what is needed, also more than is left: then nothing may
    be spent until the debt is paid. So for long no more than was earned is spent.

    >>> allowance = Allowance(rate=0.25, most=60)
    >>> allowance.earn(8); allowance.spend(2.5); allowance.has_any
    False
    >>> allowance.earn(4); allowance.has_any, allowance.has(2.5)
    (True, False)
    >>> allowance.earn(8); allowance.has(2.5)
    True

    Args:
        rate: what looks earn for each unit that clients use.
        most: what is saved up at most.
    """

    def __init__(self, rate: float, most: float) -> None:
        self._rate = rate
        self._most = most
        self._left = 0.0

    @property
    def has_any(self) -> bool:
        """Whether something may be spent."""
        return self._left > 0

    def has(self, expected: float) -> bool:
        """Whether so much may be spent, or all that can be saved up if that is less."""
        return self.has_any and self._left >= min(expected, self._most)

    def earn(self, used: float) -> None:
        """Count what clients have used."""
        self._left = min(self._most, self._left + self._rate * used)

    def spend(self, used: float) -> None:
        """Count what looks have used."""
        self._left -= used
