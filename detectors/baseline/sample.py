"""The sample that a source is learnt from: who sent what, and how much of it counts."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from detectors.baseline.networks import network_of_client


@dataclass(frozen=True)
class SampleRow:
    """One sampled request.

    Attributes:
        family: what its near-duplicates share.
        features: what was measured, by name.
    """

    client: str
    family: str
    features: Mapping[str, float]

    @property
    def extremes(self) -> dict[str, float]:
        """How near it comes to each limit of the topology rules; empty without a person."""
        values = {limit: self.features.get(name) for limit, name in _EXTREMES.items()}
        return {limit: value for limit, value in values.items() if value is not None}


# Limit of a topology rule, and the feature that says how near a picture comes to it.
_EXTREMES = {
    "min_skin_share": "worst_skin_share",
    "max_trousers_gap": "worst_trousers_gap",
    "min_hair_share": "worst_faceless_hair",
}


def name_extremes(extremes: Mapping[str, float]) -> dict[str, float]:
    """Extremes of a scene as features, from those by limit."""
    return {_EXTREMES[limit]: value for limit, value in extremes.items()}


@dataclass(frozen=True)
class Caps:
    """How many pictures count at most."""

    per_client: int
    per_network: int
    per_family: int


def cap_rows(rows: Iterable[SampleRow], caps: Caps) -> list[SampleRow]:
    """The first rows of each client, network and family."""
    clients: Counter[str] = Counter()
    networks: Counter[str] = Counter()
    families: Counter[str] = Counter()
    kept = []
    for row in rows:
        network = network_of_client(row.client)
        if (
            clients[row.client] < caps.per_client
            and networks[network] < caps.per_network
            and families[row.family] < caps.per_family
        ):
            clients[row.client] += 1
            networks[network] += 1
            families[row.family] += 1
            kept.append(row)
    return kept
