"""What ``maskwatch detectors freeze`` and ``frozen`` read and write."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy.orm import Session

from detectors.outliers.challengers.frozen import MIN_FROZEN, FrozenSet, FrozenSetError
from detectors.outliers.comparison import NamedRows
from detectors.outliers.kinds import FrozenKind
from detectors.outliers.model import MIN_ROWS
from detectors.registry import FEATURE_NAMES
from jobs.settings import JobSettings
from maskwatch.commands.printable import escape_unprintable
from store.audit.actors import command_line, operator
from store.audit.reasons import read_reason
from store.decisions.clients.client_decisions import read_blocked_senders
from store.engine.existing import existing_database
from store.models.frozen_sets import Freeze, FrozenSetStore, find_frozen_set, list_frozen_sets
from store.phrases import phrase_count
from store.requests.record_store import FeatureMatrix, clean_features, features_of_clients
from store.requests.row_bounds import LeftOut
from store.settings import StoreSettings
from store.tables.model_tables import FrozenSetRow

_MAX_ROWS, _MAX_OF_CLIENT, _MAX_OF_NETWORK, _MAX_OF_FAMILY = 2_000, 20, 100, 20
_WHOLE = "its file is as it was written"
_COUNTED = f"No more than {_MAX_OF_CLIENT} of a client and {_MAX_OF_NETWORK} of a network count."


@dataclass(frozen=True)
class Plan:
    """What somebody asks to be frozen.

    Attributes:
        clients: of an attack set, who sent nothing but planted attacks.
        dry_run: say what would be frozen, and freeze nothing.
    """

    kind: FrozenKind
    reason: str
    now: datetime
    clients: Sequence[str] = ()
    dry_run: bool = False


def freeze(settings: JobSettings, plan: Plan) -> str:
    """Freeze requests of the last days of training; what was done.

    Raises:
        FrozenSetError: there are too few.
        ReasonError: no reason was given, or none that can be kept.
    """
    plan = replace(plan, reason=read_reason(plan.reason))
    store = FrozenSetStore(settings.store.var_dir)
    with existing_database(settings) as database:
        with database.read() as session:
            candidates = _read_requests(session, settings, store, plan)
        matrix = _leave_half(candidates) if plan.kind is FrozenKind.CLEAN else candidates
        _check_count(plan.kind, matrix)
        what = _describe_choice(plan.kind, matrix, candidates)
        if plan.dry_run:
            return f"Would freeze {what}"
        with database.write() as session:
            row = store.add(session, _freeze(plan.kind, matrix), _sign(plan, matrix))
            return f"Frozen {plan.kind} set {row.id} ({row.digest[:12]}): {what}"


def list_sets(settings: StoreSettings) -> list[str]:
    """All frozen sets, one line each, newest first; * marks those that hold."""
    store = FrozenSetStore(settings.store.var_dir)
    with existing_database(settings) as database, database.read() as session:
        holding = {row.id for row in (find_frozen_set(session, kind) for kind in FrozenKind) if row}
        return [_describe(store, row, row.id in holding) for row in list_frozen_sets(session)]


def _read_requests(
    session: Session, settings: JobSettings, store: FrozenSetStore, plan: Plan
) -> FeatureMatrix:
    since = plan.now - timedelta(days=settings.training.training_days)
    if plan.kind is FrozenKind.ATTACK:
        return features_of_clients(session, FEATURE_NAMES, plan.clients, since, _MAX_ROWS)
    bounds = replace(
        settings.training.bounds(),
        per_client=_MAX_OF_CLIENT,
        per_network=_MAX_OF_NETWORK,
        per_family=_MAX_OF_FAMILY,
        most=2 * _MAX_ROWS,
    )
    attacks = find_frozen_set(session, FrozenKind.ATTACK)
    planted = set() if attacks is None else set(store.read(attacks).keys.tolist())
    left_out = LeftOut(planted, read_blocked_senders(session))
    return clean_features(session, FEATURE_NAMES, since, bounds, left_out=left_out)


def _leave_half(clean: FeatureMatrix) -> FeatureMatrix:
    """At most half of the clean rows: no model learns from what is frozen, and some must."""
    rows = len(clean.rows)
    count = min(rows, max(rows // 2, MIN_FROZEN[FrozenKind.CLEAN]))
    chosen = np.zeros(rows, bool)
    chosen[np.arange(count) * rows // max(count, 1)] = True
    return clean.choose(chosen)


def _check_count(kind: FrozenKind, matrix: FeatureMatrix) -> None:
    if len(matrix.rows) < MIN_FROZEN[kind]:
        counted = f" {_COUNTED}" if kind is FrozenKind.CLEAN else ""
        raise FrozenSetError(
            f"A frozen {kind} set takes at least {MIN_FROZEN[kind]} requests; there are "
            f"{len(matrix.rows)}.{counted}"
        )


def _describe_choice(kind: FrozenKind, matrix: FeatureMatrix, candidates: FeatureMatrix) -> str:
    """What is frozen, and what it means if models are left less than half of what is clean."""
    said, rows = f"{_count(matrix)}.", len(candidates.rows)
    left, enough = rows - len(matrix.rows), 2 * MIN_FROZEN[FrozenKind.CLEAN]
    if kind is not FrozenKind.CLEAN or rows >= enough:
        return said
    return (
        f"{said} There are {rows} clean ones, of which models are left {left} to learn from; a "
        f"training takes {MIN_ROWS}. Freeze anew once there are {enough}: half of them are left "
        f"then. {_COUNTED}"
    )


def _freeze(kind: FrozenKind, matrix: FeatureMatrix) -> FrozenSet:
    keys = np.array(matrix.request_pks, np.int64)
    return FrozenSet(kind, NamedRows(matrix.names, matrix.rows), keys)


def _sign(plan: Plan, matrix: FeatureMatrix) -> Freeze:
    return Freeze(command_line(operator()), plan.reason, len(set(matrix.clients)), plan.now)


def _count(matrix: FeatureMatrix) -> str:
    requests = phrase_count(len(matrix.rows), "request")
    return f"{requests} of {phrase_count(len(set(matrix.clients)), 'client')}"


def _describe(store: FrozenSetStore, row: FrozenSetRow, holds: bool) -> str:
    try:
        store.read(row)
        state = _WHOLE
    except FrozenSetError as error:
        state = str(error)
    return escape_unprintable(
        f"{'*' if holds else ' '}{row.id:>5}  {row.kind:<7} {row.digest[:12]}  "
        f"{row.made_at.isoformat()[:16]}  {phrase_count(row.rows, 'request')} of "
        f"{phrase_count(row.clients, 'client')}, by {row.made_by}: {row.why} ({state})"
    )
