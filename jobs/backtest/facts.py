"""What a back-test cannot know, or took as it was: each in a sentence."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isnan

from sqlalchemy.orm import Session

from detectors.evidence.kinds import EvidenceKind
from jobs.backtest.trial import Stretch
from jobs.backtest.tried_rules import REPLAYABLE, name_feature
from store.counts.periods import Resolution
from store.counts.roll_ups import KEEP_TIMES
from store.decisions.past.past_clients import count_turned_away_between
from store.decisions.past.past_decisions import count_by_people
from store.phrases import phrase_count
from store.requests.past_requests import PastRequest, find_oldest
from store.requests.records import Stage

_BLOCKED = "blocked"
_TIME = "%Y-%m-%d %H:%M UTC"


@dataclass(eq=False)
class Facts:
    """What came up on the way.

    Attributes:
        now: when the back-test is made.
        rules: codes of the rules that are tried.
        is_promised: whether a tried model promises its false-discovery rate.
        refused: requests that were refused then because their clients were blocked, each recorded;
            ``turned_away``: those that were only counted, as ``floods`` were.
        usual_blocks: blocks that the policy in force makes of what was recorded.
        recorded_blocks: blocks that were recorded; ``other_blocks``: of networks and of patterns.
        oldest: when the oldest record was stored; ``None`` without any.
    """

    now: datetime
    rules: tuple[str, ...] = ()
    is_promised: bool = True
    requests: int = 0
    parsed: int = 0
    measured: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    turned_away: int = 0
    floods: int = 0
    usual_blocks: int = 0
    recorded_blocks: int = 0
    other_blocks: int = 0
    by_people: int = 0
    oldest: datetime | None = None

    def count_request(self, request: PastRequest) -> None:
        """Come by a request that was recorded."""
        self.requests += 1
        self.refused += _BLOCKED in request.codes
        if request.stage is Stage.PARSED:
            self.parsed += 1
            self.measured.update(_list_measured(request.features))

    def read(self, session: Session, stretch: Stretch) -> None:
        """Read what the store knows beside the requests."""
        self.oldest = find_oldest(session)
        self.by_people = count_by_people(session, stretch.since, stretch.until)
        self.floods, self.turned_away = (
            count_turned_away_between(session, kind, stretch.since, stretch.until)
            for kind in (EvidenceKind.FLOOD, EvidenceKind.NO_ENTRY)
        )

    def list_sentences(self, stretch: Stretch) -> Iterator[str]:
        """What whoever reads the numbers has to know, the most telling first."""
        yield from self._say_what_is_missing(stretch)
        yield from self._say_measured()
        if not self.is_promised:
            yield (
                "The model has too few vetted requests to promise its false-discovery rate in "
                "every scan: there, what is more unusual than all of them counts as an outlier."
            )
        if self.usual_blocks != self.recorded_blocks:
            yield (
                f"The policy in force now makes {phrase_count(self.usual_blocks, 'block')} of the "
                f"same records, and {self.recorded_blocks} were recorded: not all of the "
                "difference is the trial's. Settings, scenarios or the model were others then, "
                "jobs stood still, or a clock stepped."
            )
        yield from self._say_what_is_unknown()

    def _say_what_is_missing(self, stretch: Stretch) -> Iterator[str]:
        if self.oldest is None:
            yield "There is no record at all: nothing can be gone through."
        elif not self.requests:
            yield "No request was recorded in this time."
        if self.oldest is not None and self.oldest > stretch.since:
            yield (
                f"The oldest record was stored at {self.oldest:{_TIME}}: what came before was "
                "removed, or never was."
            )
        kept_since = self.now - KEEP_TIMES[Resolution.MINUTE]
        if self.floods and stretch.since < kept_since:
            yield (
                f"{phrase_count(self.floods, 'request')} too many of these days were only counted. "
                f"By the minute they are kept since {kept_since:{_TIME}}: floods before it are no "
                "evidence here."
            )

    def _say_measured(self) -> Iterator[str]:
        for code in self.rules:
            feature = name_feature(code)
            measured = self.measured[feature]
            if self.parsed and not measured:
                yield (
                    f"{code} judges {feature}, which was measured on none of the {self.parsed} "
                    f"parsed requests: nothing can be said of it. {', '.join(REPLAYABLE)} can be "
                    "tried where their features were measured."
                )
            elif measured < self.parsed:
                yield (
                    f"{code} judges {feature}, which was measured on {measured} of the "
                    f"{self.parsed} parsed requests: the others stay as they were."
                )

    def _say_what_is_unknown(self) -> Iterator[str]:
        refused = self.refused + self.turned_away
        if refused:
            yield (
                f"{phrase_count(refused, 'request')} of these days were refused because of a "
                "block: nobody knows what they would have shown without it."
            )
        if self.by_people:
            yield (
                f"{phrase_count(self.by_people, 'decision')} that people made or took back in this "
                "time stand as they were, whatever the trial would have led people to."
            )
        if self.other_blocks:
            yield (
                f"{phrase_count(self.other_blocks, 'block')} of networks, patches and "
                "perturbations are left out on both sides: they are not gone through again."
            )


def _list_measured(features: Mapping[str, float]) -> Iterator[str]:
    return (name for name, value in features.items() if not isnan(value))
