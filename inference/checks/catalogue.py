"""The checks of a service, in the order in which they run. A new one gets its line here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from detectors.probing.fingerprint import Fingerprinter
from detectors.topology.topology_limits import TopologyLimits
from inference.admission.access import Access
from inference.checks.base import Check
from inference.checks.champion import Champion, ChampionCheck
from inference.checks.crafted import CraftedCheck
from inference.checks.ensemble import EnsembleCheck
from inference.checks.faces import FacesCheck, sampling_key
from inference.checks.first_look import FirstLookCheck
from inference.checks.hidden_face import HiddenFaceCheck
from inference.checks.knowledge import Knowledge
from inference.checks.listed.check import ListedCheck
from inference.checks.listed.patches import PATCH_SEARCH
from inference.checks.listed.perturbations import PERTURBATION_SEARCH
from inference.checks.listed.pictures import ListedPicturesCheck
from inference.checks.measures import InputCheck, ModelCheck
from inference.checks.topology import TopologyCheck
from inference.checks.traffic import TrafficCheck
from inference.ensemble.budget import Budget, Budgets
from inference.metrics import Metrics
from inference.salt import fingerprint_salt
from inference.settings import ServiceSettings
from store.engine.database import Database

# Short: after a quiet minute a busy one must not begin with a minute's worth of learning.
_BUSY_BURST_SECONDS = 5.0


@dataclass(frozen=True)
class Parts:
    """What checks are made of.

    Attributes:
        is_quiet: whether an upload that came now would get a turn at once.
    """

    settings: ServiceSettings
    database: Database
    access: Access
    champion: Champion
    knowledge: Knowledge
    metrics: Metrics
    is_quiet: Callable[[], bool]

    def limits_of(self, digest: str) -> TopologyLimits:
        """The limits of the topology rules for a model's digest: as set, or else as learnt."""
        limits = self.knowledge.state_of(digest).limits
        return self.settings.topology.topology_limits(limits)

    def max_entropy_of(self, digest: str) -> float:
        """The entropy above which a model's parse is unsure: as learnt, or else as set."""
        policy = self.settings.looks.ensemble_policy()
        return policy.for_source(self.knowledge.state_of(digest)).max_entropy


def build_checks(parts: Parts) -> tuple[Check, ...]:
    """Build every check.

    Raises:
        SaltUnusable: there is no secret for fingerprints, and none can be made.
    """
    knowledge, looks = parts.knowledge, parts.settings.looks
    secret = fingerprint_salt(parts.settings)
    return (
        InputCheck(),
        ModelCheck(),
        TopologyCheck(parts.limits_of),
        FacesCheck(sampling_key(secret), parts.max_entropy_of),
        _build_traffic(parts, secret),
        ListedCheck(parts.access, PATCH_SEARCH),
        ListedCheck(parts.access, PERTURBATION_SEARCH),
        ListedPicturesCheck(parts.access),
        _build_first_look(parts),
        ChampionCheck(parts.champion),
        _build_ensemble(parts),
        CraftedCheck(knowledge.state_of, looks.false_positive_rate),
        HiddenFaceCheck(),
    )


def every_look(checks: Sequence[Check]) -> tuple[Check, ...]:
    """Checks that take every look at every request and call none crafted: to learn from."""
    return tuple(
        check.for_learning() if isinstance(check, FirstLookCheck | EnsembleCheck) else check
        for check in checks
        if not isinstance(check, CraftedCheck)
    )


def without_looks(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The checks that ask the segmenter nothing, and judge by nothing that only it could tell."""
    looks = (FirstLookCheck, EnsembleCheck, CraftedCheck)
    return tuple(check for check in checks if not isinstance(check, looks))


def _build_traffic(parts: Parts, secret: bytes) -> TrafficCheck:
    settings = parts.settings
    return TrafficCheck(
        parts.database,
        Fingerprinter(secret),
        settings.probing.probing_limits(),
        timedelta(hours=settings.retention.fingerprint_hours),
    )


def _build_first_look(parts: Parts) -> FirstLookCheck:
    knowledge = parts.knowledge
    is_on = parts.settings.looks.first_look
    return FirstLookCheck(knowledge.state_of, knowledge.is_sampled, knowledge.draws, is_on=is_on)


def _build_ensemble(parts: Parts) -> EnsembleCheck:
    """The ensemble, with its share of the time of all turns."""
    settings, turns = parts.settings, parts.settings.admission.max_concurrency
    return EnsembleCheck(
        recipe=settings.ensemble_recipe(),
        policy=settings.looks.ensemble_policy(),
        budgets=Budgets(
            Budget(settings.looks.ensemble_budget * turns),
            Budget(settings.looks.ensemble_busy_budget * turns, _BUSY_BURST_SECONDS),
            parts.is_quiet,
        ),
        metrics=parts.metrics,
        state_of=parts.knowledge.state_of,
        is_sampled=parts.knowledge.is_sampled,
        draws=parts.knowledge.draws,
        max_ms=settings.looks.ensemble_max_ms,
    )
