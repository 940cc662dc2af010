"""One check for all that is listed of pictures and has to be looked for in each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from detectors.findings import Finding, Place, Rule, Severity
from detectors.parsing import Image
from inference.admission.access import Access
from inference.checks.base import Case, CheckResult, Needs
from store.decisions.access_list import AccessList
from store.decisions.pictures.listings import Listed

Subject = TypeVar("Subject")
Matcher = TypeVar("Matcher")


@dataclass(frozen=True)
class Sight:
    """How clearly a picture shows something.

    Attributes:
        value: in the unit of the limits of what is listed.
        place: in the picture's pixels; ``None`` for what is everywhere.
    """

    value: float
    place: Place | None = None


@dataclass(frozen=True)
class Search(Generic[Subject, Matcher]):
    """How one kind of thing is looked for.

    Attributes:
        name: of the check.
        rule: of pictures that show one that is blocked; one that is simulated only flags.
        measure: what the value of a sight is called in the evidence, which has it to ``digits``.
        select: those on the list.
        build: what looks for one; made once for many pictures.
        look: a sight for each matcher.
    """

    name: str
    rule: Rule
    measure: str
    digits: int
    select: Callable[[AccessList], tuple[Listed[Subject], ...]]
    build: Callable[[Subject], Matcher]
    look: Callable[[Image, Sequence[Matcher]], Sequence[Sight]]


class ListedCheck(Generic[Subject, Matcher]):
    """Finds what is listed; costs nothing while the list is empty."""

    needs = Needs.REQUEST

    def __init__(self, access: Access, search: Search[Subject, Matcher]) -> None:
        self.name = search.name
        self._access = access
        self._search = search
        self._listed: tuple[Listed[Subject], ...] = ()
        self._matchers: tuple[tuple[Listed[Subject], Matcher], ...] = ()

    def run(self, case: Case) -> CheckResult:
        """One finding if the picture shows something that is listed.

        A simulated block, or an allow for the sender or the exact picture, makes it a flag.
        """
        arrival = case.arrival
        shown = self._find(arrival.received_at, case.image)
        if not shown:
            return CheckResult()
        is_allowed = self._access.current.is_allowed(
            arrival.received_at, arrival.names, case.upload.sha256
        )
        is_enforced = not is_allowed and any(not listed.simulated for listed, _ in shown)
        return CheckResult(findings=(self._finding(shown, is_enforced=is_enforced),))

    def _find(self, now: datetime, image: Image) -> list[tuple[Listed[Subject], Sight]]:
        """What a picture shows, the clearest first."""
        current = [each for each in self._fresh() if each[0].until > now]
        if not current:
            return []
        sights = self._search.look(image, [matcher for _, matcher in current])
        pairs = zip((listed for listed, _ in current), sights, strict=True)
        shown = [(listed, sight) for listed, sight in pairs if sight.value >= listed.limit]
        return sorted(shown, key=lambda each: each[1].value, reverse=True)

    def _fresh(self) -> tuple[tuple[Listed[Subject], Matcher], ...]:
        listed = self._search.select(self._access.current)
        if listed is not self._listed:
            matchers = tuple((each, self._search.build(each.subject)) for each in listed)
            self._listed, self._matchers = listed, matchers
        return self._matchers

    def _finding(
        self, shown: Sequence[tuple[Listed[Subject], Sight]], *, is_enforced: bool
    ) -> Finding:
        search, (first, clearest) = self._search, shown[0]
        evidence = {
            search.measure: round(clearest.value, search.digits),
            "limit": first.limit,
            "decision": float(first.decision_id),
        }
        places = tuple(sight.place for _, sight in shown if sight.place is not None)
        rule = search.rule if is_enforced else replace(search.rule, severity=Severity.SUSPECT)
        return Finding(rule, evidence, places)
