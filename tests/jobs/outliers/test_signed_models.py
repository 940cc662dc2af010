"""Outlier models with a signature: what is not signed by an accepted key scores nothing."""

from typing import Any

import pytest

from jobs.context import JobContext
from jobs.outliers.retrain import run
from jobs.outliers.scan import scan
from store.engine.database import Database
from store.models.archive_signatures import UntrustedModel
from store.models.outlier_models import champion
from tests.jobs.outliers.conftest import NewKey, with_keys

pytestmark = pytest.mark.usefixtures("few_trees")


def champion_id(database: Database) -> int | None:
    with database.read() as session:
        row = champion(session)
    return None if row is None else row.id


def test_a_new_model_is_signed_and_scores(
    context: JobContext, traffic: Any, new_key: NewKey
) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    signed = with_keys(context, *new_key("ours"))
    run(signed)
    [signature] = (context.settings.store.var_dir / "models").rglob("*.sig")
    assert scan(signed).records == 40
    traffic.later(minutes=1).clean("ip:203.0.113.2", 10)
    signature.write_text("{}")
    for job in (scan, run):
        with pytest.raises(UntrustedModel, match="has no signature of a key in MASKWATCH"):
            job(signed)
    assert champion_id(context.database) == 1


def test_a_model_that_another_key_signed_scores_nothing(
    context: JobContext, traffic: Any, new_key: NewKey
) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    run(with_keys(context, *new_key("ours")))
    _, other = new_key("theirs")
    with pytest.raises(UntrustedModel, match="sign it with `maskwatch model sign`"):
        scan(with_keys(context, None, other))


def test_a_key_that_is_not_accepted_signs_nothing_that_is_promoted(
    context: JobContext, traffic: Any, new_key: NewKey
) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    private, _ = new_key("ours")
    _, other = new_key("theirs")
    with pytest.raises(UntrustedModel):
        run(with_keys(context, private, other))
    assert champion_id(context.database) is None


def test_without_a_key_to_sign_with_a_person_signs(
    context: JobContext, traffic: Any, new_key: NewKey
) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    _, public = new_key("ours")
    assert "was held back. Nothing signs it here" in run(with_keys(context, None, public)).sentence
    assert champion_id(context.database) is None
    (context.settings.store.var_dir / "no.key").write_text("no key")
    broken = with_keys(context, context.settings.store.var_dir / "no.key", public)
    with pytest.raises(UntrustedModel, match="is no private key in PEM"):
        run(broken)
