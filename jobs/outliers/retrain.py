"""Retrain: a challenger learns from a guarded sample and is promoted only if it stays close."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

import numpy as np

from detectors.outliers.basis import BASIS, digest_basis
from detectors.outliers.cutoff import describe_cutoff, outlier_cutoff
from detectors.outliers.model import OutlierModel
from detectors.outliers.preparation import Matrix, Vector
from jobs.context import JobContext, JobOutcome
from jobs.outliers.gate import Opponents, Predecessor, read_opponents
from jobs.outliers.models import open_models
from jobs.outliers.sampling import Sample, train, training_sample
from jobs.outliers.watch_drift import NEWEST
from jobs.settings import JobSettings
from store.audit.actors import job
from store.baselines.drifts import list_pushed
from store.engine.reader_locks import Reader, lock_for_reading
from store.models.outlier_models import CLIENTS, HELD_BACK, champion, promote
from store.phrases import phrase_count

# Below this rank correlation the two models disagree about what is normal.
MIN_CORRELATION = 0.5
# A challenger that calls more of its own clean rows outliers than this many times the expected
# share was trained on something else than what passes now.
MAX_OUTLIER_FACTOR = 3.0
_NO_SETS = "It was not held against frozen sets: `maskwatch detectors freeze` makes them."


@dataclass(frozen=True)
class Judgement:
    """Whether a challenger is promoted, why, and the numbers behind it.

    Attributes:
        correlation: of its ranking with the champion's, where there are no frozen sets.
        outlier_share: of the frozen clean set, else of the rows that it learnt from.
        performance: how it does on the frozen sets; empty without them.
    """

    is_promoted: bool
    because: str
    correlation: float | None
    outlier_share: float
    performance: Mapping[str, float] = field(default_factory=dict)

    def metrics(self, sample: Sample) -> dict[str, object]:
        """What is stored beside the model."""
        return {
            CLIENTS: sample.clients,
            "trimmed": sample.trimmed,
            "correlation": self.correlation,
            "outlier_share": self.outlier_share,
            **self.performance,
            "promoted_because" if self.is_promoted else HELD_BACK: self.because,
        }


def run(context: JobContext) -> JobOutcome:
    """The job ``retrain``.

    Raises:
        TooFewRecords: fewer than 30 clean records.
        ModelChanged: the file of the champion, or of the one before, was changed.
        UntrustedModel: no accepted key signed the champion, or the signing key cannot be used.
        FrozenSetError: the file of a frozen set is gone, was changed or is of another version.
    """
    opponents = read_opponents(context)
    with lock_for_reading(context.database, Reader.TRAINING):
        sample = training_sample(context, opponents.frozen_keys)
    challenger = train(sample, context.settings.training.outlier_model)
    p_value = context.settings.outliers.outlier_p_value
    judgement = meet(opponents, challenger, sample.clean.rows, p_value)
    judgement = hold_back_if_narrow(judgement, opponents, sample.clients)
    judgement = hold_back_if_pushed(judgement, _list_pushed(context))
    judgement = hold_back_if_unsigned(judgement, context.settings)
    basis = digest_basis(challenger.kind, challenger.names)
    metrics = {BASIS: basis, **judgement.metrics(sample)}
    rows = len(sample.clean.rows)
    is_new = _keep(context, challenger, rows, judgement, metrics)
    records, clients = phrase_count(rows, "clean record"), phrase_count(sample.clients, "client")
    said = f"A model ({challenger.kind}) trained on {records} of {clients}"
    if not is_new:
        return JobOutcome(f"{said} is the champion: nothing new came that teaches more.", rows)
    verb = "promoted" if judgement.is_promoted else "held back"
    return JobOutcome(
        f"{said} was {verb}. {_say_trimmed(sample)}{judgement.because} Outliers have p-values of "
        f"at most {describe_cutoff(p_value, rows)}.",
        rows,
    )


def _say_trimmed(sample: Sample) -> str:
    if not sample.trimmed:
        return ""
    records = phrase_count(sample.trimmed, "record")
    return f"{records} of groups that only their own kind made look normal were left out. "


def judge(
    before: Predecessor, challenger: OutlierModel, clean: Matrix, p_value: float
) -> Judgement:
    """Compare a challenger with the champion on the rows that it learnt from."""
    scores = challenger.score(clean)
    cutoff = outlier_cutoff(p_value, len(clean))
    share = round(float((challenger.p_values(scores) <= cutoff).mean()), 6)
    champion_model = before.model
    if champion_model is None:
        return Judgement(True, before.absence, None, share)
    if champion_model.names != challenger.names:
        return Judgement(True, "The champion knows other features.", None, share)
    correlation = None
    because = f"The champion is of another kind: {champion_model.kind}."
    # Two kinds may well rank normal rows in two ways, and then no change of kind could ever pass.
    if champion_model.kind == challenger.kind:
        agrees, because, correlation = _compare_rankings(champion_model.score(clean), scores)
        if not agrees:
            return Judgement(False, because, correlation, share)
    if share > MAX_OUTLIER_FACTOR * cutoff:
        because = f"It calls {100 * share:.1f} % of the clean records outliers."
        return Judgement(False, because, correlation, share)
    return Judgement(True, because, correlation, share)


def meet(
    opponents: Opponents, challenger: OutlierModel, clean: Matrix, p_value: float
) -> Judgement:
    """Hold a challenger against the models before it: on the frozen sets, if they are there."""
    trial = opponents.trial(p_value)
    if trial is None:
        judgement = judge(opponents.champion, challenger, clean, p_value)
        return replace(judgement, because=f"{judgement.because} {_NO_SETS}")
    result = trial.measure(challenger)
    losses = list(opponents.list_losses(trial, challenger, result))
    because = " ".join(losses) or f"{opponents.champion.absence} {result.sentence}".lstrip()
    return Judgement(not losses, because, None, result.false_alarms, result.metrics())


def hold_back_if_narrow(judgement: Judgement, opponents: Opponents, clients: int) -> Judgement:
    """A model of few clients knows too little of what is normal, however it does on the sets."""
    narrowing = opponents.find_narrowing(clients)
    if narrowing is None or not judgement.is_promoted:
        return judgement
    return replace(judgement, is_promoted=False, because=narrowing)


def hold_back_if_pushed(judgement: Judgement, pushed: Sequence[str]) -> Judgement:
    """Never learn from traffic that a few senders move; what they move is in the sample."""
    if not (pushed and judgement.is_promoted):
        return judgement
    sources = ", ".join(source[:12] for source in pushed)
    return replace(
        judgement,
        is_promoted=False,
        because=f"A few senders move the traffic of {sources}: see the alert `traffic_pushed`.",
    )


def hold_back_if_unsigned(judgement: Judgement, settings: JobSettings) -> Judgement:
    """Where keys are accepted but none signs, a person signs: nobody would score with it before."""
    if settings.training.outlier_signing_key or not settings.outliers.outlier_model_keys:
        return judgement
    if not judgement.is_promoted:
        return judgement
    return replace(
        judgement,
        is_promoted=False,
        because="Nothing signs it here (MASKWATCH_OUTLIER_SIGNING_KEY): sign its file with "
        "`maskwatch model sign`, then `maskwatch detectors promote` it.",
    )


def _list_pushed(context: JobContext) -> tuple[str, ...]:
    with context.database.read() as session:
        return list_pushed(session, context.now - NEWEST)


def _compare_rankings(before: Vector, after: Vector) -> tuple[bool, str, float | None]:
    """Whether a challenger ranks as the champion does, in words, and their correlation.

    With a model that ranks all alike there is none. A champion that learnt from equal rows does so
    for ever, and must not keep out what learnt more.
    """
    if np.ptp(before) == 0:
        return True, "The champion ranks all clean records alike.", None
    if np.ptp(after) == 0:
        return False, "It ranks all clean records alike.", None
    correlation = _rank_correlation(before, after)
    because = f"Its ranking correlates {correlation:.2f} with the champion's"
    if correlation >= MIN_CORRELATION:
        return True, f"{because}.", correlation
    return False, f"{because}, at least {MIN_CORRELATION:.2f} is asked for.", correlation


def _rank_correlation(first: Vector, second: Vector) -> float:
    # A training is rare, and takes scikit-learn, which loads this as well.
    from scipy.stats import spearmanr  # noqa: PLC0415

    return round(float(spearmanr(first, second).statistic), 4)


def _keep(
    context: JobContext,
    model: OutlierModel,
    rows: int,
    judgement: Judgement,
    metrics: Mapping[str, object],
) -> bool:
    """Keep a challenger, and promote it if that was judged; whether it is not the champion itself.

    What the champion was judged by when it was promoted stays, and nothing is promoted over itself.
    """
    archive = model.dumps()
    store, key = open_models(context), context.settings.training.outlier_signing_key
    if key is not None:
        store.sign(archive, key)
    with context.database.write() as session:
        present, digest = champion(session), sha256(archive).hexdigest()
        # One whose file is gone gets it back, and says so as any promotion does.
        if present is not None and present.digest == digest and store.path_of(digest).is_file():
            return False
        row = store.add(
            session, archive=archive, kind=model.kind, rows=rows, metrics=metrics, now=context.now
        )
        if judgement.is_promoted:
            promote(session, row.id, job("retrain"), context.now, judgement.because)
    return True
