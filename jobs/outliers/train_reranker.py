"""Train a re-ranker on what people said, and put it in force if it ranks held-out labels better."""

from collections.abc import Callable
from dataclasses import dataclass

from detectors.ranking.fit import fit_reranker
from detectors.ranking.labels import Labels
from detectors.ranking.reranker import Reranker
from detectors.ranking.trial import HeldOut, hold_out
from jobs.context import JobContext, JobOutcome, Skipped
from jobs.settings import JobSettings
from store.audit.actors import job
from store.families.labels import read_labels
from store.families.recorded import find_basis
from store.models.outlier_models import HELD_BACK
from store.models.rerankers import (
    RerankerStore,
    find_reranker_in_force,
    promote_reranker,
    was_taken_out,
)

_ACTOR = job("train_reranker")


class TooFewLabels(Skipped):
    """There is too little feedback to learn an order from."""


@dataclass(frozen=True)
class Judgement:
    """Whether a re-ranker is put in force, and why."""

    is_promoted: bool
    because: str


def run(context: JobContext) -> JobOutcome:
    """The job ``train_reranker``.

    Raises:
        TooFewLabels: too few, of too few senders, or all with the same answer.
        UntrustedModel: the signing key cannot be used.
    """
    basis, labels = _read_labels(context)
    reranker = fit_reranker(labels, basis)
    held_out = hold_out(labels, _fit_on(basis))
    judgement = judge(held_out, context.settings)
    standing = _keep(context, reranker, labels, held_out, judgement)
    return JobOutcome(
        f"A re-ranker learnt from {labels.count.sentence} {judgement.because} {standing}",
        labels.count.counted,
    )


def judge(held_out: HeldOut, settings: JobSettings) -> Judgement:
    """A re-ranker has to beat the p-values, and to be signed where others are."""
    if not held_out.is_better:
        return Judgement(False, f"{held_out.sentence} That is not enough.")
    if settings.outliers.outlier_model_keys and not settings.training.outlier_signing_key:
        return Judgement(
            False,
            f"{held_out.sentence} Nothing signs it here (MASKWATCH_OUTLIER_SIGNING_KEY): sign its "
            "file with `maskwatch model sign`, then `maskwatch detectors promote` it.",
        )
    return Judgement(True, held_out.sentence)


def _fit_on(basis: str) -> Callable[[Labels], Reranker]:
    return lambda labels: fit_reranker(labels, basis)


def _read_labels(context: JobContext) -> tuple[str, Labels]:
    with context.database.read() as session:
        basis = find_basis(session)
        if basis is None:
            raise TooFewLabels(
                "There is no outlier model of this version yet whose scores an order could be "
                "learnt from: `retrain` makes one."
            )
        labels = read_labels(session, basis)
    if not labels.count.suffices:
        raise TooFewLabels(labels.count.sentence)
    return basis, labels


def _keep(
    context: JobContext,
    reranker: Reranker,
    labels: Labels,
    held_out: HeldOut,
    judgement: Judgement,
) -> str:
    """Keep it, and put it in force if that is what was judged; what holds then."""
    settings = context.settings
    store = RerankerStore(settings.store.var_dir, settings.outliers.outlier_model_keys)
    if settings.training.outlier_signing_key is not None:
        store.sign(reranker, settings.training.outlier_signing_key)
    reason = {"promoted_because" if judgement.is_promoted else HELD_BACK: judgement.because}
    metrics = {"count": labels.count.sentence, **held_out.metrics(), **reason}
    with context.database.write() as session:
        row = store.add(
            session, reranker, labels=labels.count.counted, metrics=metrics, now=context.now
        )
        present = find_reranker_in_force(session)
        if present is not None and present.id == row.id:
            return f"It is r{row.id}, which is in force."
        if not judgement.is_promoted:
            return "The order stays." if present is None else f"r{present.id} stays in force."
        if was_taken_out(session, row.id):
            return f"It is r{row.id}, which a person took out of force: the order stays."
        promote_reranker(session, row, _ACTOR, context.now, judgement.because)
        return f"It is in force as r{row.id}."
