"""What alerts about things that a job listed lately have in common."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from detectors.findings import Rule
from store.alert_rules.rule import Judgement, Surroundings
from store.alerts.alerts import WARNING, Condition
from store.decisions.pictures.listings import Listing, NewListing
from store.phrases import phrase_count

_WINDOW_HOURS = 24
_MAX_EXAMPLES = 5


@dataclass(frozen=True)
class ListingWatch:
    """Things of one kind that were put on the blacklist lately and stand there still.

    Attributes:
        code: of the alert rule.
        noun: the word for one of them.
        finding: what pictures that show it are found to be.
        describe: what it means that so many recur in so many flagged pictures.
    """

    code: str
    noun: str
    listing: Listing[Any]
    finding: Rule
    describe: Callable[[str, str], str]

    def look(self, around: Surroundings) -> Judgement:
        """Judge those of the last 24 hours."""
        since = around.now - timedelta(hours=_WINDOW_HOURS)
        return lambda session: self._conditions(session, since)

    def _conditions(self, session: Session, since: datetime) -> Iterator[Condition]:
        listed = self.listing.read_new(session, since)
        pictures = _list_pictures(listed)
        yield Condition(
            fingerprint=self.code,
            rule=self.code,
            severity=WARNING,
            active=bool(listed),
            value=float(len(listed)),
            threshold=0.0,
            summary=self._summarise(len(listed), len(pictures)),
            atlas=self.finding.atlas,
            owasp=self.finding.owasp,
            evidence={
                "decisions": [each.decision_id for each in listed],
                "simulated": any(each.simulated for each in listed),
                "request_ids": pictures[:_MAX_EXAMPLES],
            },
        )

    def _summarise(self, listed: int, pictures: int) -> str:
        if not listed:
            return f"No {self.noun} was put on the blacklist in {_WINDOW_HOURS} hours."
        verb = "recurs" if listed == 1 else "recur"
        return self.describe(
            f"{phrase_count(listed, self.noun)} {verb}", phrase_count(pictures, "flagged picture")
        )


def _list_pictures(listed: Sequence[NewListing]) -> list[str]:
    """The flagged requests whose pictures show one of them, each once."""
    return list(dict.fromkeys(name for each in listed for name in each.request_ids))
