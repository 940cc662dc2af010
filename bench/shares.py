"""Shares of counts, and how sure they are."""

from dataclasses import dataclass
from math import sqrt

_Z = 1.96


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """0 of nothing."""
        return self.part / self.whole if self.whole else 0.0

    @property
    def bounds(self) -> tuple[float, float]:
        """The interval of 95 per cent (Wilson, JASA 1927); of nothing, all there is."""
        if not self.whole:
            return 0.0, 1.0
        n, share = self.whole, self.value
        middle = share + _Z**2 / (2 * n)
        reach = _Z * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
        low, high = (end / (1 + _Z**2 / n) for end in (middle - reach, middle + reach))
        # Rounding leaves a bit beyond the ends.
        return max(0.0, low), min(1.0, high)
