"""Looks for the patches of the blacklist in each picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from detectors.findings import Finding, Place, Severity
from detectors.parsing import Image
from detectors.patches.patch_match import Match, PatchMatcher
from detectors.rule_book import BLOCKED_PATCH
from inference.admission.access import Access
from inference.checks.base import Case, CheckResult, Needs
from inference.recording.picture_keeper import MAX_SIDE, limit_size
from store.decisions.pictures.listed_patches import ListedPatch

_SIMULATED = replace(BLOCKED_PATCH, severity=Severity.SUSPECT)


@dataclass(frozen=True, eq=False)
class _Matchers:
    """A matcher for each patch of one state of the list."""

    patches: tuple[ListedPatch, ...] = ()
    by_decision: Mapping[int, PatchMatcher] = field(default_factory=dict)


class ListedPatchesCheck:
    """Finds listed patches; costs nothing while the list is empty.

    Pictures are looked at in the size in which they are kept: there the patches come from.
    """

    name = "listed_patches"
    needs = Needs.REQUEST

    def __init__(self, access: Access) -> None:
        self._access = access
        self._matchers = _Matchers()

    def run(self, case: Case) -> CheckResult:
        """One finding if the picture shows listed patches.

        A simulated block, or an allow for the sender or the exact picture, makes it a flag.
        """
        arrival = case.arrival
        matches = self._find_patches(arrival.received_at, case.image)
        if not matches:
            return CheckResult()
        is_allowed = self._access.current.is_allowed(
            arrival.received_at, arrival.names, case.upload.sha256
        )
        return CheckResult(findings=(_finding(matches, is_allowed=is_allowed),))

    def _find_patches(self, now: datetime, image: Image) -> list[tuple[ListedPatch, Match]]:
        """Listed patches that a picture shows, the clearest first."""
        matchers = self._fresh()
        if not matchers.patches:
            return []
        small = limit_size(image, MAX_SIDE)
        candidates = [
            (patch, matchers.by_decision[patch.decision_id].look(small))
            for patch in matchers.patches
            if patch.until > now
        ]
        scale = image.shape[0] / small.shape[0], image.shape[1] / small.shape[1]
        matches = [
            (patch, replace(match, place=_scale(match.place, *scale)))
            for patch, match in candidates
            if match.correlation >= patch.limit
        ]
        return sorted(matches, key=lambda each: each[1].correlation, reverse=True)

    def _fresh(self) -> _Matchers:
        patches = self._access.current.patches
        if patches is not self._matchers.patches:
            matchers = {each.decision_id: PatchMatcher(each.patch) for each in patches}
            self._matchers = _Matchers(patches, matchers)
        return self._matchers


def _scale(place: Place, down: float, across: float) -> Place:
    left, right = round(place.left * across), round(place.right * across)
    return Place(left, round(place.top * down), right, round(place.bottom * down))


def _finding(matches: Sequence[tuple[ListedPatch, Match]], *, is_allowed: bool) -> Finding:
    is_enforced = not is_allowed and any(not patch.simulated for patch, _ in matches)
    first, match = matches[0]
    evidence = {
        "correlation": round(match.correlation, 3),
        "limit": first.limit,
        "decision": float(first.decision_id),
    }
    places = tuple(match.place for _, match in matches)
    return Finding(BLOCKED_PATCH if is_enforced else _SIMULATED, evidence, places)
