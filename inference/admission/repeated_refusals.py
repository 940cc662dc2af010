"""Which refusals are the same again, so that a flood does not become a flood of records."""

from collections import OrderedDict
from collections.abc import Iterator

from inference.refusals import Refusal
from inference.upload import Arrival
from store.requests.client_names import network_of
from store.requests.records import Stage

_MAX_IN_A_WINDOW = 256


class RepeatedRefusals:
    """Remembers which refusals at admission were recorded within the last window.

    At most ``most`` are remembered, and none is forgotten before its window ends. While there is no
    room, every refusal at admission counts as a repeat: whoever comes under ever new names cannot
    cause more than ``most`` records a window.
    """

    def __init__(self, window_seconds: float, most: int = _MAX_IN_A_WINDOW) -> None:
        self._window_seconds = window_seconds
        self._most = most
        self._recorded_at: OrderedDict[tuple[str, str], float] = OrderedDict()

    def is_repeat(self, arrival: Arrival, refusal: Refusal, now: float) -> bool:
        """Whether a refusal needs no record of its own; if it does, it is taken as recorded.

        Args:
            now: monotonic time in seconds.
        """
        if refusal.stage is not Stage.ADMISSION or not self._window_seconds:
            return False
        for over in list(self._over(now)):
            del self._recorded_at[over]
        key = (network_of(arrival.client), refusal.code)
        if key in self._recorded_at or len(self._recorded_at) >= self._most:
            return True
        self._recorded_at[key] = now
        return False

    def _over(self, now: float) -> Iterator[tuple[str, str]]:
        """What was recorded before the window; entries stand in the order of their times."""
        for key, recorded_at in self._recorded_at.items():
            if now - recorded_at < self._window_seconds:
                return
            yield key
