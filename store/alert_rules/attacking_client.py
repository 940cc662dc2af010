"""The alert rule ``attacking_client``: one alert for each client whose evidence says attack."""

from collections.abc import Iterator, Sequence, Set
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from detectors.evidence.kinds import WEIGHTS, EvidenceKind, describe
from store.alert_rules.rule import AlertRule, Judgement, Surroundings, Unit, UnitKind
from store.alerts.alerts import WARNING, Condition, open_alerts
from store.decisions.clients.chances import read_chances
from store.decisions.clients.client_evidence import Suspect
from store.decisions.clients.client_history import ClientHistory, StoredHistory
from store.decisions.clients.spared import describe_policy
from store.phrases import phrase_count
from store.tables.work_tables import AlertRow

ATTACKING_CLIENT, MANY_ATTACKING_CLIENTS = "attacking_client", "many_attacking_clients"
# Whoever attacks under many names must not fill a mailbox: beyond these, one alert counts them.
MAX_OPEN = 20
_MAX_EXAMPLES = 5
# A stroke, not a colon: an erasure has to find the name.
_FINGERPRINT = f"{ATTACKING_CLIENT}/"


def look_at_clients(around: Surroundings) -> Judgement:
    """Judge each client, and the number of those that are too many for an alert each."""
    return lambda session: list_client_conditions(session, around)


def list_client_conditions(session: Session, around: Surroundings) -> Iterator[Condition]:
    """A condition for each client that attacks, and for each whose alert is over."""
    chances = read_chances(session, around.outliers.outlier_p_value)
    history = StoredHistory(session, around.now, chances)
    window = timedelta(minutes=around.block_window_minutes)
    attackers = find_attackers(history, around.block_after, window)
    alerts = open_alerts(session, ATTACKING_CLIENT)
    alerted_clients = {alert.fingerprint.removeprefix(_FINGERPRINT) for alert in alerts}
    own, others = choose_alerts(attackers, alerted_clients)
    for suspect in own:
        yield attack_condition(suspect, around)
    attacking = {_fingerprint(each.evidence.client) for each in attackers}
    for alert in alerts:
        if alert.fingerprint not in attacking:
            yield _over(alert)
    yield _many_condition(others, around)


def attack_condition(suspect: Suspect, around: Surroundings) -> Condition:
    """The evidence against a client weighs as much as a block takes."""
    evidence, weighed = suspect.evidence, suspect.sum
    window = around.block_window_minutes
    leading = WEIGHTS[next(iter(weighed.counts))]
    return Condition(
        fingerprint=_fingerprint(evidence.client),
        rule=ATTACKING_CLIENT,
        severity=WARNING,
        active=True,
        value=weighed.weight,
        threshold=float(around.block_after),
        summary=(
            f"The client {evidence.client} attacks: {describe(weighed.counts)} in "
            f"{phrase_count(window, 'minute')}, {phrase_count(evidence.uploads, 'upload')} in all."
        ),
        atlas=leading.atlas,
        owasp=leading.owasp,
        evidence={
            "client": evidence.client,
            "window_minutes": window,
            "reasons": [[WEIGHTS[kind].nouns, count] for kind, count in weighed.counts.items()],
            "clients": [[evidence.client, evidence.uploads]],
            "request_ids": list(evidence.request_ids[:_MAX_EXAMPLES]),
            "policy": describe_policy(suspect, around.trusted_proxies),
        },
    )


def find_attackers(history: ClientHistory, enough: float, window: timedelta) -> list[Suspect]:
    """Clients that attack, the worst first; what a person took back or allowed is left out. Pure.

    Args:
        enough: weight of evidence that leads to a block.
        window: how far the policy looks back.
    """
    since = history.now - window
    suspects = history.find_suspects(since, enough)
    judged = [_since_taken_back(history, each, since) for each in suspects]
    return [
        each
        for each in judged
        if each.sum.weight >= enough and not history.is_allowed(each.evidence.client)
    ]


def choose_alerts(
    attackers: Sequence[Suspect], alerted_clients: Set[str]
) -> tuple[Sequence[Suspect], Sequence[Suspect]]:
    """Those that have an alert each, and those that are too many for one. Pure.

    Args:
        alerted_clients: those whose alerts are open.
    """
    known = [each for each in attackers if each.evidence.client in alerted_clients]
    new = [each for each in attackers if each.evidence.client not in alerted_clients]
    room = max(0, MAX_OPEN - len(known))
    return (*known, *new[:room]), new[room:]


def _since_taken_back(history: ClientHistory, suspect: Suspect, since: datetime) -> Suspect:
    client = suspect.evidence.client
    moment = history.last_revocation(client)
    return suspect if moment is None or moment <= since else history.judge(client, moment)


def _over(alert: AlertRow) -> Condition:
    return Condition(
        fingerprint=alert.fingerprint,
        rule=ATTACKING_CLIENT,
        severity=alert.severity,
        active=False,
        value=0.0,
        threshold=alert.threshold,
        summary=f"The client {alert.evidence.get('client')} does not attack any more.",
        atlas=alert.atlas,
        owasp=alert.owasp,
        evidence=alert.evidence,
    )


def _many_condition(more: Sequence[Suspect], around: Surroundings) -> Condition:
    leading = WEIGHTS[EvidenceKind.FLOOD]
    return Condition(
        fingerprint=MANY_ATTACKING_CLIENTS,
        rule=MANY_ATTACKING_CLIENTS,
        severity=WARNING,
        active=bool(more),
        value=float(len(more)),
        threshold=0.0,
        summary=(
            f"Attacks come from {phrase_count(len(more), 'more client')} beside the {MAX_OPEN} "
            "that have an alert each."
        ),
        atlas=leading.atlas,
        owasp=leading.owasp,
        evidence={
            "window_minutes": around.block_window_minutes,
            "clients": [[each.evidence.client, each.evidence.uploads] for each in more[:MAX_OPEN]],
        },
    )


def _fingerprint(client: str) -> str:
    return f"{_FINGERPRINT}{client}"


_HONEST_STEPS = (
    "Is it honest? Allow it on the blacklist page, or revoke its block with a reason: what it "
    "did until then does not count any more.",
    "The alert resolves by itself when it has stopped for the length of the window.",
)
RULE = AlertRule(
    code=ATTACKING_CLIENT,
    words="Attacking client",
    meaning="The evidence against a client weighs as much as a block takes.",
    unit=Unit(UnitKind.NUMBER, "weight of the evidence"),
    # Clients do not choose their names: they are addresses, or keys that an administrator named.
    firing=lambda alert: f"client {alert.evidence.get('client')} attacks",
    resolved=lambda alert: f"client {alert.evidence.get('client')} does not attack any more",
    next_steps=(
        "Open some of the example requests: is it an attack? {policy}.",
        *_HONEST_STEPS,
    ),
    runbook="attacking_client",
    look=look_at_clients,
)
MANY_RULE = AlertRule(
    code=MANY_ATTACKING_CLIENTS,
    words="Many attacking clients",
    meaning=f"More clients attack than the {MAX_OPEN} that have an alert each.",
    unit=Unit(UnitKind.COUNT, "client"),
    firing=lambda alert: f"attacks of {phrase_count(int(alert.value), 'more client')}",
    resolved=lambda _: "no attacks of more clients",
    next_steps=(
        "Look at the worst clients on the overview: do they come from one network? Then stop it "
        "before it reaches the service.",
        *_HONEST_STEPS,
    ),
    runbook="attacking_client",
)
