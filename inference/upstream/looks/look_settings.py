"""Settings of further looks at an upstream."""

from pydantic import Field

from inference.upstream.looks.look_gate import LookLimits
from store.configuration.groups import Group


class UpstreamLooksGroup(Group):
    """How much an upstream is asked again, with changed pictures, beside what its clients ask."""

    upstream_looks: bool = True
    """Ask the upstream again with changed pictures. Without it no picture is called crafted."""

    upstream_look_share: float = Field(0.1, ge=0, le=1, allow_inf_nan=False)
    """Share of the pictures that are looked at whatever they hold, drawn by their bytes."""

    upstream_odd_look_share: float = Field(0.1, ge=0, lt=1, allow_inf_nan=False)
    """Largest share of the pictures that are looked at because something about them is odd, once
    it is learnt what is usual."""

    upstream_look_budget: float = Field(0.2, ge=0, lt=1, allow_inf_nan=False)
    """Share of the upstream's time that looks may take for long: their seconds, over theirs and
    those of the clients' pictures."""

    max_upstream_looks: int = Field(1, ge=1, le=16)
    """Pictures that are looked at at the same time; each is asked about with one request after the
    other."""

    upstream_look_seconds: float = Field(10, gt=0, le=600, allow_inf_nan=False)
    """How long the upstream may take for one look; then it is given up."""

    upstream_look_credentials: bool = False
    """Send the client's cookies, tokens and other headers with the looks at its pictures, for an
    upstream that answers nobody without them."""

    def look_limits(self) -> LookLimits:
        """How much of the upstream looks may take."""
        return LookLimits(
            self.max_upstream_looks, self.upstream_odd_look_share, self.upstream_look_budget
        )
