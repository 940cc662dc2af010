"""How long an upload waits for its turn."""

from collections.abc import Hashable

# Some twenty turns are remembered; one long turn among short ones shows at once.
_WEIGHT_OF_A_TURN = 0.05


class Patience:
    """As long as the turn that somebody who comes finds under way, within bounds.

    Somebody who comes falls into a long turn more often than into a short one, in proportion to its
    length. So the length that is found is on average the mean square over the mean (the inspection
    paradox of renewal theory), and not the mean: a few long turns keep others from being refused
    while they last, however many short ones there are. Both means are exponentially weighted. A
    turn under way that has lasted longer than that is expected to last as long again.

    Whoever waits that long sees a turn end, as a rule. Waiting longer would serve nobody more in a
    flood, whose queue never empties, and everybody later. Times are monotonic, in seconds.
    """

    def __init__(self, least: float, most: float) -> None:
        """Seconds that patience keeps within; ``most`` wins."""
        self._least, self._most = least, most
        self._mean = self._mean_square = 0.0
        self._began_at: dict[Hashable, float] = {}

    def seconds(self, now: float) -> float:
        """What somebody who comes now may wait; the most before a turn has ended."""
        if not self._mean_square:
            return self._most
        oldest = next(iter(self._began_at.values()), now)
        return min(self._most, max(self._least, self._mean_square / self._mean, now - oldest))

    def begin(self, turn: Hashable, now: float) -> None:
        """A turn begins."""
        self._began_at[turn] = now

    def end(self, turn: Hashable, now: float) -> None:
        """A turn ends that has begun."""
        seconds = now - self._began_at.pop(turn)
        weight = _WEIGHT_OF_A_TURN if self._mean_square else 1.0
        self._mean += weight * (seconds - self._mean)
        self._mean_square += weight * (seconds**2 - self._mean_square)
