"""Goes through requests in the order of their storing, and lets the jobs decide at every step.

The functions that judge are those of the jobs: :func:`jobs.blocking.judging.judge_by_switches`,
:func:`jobs.blocking.plan.hold_back` and :func:`store.alert_rules.attacking_client.find_attackers`.
They are given a history that ends at the step.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from detectors.evidence.sums import weigh
from detectors.rule_book import OUTLIER_TRAFFIC
from jobs.backtest.client_signs import ClientSigns
from jobs.backtest.past_ledger import PastLedger, Standing
from jobs.backtest.trial import PolicyTrial, Stretch
from jobs.blocking.caps import Caps
from jobs.blocking.judging import judge_by_switches
from jobs.blocking.plan import Plan, hold_back
from store.alert_rules.attacking_client import choose_alerts, find_attackers
from store.decisions.clients.client_evidence import MISTAKE_CODES, WEIGHING_CODES, Sign, Suspect
from store.decisions.impact import Hit
from store.decisions.past.past_clients import count_uploads, read_day_before, read_hit_before
from store.decisions.scopes import CLIENT_SCOPES, Kind, Scope
from store.requests.client_names import network_of
from store.requests.past_requests import PastRequest
from store.requests.pictures_of_requests import pictures_of

_WEIGHING, _MISTAKES = frozenset(WEIGHING_CODES), frozenset(MISTAKE_CODES)


@dataclass(eq=False)
class ReplayedHistory:
    """What clients did and what was decided about them until a step of the trial.

    See :class:`store.decisions.clients.client_history.ClientHistory`.
    """

    trial: PolicyTrial
    ledger: PastLedger
    now: datetime
    clients: dict[str, ClientSigns] = field(default_factory=dict)
    _judged: dict[tuple[str, datetime], Suspect] = field(default_factory=dict)

    @property
    def session(self) -> Session:
        """Of the chunk that is gone through."""
        return self.ledger.session

    def take_step(self, now: datetime) -> None:
        """Go to a later time, and forget what no policy looks back on any more."""
        self.now = now
        self._judged.clear()
        self.ledger.forget(now)
        simulated = self.ledger.list_simulated(now)
        for client in list(self.clients):
            until = simulated.get(client, now) - self.trial.window
            if not self.clients[client].forget(until):
                del self.clients[client]

    def find_suspects(self, since: datetime, min_weight: float) -> Sequence[Suspect]:
        """Clients whose evidence after a time weighs so much, the worst first."""
        judged = (
            self.judge(client, since)
            for client, signs in self.clients.items()
            if self._may_weigh(client, signs, since, min_weight)
        )
        worst = [suspect for suspect in judged if suspect.sum.weight >= min_weight]
        return sorted(worst, key=lambda each: (-each.sum.weight, each.evidence.client))

    def judge(self, client: str, since: datetime) -> Suspect:
        """What a client did after a time, and what it weighs."""
        if (client, since) not in self._judged:
            signs = self.clients.get(client, ClientSigns())
            self._judged[client, since] = self._weigh(
                client, signs, since, self._count_uploads(client, since)
            )
        return self._judged[client, since]

    def list_simulated(self) -> Mapping[str, datetime]:
        """When each client got its first simulated block, by policy, that still lasts."""
        return self.ledger.list_simulated(self.now)

    def is_covered(self, client: str, *, simulated_too: bool) -> bool:
        """Whether a decision about a client holds, or an enforced one."""
        return any(
            each.holds(self.now) and (simulated_too or not each.simulated)
            for each in self.ledger.list_about(client, self.now)
        )

    def is_allowed(self, client: str) -> bool:
        """Whether a client is on the allow-list."""
        return any(
            each.kind is Kind.ALLOW and each.holds(self.now)
            for each in self.ledger.list_about(client, self.now)
        )

    def earlier_blocks(
        self, value: str, *, simulated_too: bool, scopes: Sequence[Scope] = CLIENT_SCOPES
    ) -> int:
        """How many blocks a value ever had that nobody revoked."""
        is_picture = Scope.CONTENT in scopes
        look = self.ledger.list_about_picture if is_picture else self.ledger.list_about
        return sum(
            each.kind is Kind.BLOCK
            and each.scope in scopes
            and not each.is_revoked(self.now)
            and (simulated_too or not each.simulated)
            for each in look(value, self.now)
        )

    def last_change(self, client: str, *, simulated_too: bool) -> datetime | None:
        """When a decision on a client was last made or revoked."""
        made = (
            each.begins
            for each in self.ledger.list_about(client, self.now)
            if simulated_too or not each.simulated
        )
        revoked = self.ledger.list_revocations(client, self.now)
        return max((*made, *revoked), default=None)

    def last_revocation(self, client: str) -> datetime | None:
        """When a person last took back a decision on a client."""
        return max(self.ledger.list_revocations(client, self.now), default=None)

    def last_declined(self, client: str) -> datetime | None:
        """When a person last declined to block a client."""
        return max(self.ledger.list_declined(client, self.now), default=None)

    def pictures_of(self, request_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Requests by the SHA-256 of what they sent."""
        return pictures_of(self.session, request_ids)

    def is_picture_decided(self, digest: str, *, simulated_too: bool) -> bool:
        """Whether a decision on an exact picture holds, or a person ever took one back."""
        return any(
            each.is_revoked(self.now)
            or (each.holds(self.now) and (simulated_too or not each.simulated))
            for each in self.ledger.list_about_picture(digest, self.now)
        )

    def _may_weigh(
        self, client: str, signs: ClientSigns, since: datetime, min_weight: float
    ) -> bool:
        """Without asking the store: more uploads never make evidence weigh more."""
        if signs.bound_weight(self.trial.weights) < min_weight:
            return False
        return self._weigh(client, signs, since, 0).sum.weight >= min_weight

    def _weigh(self, client: str, signs: ClientSigns, since: datetime, uploads: int) -> Suspect:
        evidence = signs.sum_up(client, since, uploads)
        trial = self.trial
        return Suspect(evidence, weigh(evidence.counts, uploads, trial.chances, trial.weights))

    def _count_uploads(self, client: str, since: datetime) -> int:
        """What would have been refused was never uploaded; all that is compared is of one span."""
        cut_at = self.clients[client].cut_at if client in self.clients else None
        since = since if cut_at is None else max(since, cut_at)
        refusals = self.ledger.list_refusals(client)
        return count_uploads(self.session, client, since, self.now, refusals)


@dataclass(frozen=True)
class Step:
    """What the jobs would have done at one time.

    Attributes:
        plan: blocks and proposals.
        alerts: clients about whom alerts fire; ``None`` for one about many clients.
    """

    now: datetime
    plan: Plan
    alerts: Sequence[str | None]


@dataclass(eq=False)
class Replay:
    """A trial of a policy, on its way through the records.

    Attributes:
        told: clients about whom alerts are open; ``None`` for the one about many.
    """

    trial: PolicyTrial
    stretch: Stretch
    ledger: PastLedger
    told: set[str | None]

    def __post_init__(self) -> None:
        """Begin with the first step, knowing nothing."""
        self.next_step = self.stretch.first_step
        self.history = ReplayedHistory(self.trial, self.ledger, self.stretch.since)

    def add_request(self, request: PastRequest) -> Standing | None:
        """Come by a request; the block that holds for it, if one does.

        What an enforced block would have refused is no evidence: nobody would have looked at it.
        """
        block = self.ledger.find_block(request.client, request.content_sha256, request.received_at)
        if not _keeps_out(block):
            self._add_signs(request)
        return block

    def add_floods(self, minute: datetime, floods: Mapping[str, int]) -> None:
        """Come by the requests too many of a minute."""
        for client, requests in floods.items():
            if not _keeps_out(self.ledger.find_block(client, None, minute)):
                self._signs_of(client).floods.append((minute, requests))

    def advance(self, until: datetime) -> Iterator[Step]:
        """Let the jobs run at every step before a time."""
        while self.next_step < until:
            if not (self.history.clients or self.told):
                # Nothing can happen before something else comes.
                self.next_step -= (self.next_step - until) // self.stretch.step * self.stretch.step
                return
            yield self._take_step(self.next_step)
            self.next_step += self.stretch.step

    def _take_step(self, now: datetime) -> Step:
        self.history.take_step(now)
        plan = self._decide(now)
        for block in plan.blocks:
            self.ledger.add(block, now)
        for proposal in plan.proposals:
            self.ledger.propose(proposal.block.value, now)
        return Step(now, plan, self._tell())

    def _decide(self, now: datetime) -> Plan:
        trial, waiting = self.trial, self.ledger.list_waiting(now)
        blocks = judge_by_switches(self.history, trial.blocking, trial.switches, trial.trusted)
        new = [each for each in blocks if each.value not in waiting]
        return hold_back(new, waiting, lambda: self._read_caps(now))

    def _read_caps(self, now: datetime) -> Caps:
        session, hit = self.ledger.session, Hit({})
        for value in self.ledger.list_enforced(now):
            hit |= read_hit_before(session, value, now)
        day = read_day_before(session, now)
        return Caps.of(
            self.trial.blocking, day, hit, lambda value: read_hit_before(session, value, now)
        )

    def _tell(self) -> list[str | None]:
        """Alerts that fire now; those of clients that do not attack any more are over."""
        enough = self.trial.blocking.block_after
        attackers = find_attackers(self.history, enough, self.trial.window)
        own, others = choose_alerts(attackers, {each for each in self.told if each is not None})
        open_now: set[str | None] = {each.evidence.client for each in own}
        if others:
            open_now.add(None)
        new = open_now - self.told
        self.told = open_now
        return sorted(new, key=str)

    def _add_signs(self, request: PastRequest) -> None:
        codes = [code for code in request.codes if code in _WEIGHING]
        if request.is_outlier and self._is_known_in_time(request):
            codes.append(OUTLIER_TRAFFIC.code)
        mistakes = [code for code in request.codes if code in _MISTAKES]
        if not (codes or mistakes):
            return
        signs = self._signs_of(request.client)
        for code in codes:
            finding = request.findings.get(code)
            numbers = {} if finding is None else finding.numbers
            sign = Sign(request.request_id, request.upload, code, numbers)
            signs.signs.append((request.received_at, sign))
        for code in mistakes:
            before = signs.mistakes.get(code, request.received_at)
            signs.mistakes[code] = max(before, request.received_at)

    def _is_known_in_time(self, request: PastRequest) -> bool:
        """What a scan found when the policy did not look back so far any more never counted."""
        scored_at = request.scored_at or request.received_at
        return scored_at - request.received_at < self.trial.window

    def _signs_of(self, client: str) -> ClientSigns:
        return self.history.clients.setdefault(network_of(client), ClientSigns())


def _keeps_out(block: Standing | None) -> bool:
    return block is not None and not block.simulated
