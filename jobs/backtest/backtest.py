"""The back-test: what was recorded in a stretch of time against what a trial makes of it.

Reads alone, in transactions of a chunk each. A run that is killed leaves nothing behind.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from detectors.verdict import Verdict
from jobs.backtest.facts import Facts
from jobs.backtest.past_ledger import PastLedger, client_of
from jobs.backtest.policy_file import TRIED_SCENARIOS
from jobs.backtest.replay import Replay, Step
from jobs.backtest.tallies import MAX_CLIENTS, Count, Tallies
from jobs.backtest.trial import PolicyTrial, Stretch, Trial
from store.alert_rules.attacking_client import ATTACKING_CLIENT, MANY_ATTACKING_CLIENTS
from store.alerts.past_alerts import alerts_of, alerts_open_at
from store.counts.period_counts import OTHERS
from store.decisions.decisions import NewDecision
from store.decisions.past.past_clients import read_floods
from store.decisions.past.past_decisions import blocks_by_policy, lasting_blocks, proposals_of
from store.engine.database import Database
from store.requests.client_names import network_of
from store.requests.past_requests import PastRequest, past_requests
from store.requests.records import Stage
from store.requests.request_keys import key_of

_CHUNK = 2_000
_MINUTE = timedelta(minutes=1)
_RULES = (ATTACKING_CLIENT, MANY_ATTACKING_CLIENTS)
_ByClient = Counter[tuple[date, str]]


@dataclass(frozen=True)
class BlockView:
    """A block that a trial makes first of a client, for people.

    Attributes:
        value: the client, or the picture that is blocked in its place.
        is_proposed: whether a cap leaves it to a person.
    """

    value: str
    scope: str
    scenario: str
    reason: str
    at: datetime
    until: datetime
    simulated: bool
    is_proposed: bool


@dataclass(frozen=True)
class Result:
    """What a back-test found.

    Attributes:
        first_blocks: of each client, the first block that the trial makes.
    """

    stretch: Stretch
    tallies: Tallies
    first_blocks: Mapping[str, BlockView]
    facts: Facts


@dataclass(eq=False)
class Backtest:
    """One run: a trial, and beside it the policy in force, go through what was recorded.

    The second tells how much of a difference is the trial's.

    Attributes:
        max_read_seconds: how long one statement may take.
    """

    database: Database
    stretch: Stretch
    trial: Trial
    in_force: PolicyTrial
    facts: Facts
    max_read_seconds: float
    _tallies: Tallies = field(default_factory=Tallies)
    _first_blocks: dict[str, BlockView] = field(default_factory=dict)
    _would: dict[Count, _ByClient] = field(default_factory=lambda: defaultdict(Counter))

    def run(self) -> Result:
        """Go through all of it.

        Raises:
            StoreUnavailable: the database cannot be reached.
            ReadTimedOut: a read took too long.
        """
        with self.database.read(self.max_read_seconds) as session:
            begins = find_begin(session, self.stretch, self.trial.policy, self.in_force)
            self._tried = self._start(session, self.trial.policy)
            self._usual = self._start(session, self.in_force)
        self._go_through(begins)
        with self.database.read(self.max_read_seconds) as session:
            self._compare(session)
            self.facts.read(session, self.stretch)
        return Result(self.stretch, self._tallies, self._first_blocks, self.facts)

    def _start(self, session: Session, policy: PolicyTrial) -> Replay:
        ledger = PastLedger(session, self.stretch.since, self.stretch.until)
        alerts = alerts_open_at(session, _RULES, self.stretch.since)
        return Replay(policy, self.stretch, ledger, {each.client for each in alerts})

    def _go_through(self, begins: datetime) -> None:
        after_key, before_key = key_of(begins) - 1, key_of(self.stretch.until)
        names, clock = self.trial.rules.features, begins
        is_over = False
        while not is_over:
            with self.database.read(self.max_read_seconds) as session:
                chunk = past_requests(session, after_key, before_key, names, _CHUNK)
                is_over = not chunk
                end = self.stretch.until if is_over else chunk[-1].stored_at
                self._tried.ledger.session = self._usual.ledger.session = session
                self._come_by(chunk, read_floods(session, clock, end), end)
            after_key, clock = chunk[-1].key if chunk else after_key, end

    def _come_by(
        self,
        chunk: Sequence[PastRequest],
        floods: Mapping[datetime, Mapping[str, int]],
        end: datetime,
    ) -> None:
        """The requests of a chunk and the floods of its time, in the order of time."""
        # The requests too many of a minute are known when it is over.
        minutes = deque(sorted(floods))
        for request in chunk:
            while minutes and minutes[0] + _MINUTE <= request.stored_at:
                self._add_floods(minutes[0], floods[minutes.popleft()])
            self._advance(request.stored_at)
            self._add_request(request)
        for minute in minutes:
            self._add_floods(minute, floods[minute])
        self._advance(end)

    def _add_floods(self, minute: datetime, floods: Mapping[str, int]) -> None:
        self._advance(minute + _MINUTE)
        for replay in (self._tried, self._usual):
            replay.add_floods(minute, floods)

    def _add_request(self, request: PastRequest) -> None:
        other = self.trial.apply(request)
        block = self._tried.add_request(other)
        self._usual.add_request(request)
        if request.stored_at < self.stretch.since:
            return
        day, client = request.received_at.date(), network_of(request.client)
        self._tallies.count_request(day)
        self.facts.count_request(request)
        if block is not None:
            self._tallies.count_hit(day, client, simulated=block.simulated)
        self._tallies.compare(Count.FLAGGED, day, client, _is_flagged(request), _is_flagged(other))
        self._tallies.compare(Count.OUTLIERS, day, client, request.is_outlier, other.is_outlier)

    def _advance(self, until: datetime) -> None:
        for step in self._tried.advance(until):
            self._note(step)
        for step in self._usual.advance(until):
            self.facts.usual_blocks += len(step.plan.blocks)

    def _note(self, step: Step) -> None:
        """Count what the trial does at a step."""
        day, plan = step.now.date(), step.plan
        for block in plan.blocks:
            self._would[Count.BLOCKS][day, client_of(block.value, block.evidence)] += 1
            self._name_first(step.now, block, is_proposed=False)
        for proposal in plan.proposals:
            block = proposal.block
            self._would[Count.PROPOSALS][day, client_of(block.value, block.evidence)] += 1
            self._name_first(step.now, block, is_proposed=True)
        for client in step.alerts:
            self._would[Count.MAILS][day, client or OTHERS] += 1

    def _name_first(self, now: datetime, block: NewDecision, *, is_proposed: bool) -> None:
        client = client_of(block.value, block.evidence)
        if client not in self._first_blocks and len(self._first_blocks) < MAX_CLIENTS:
            self._first_blocks[client] = BlockView(
                *(block.value, block.scope.value, block.scenario, block.reason),
                *(now, block.until, block.simulated, is_proposed),
            )

    def _compare(self, session: Session) -> None:
        """Hold what the trial did against what was recorded."""
        since, until = self.stretch.since, self.stretch.until
        blocks = blocks_by_policy(session, since, until)
        own = [row for row in blocks if row.scenario in TRIED_SCENARIOS]
        self.facts.other_blocks = len(blocks) - len(own)
        self.facts.recorded_blocks = len(own)
        was = {
            Count.BLOCKS: Counter(
                (row.created_at.date(), client_of(row.value, row.evidence)) for row in own
            ),
            Count.PROPOSALS: Counter(
                (row.created_at.date(), client_of(row.value, row.evidence))
                for row in proposals_of(session, since, until)
                if row.scenario in TRIED_SCENARIOS
            ),
            Count.MAILS: Counter(
                (alert.fired_at.date(), alert.client or OTHERS)
                for alert in alerts_of(session, _RULES, since, until)
            ),
        }
        for what, counts in was.items():
            self._tallies.compare_all(what, counts, self._would[what])


def find_begin(session: Session, stretch: Stretch, *policies: PolicyTrial) -> datetime:
    """Where reading begins: what policies look back on when the stretch begins is read too."""
    lasting = lasting_blocks(session, stretch.since)
    moments = [row.created_at for row in lasting if row.simulated]
    return min([stretch.since, *moments]) - max(policy.window for policy in policies)


def _is_flagged(request: PastRequest) -> bool:
    return request.stage is Stage.PARSED and request.verdict is not Verdict.PASS
