"""The gate of a challenger: the frozen sets, the champion, and the champion of 14 nights before."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from detectors.outliers.base import ModelChanged, OutlierModelError
from detectors.outliers.challengers.frozen import FrozenSet
from detectors.outliers.challengers.trial import (
    FOURTEEN_NIGHTS,
    ONE_NIGHT,
    Bound,
    Performance,
    Trial,
    list_losses,
)
from detectors.outliers.kinds import FrozenKind
from detectors.outliers.model import OutlierModel
from jobs.context import JobContext
from jobs.outliers.models import open_models
from store.models.archive_signatures import UntrustedModel
from store.models.frozen_sets import FrozenSetStore, find_frozen_set
from store.models.outlier_models import CLIENTS, NoOutlierModel, champion
from store.models.promotions import find_promotion_to_hold_against
from store.models.stored_models import read_model
from store.phrases import phrase_count
from store.tables.work_tables import OutlierModelRow

# A freeze takes half of the clean requests out of the sample, and chance some clients more: that
# alone holds nothing back. Whoever learnt from fewer has seen another traffic.
MIN_CLIENT_SHARE = 1 / 3


@dataclass(frozen=True, eq=False)
class Predecessor:
    """A model that a challenger is held against.

    Attributes:
        model: ``None`` if there is none to compare with.
        absence: why there is none, one sentence or two.
        bound: what may be lost against it.
        clients: how many it learnt from; ``None`` if nobody wrote that down.
    """

    model: OutlierModel | None
    absence: str = ""
    bound: Bound = ONE_NIGHT
    clients: int | None = None


@dataclass(frozen=True, eq=False)
class Opponents:
    """What a challenger meets.

    Attributes:
        sets: the frozen sets that there are, by kind.
        earlier: the champion of fourteen nights before; no model if that is the present one.
    """

    champion: Predecessor
    earlier: Predecessor
    sets: dict[FrozenKind, FrozenSet]

    @property
    def frozen_keys(self) -> frozenset[int]:
        """Keys of the requests that nobody may learn from."""
        return frozenset(key for each in self.sets.values() for key in each.keys.tolist())

    def trial(self, p_value: float) -> Trial | None:
        """Where the models meet; ``None`` without both sets."""
        if self.sets.keys() != set(FrozenKind):
            return None
        features = {kind: each.features for kind, each in self.sets.items()}
        return Trial(features[FrozenKind.CLEAN], features[FrozenKind.ATTACK], p_value)

    def find_narrowing(self, clients: int) -> str | None:
        """What a challenger that learnt from so many clients lacks; ``None`` if they are enough."""
        before = max(each.clients or 0 for each in (self.champion, self.earlier))
        if clients >= MIN_CLIENT_SHARE * before:
            return None
        return (
            f"It learnt from {phrase_count(clients, 'client')}, a champion before it from "
            f"{before}: that is less than a third."
        )

    def list_losses(
        self, trial: Trial, challenger: OutlierModel, after: Performance
    ) -> Iterator[str]:
        """What speaks against a challenger that does so on the frozen sets."""
        for before in (self.champion, self.earlier):
            if before.model is not None:
                yield from _list_losses(trial, before.model, challenger, after, before.bound)


def _list_losses(
    trial: Trial,
    before: OutlierModel,
    challenger: OutlierModel,
    after: Performance,
    bound: Bound,
) -> Iterator[str]:
    is_alike = (before.kind, before.names) == (challenger.kind, challenger.names)
    yield from list_losses(trial.measure(before), after, bound, moves=is_alike)


def read_opponents(context: JobContext) -> Opponents:
    """The frozen sets and the models before.

    Raises:
        FrozenSetError: the file of a frozen set is gone, was changed or is of another version.
        ModelChanged: a model's file was changed; who did that may have changed what it learns.
        UntrustedModel: no accepted key signed a model.
    """
    store = FrozenSetStore(context.settings.store.var_dir)
    with context.database.read() as session:
        rows = [find_frozen_set(session, kind) for kind in FrozenKind]
        present, earlier = champion(session), _find_earlier(session, context)
    sets = {each.kind: each for each in (store.read(row) for row in rows if row is not None)}
    return Opponents(_read(context, present, ONE_NIGHT), _read_earlier(context, earlier), sets)


def _find_earlier(session: Session, context: JobContext) -> OutlierModelRow | None:
    since = context.now - timedelta(days=FOURTEEN_NIGHTS.nights)
    promotion = find_promotion_to_hold_against(session, since)
    row = None if promotion is None else session.get_one(OutlierModelRow, promotion.model_id)
    return None if row is None or row.promoted else row


def _read_earlier(context: JobContext, row: OutlierModelRow | None) -> Predecessor:
    if row is None:
        return Predecessor(None)
    return _read(context, row, FOURTEEN_NIGHTS)


def _read(context: JobContext, row: OutlierModelRow | None, bound: Bound) -> Predecessor:
    if row is None:
        return Predecessor(None, "There was no model before it.")
    try:
        model = read_model(open_models(context), row)
    except (ModelChanged, UntrustedModel):
        raise
    except (NoOutlierModel, OutlierModelError) as error:
        return Predecessor(None, f"It is not compared with model {row.id}. {error}")
    return Predecessor(model, "", bound, row.metrics.get(CLIENTS))
