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
from store.models.outlier_models import NoOutlierModel, champion
from store.models.promotions import find_promotion_to_hold_against
from store.models.stored_models import read_model
from store.tables.work_tables import OutlierModelRow


@dataclass(frozen=True, eq=False)
class Predecessor:
    """A model that a challenger is held against.

    Attributes:
        model: ``None`` if there is none to compare with.
        absence: why there is none, one sentence or two.
        bound: what may be lost against it.
    """

    model: OutlierModel | None
    absence: str = ""
    bound: Bound = ONE_NIGHT


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
    return Predecessor(model, "", bound)
