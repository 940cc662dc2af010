"""The job ``train_reranker``: an order that is learnt from labels, or left as it is."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import select

from jobs.context import JobContext
from jobs.outliers.train_reranker import TooFewLabels, run
from store.audit.actors import command_line
from store.families.feedback import Feedback
from store.models.archive_signatures import UntrustedModel
from store.models.outlier_models import HELD_BACK
from store.models.rerankers import (
    RerankerStore,
    find_reranker_in_force,
    list_rerankers,
    roll_back_reranker,
)
from store.tables.audit_tables import AuditRow
from store.tables.model_tables import RerankerPromotionRow, RerankerRow
from tests.jobs.nursery import Nursery
from tests.jobs.outliers.conftest import NewKey, with_keys
from tests.labelled_traffic import Labelled


@pytest.fixture
def labelled(context: JobContext) -> Labelled:
    return Labelled(context.database, context.settings.store.var_dir, context.now)


def _in_force(context: JobContext) -> RerankerRow | None:
    with context.database.read() as session:
        return find_reranker_in_force(session)


def _rows(context: JobContext) -> list[RerankerRow]:
    with context.database.read() as session:
        return list(list_rerankers(session))


def test_without_an_outlier_model_there_is_nothing_to_learn_from(context: JobContext) -> None:
    with pytest.raises(TooFewLabels, match="no outlier model of this version yet"):
        run(context)


def test_trainings_at_once_keep_one_re_ranker_and_put_it_in_force_once(
    context: JobContext, labelled: Labelled
) -> None:
    labelled.teach(25, 25)
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: run(context), range(4)))
    endings = Counter(outcome.sentence.rpartition("r1")[2] for outcome in outcomes)
    assert endings == {".": 1, ", which is in force.": 3}
    assert len(_rows(context)) == 1
    with context.database.read() as session:
        assert len(session.scalars(select(RerankerPromotionRow)).all()) == 1


def test_labels_that_carry_signal_put_an_order_in_force(
    context: JobContext, labelled: Labelled
) -> None:
    labelled.teach(25, 25)
    outcome = run(context)
    assert outcome.sentence.startswith("A re-ranker learnt from 50 labels, 25 confirmed and 25 ")
    assert outcome.sentence.endswith("It is in force as r1.")
    row = _in_force(context)
    assert row is not None
    assert row.labels == 50
    assert row.metrics["auroc"] > 0.9
    assert row.metrics["p_value_auroc"] < 0.7
    assert row.metrics["gain_low"] > 0
    with context.database.read() as session:
        actions = session.scalars(
            select(AuditRow.action).where(AuditRow.subject == "re-ranker r1")
        ).all()
    assert actions == ["reranker_trained", "reranker_promoted"]


@pytest.mark.parametrize("seed", range(4))
def test_labels_at_random_change_nothing(
    context: JobContext, labelled: Labelled, seed: int
) -> None:
    ids = labelled.outliers(30, attacks=True) + labelled.outliers(30, attacks=False)
    Random(seed).shuffle(ids)  # noqa: S311 - not a secret
    labelled.label(ids[:30], Feedback.CONFIRMED)
    labelled.label(ids[30:], Feedback.DISMISSED)
    outcome = run(context)
    assert outcome.sentence.endswith("That is not enough. The order stays.")
    assert _in_force(context) is None
    [row] = _rows(context)
    assert "On held-out labels its AUROC is" in row.metrics[HELD_BACK]


def test_49_labels_are_too_few_and_the_state_says_how_far_it_is(
    context: JobContext, labelled: Labelled
) -> None:
    labelled.teach(25, 24)
    with pytest.raises(TooFewLabels, match=r"^49 of 50 labels, 25 confirmed and 24 dismissed"):
        run(context)
    assert _rows(context) == []


def test_the_same_answer_everywhere_teaches_nothing(
    context: JobContext, labelled: Labelled
) -> None:
    labelled.label(labelled.outliers(60, attacks=True), Feedback.CONFIRMED)
    with pytest.raises(TooFewLabels, match="at least 10 of each answer"):
        run(context)


def test_one_client_counts_as_five_labels_however_much_it_sends(
    context: JobContext, labelled: Labelled
) -> None:
    labelled.label(labelled.outliers(80, attacks=True, client="ip:1.2.3.4"), Feedback.CONFIRMED)
    labelled.teach(0, 40)
    with pytest.raises(TooFewLabels, match=r"^45 of 50 labels, 5 confirmed and 40 dismissed"):
        run(context)


def test_labels_that_are_changed_or_taken_back_count_no_more_at_the_next_training(
    context: JobContext, labelled: Labelled
) -> None:
    attacks, _ = labelled.teach(25, 25)
    run(context)
    labelled.label(attacks[:20], Feedback.DISMISSED)
    with pytest.raises(TooFewLabels, match="5 confirmed and 45 dismissed"):
        run(context)
    labelled.label(attacks, Feedback.WITHDRAWN)
    with pytest.raises(TooFewLabels, match=r"^25 of 50 labels, 0 confirmed"):
        run(context)
    row = _in_force(context)
    assert row is not None
    assert row.id == 1


def test_labels_of_an_outlier_model_with_other_features_do_not_count(
    context: JobContext, labelled: Labelled
) -> None:
    labelled.teach(25, 25)
    run(context)
    Labelled(context.database, context.settings.store.var_dir, context.now, basis="another")
    with pytest.raises(TooFewLabels, match=r"^0 of 50 labels"):
        run(context)


def test_the_same_labels_give_the_same_one_and_a_person_who_went_back_is_heard(
    context: JobContext, labelled: Labelled
) -> None:
    labelled.teach(25, 25)
    run(context)
    assert run(context).sentence.endswith("It is r1, which is in force.")
    with context.database.write() as session:
        assert roll_back_reranker(session, command_line("ada"), context.now, "It misled.") is None
    assert "a person took out of force" in run(context).sentence
    assert _in_force(context) is None
    labelled.teach(5, 5)
    assert run(context).sentence.endswith("It is in force as r2.")
    assert [row.id for row in _rows(context)] == [2, 1]


def test_a_worse_one_leaves_the_present_one_in_force(
    context: JobContext, labelled: Labelled
) -> None:
    attacks, others = labelled.teach(30, 30)
    run(context)
    labelled.label(attacks[:15], Feedback.DISMISSED)
    labelled.label(others[:15], Feedback.CONFIRMED)
    assert run(context).sentence.endswith("That is not enough. r1 stays in force.")
    row = _in_force(context)
    assert row is not None
    assert row.id == 1


def test_it_is_signed_where_a_key_is_set(
    context: JobContext, labelled: Labelled, new_key: NewKey
) -> None:
    labelled.teach(25, 25)
    private, public = new_key("ours")
    run(with_keys(context, private, public))
    row = _in_force(context)
    assert row is not None
    var_dir = context.settings.store.var_dir
    assert RerankerStore(var_dir, (public,)).read(row).basis == labelled.basis
    _, other = new_key("theirs")
    with pytest.raises(UntrustedModel, match=r"The re-ranker .* has no signature"):
        RerankerStore(var_dir, (other,)).read(row)


def test_without_a_key_to_sign_with_a_person_signs(
    context: JobContext, labelled: Labelled, new_key: NewKey
) -> None:
    labelled.teach(25, 25)
    _, public = new_key("ours")
    assert "Nothing signs it here" in run(with_keys(context, None, public)).sentence
    assert _in_force(context) is None


@pytest.mark.parametrize("moment", ["append", "add_promotion", "_put_in_force"])
def test_a_training_that_is_killed_leaves_nothing_half_written(
    context: JobContext, labelled: Labelled, nursery: Nursery, moment: str
) -> None:
    labelled.teach(25, 25)
    nursery.kill_at(f"store.models.rerankers:{moment}", "train_order", context)
    assert (_rows(context), _in_force(context)) == ([], None)
    with context.database.read() as session:
        assert session.scalars(select(RerankerPromotionRow)).all() == []
    later = replace(context, now=context.now + timedelta(minutes=1))
    # PostgreSQL does not hand out a number twice.
    assert "It is in force as r" in run(later).sentence
