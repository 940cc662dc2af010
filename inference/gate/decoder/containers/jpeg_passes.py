"""What the scans of a JPEG picture have brought, and what is missing where its end is."""

from dataclasses import dataclass, field

_SCAN = 0xDA
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_COEFFICIENTS = 64
_ALL = (1 << _COEFFICIENTS) - 1


@dataclass
class Passes:
    """Which coefficients of which components came in full precision.

    Attributes:
        number: scans so far.
        components: a bit for each coefficient, by component.
    """

    number: int = 0
    components: dict[int, int] = field(default_factory=dict)
    is_progressive: bool = False

    def note(self, marker: int, segment: bytes) -> None:
        """Read the header of a frame or of a scan."""
        if marker in _FRAMES and len(segment) > 5:
            self.is_progressive = marker in _PROGRESSIVE
            self.components = dict.fromkeys(segment[6 : 6 + 3 * segment[5] : 3], 0)
        elif marker == _SCAN:
            self.number += 1
            self._note_scan(segment)

    def are_all_there(self) -> bool:
        """Whether no scan is missing that later ones would have brought."""
        return all(bits == _ALL for bits in self.components.values())

    def _note_scan(self, segment: bytes) -> None:
        count = segment[0] if segment else 0
        bits = self._read_selection(segment[1 + 2 * count : 4 + 2 * count])
        for component in segment[1 : 1 + 2 * count : 2]:
            self.components[component] = self.components.get(component, 0) | bits

    def _read_selection(self, selection: bytes) -> int:
        """First and last coefficient, and by how many bits they are shifted."""
        if not self.is_progressive:
            return _ALL
        first, last, shift = (selection + bytes(3))[:3]
        if shift & 15 or not first <= last < _COEFFICIENTS:
            return 0
        return (1 << last + 1) - (1 << first)
