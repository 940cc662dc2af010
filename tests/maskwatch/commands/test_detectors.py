"""``maskwatch detectors``: list, show, compare, promote and roll back, by hand and audited."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select

from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel
from detectors.registry import FITTED_NAMES, FeatureVector
from store.audit.actors import job
from store.engine.database import Database
from store.engine.start import open_database
from store.models.outlier_models import OutlierModelStore, champion, promote
from store.requests.record_store import add_record
from store.settings import StoreSettings
from store.tables.audit_tables import AuditRow
from tests.makers import NOW, make_record
from tests.maskwatch.conftest import Run

REASON = ("--reason", "It held more false alarms than the one before.")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """With three models; the second is the champion after the first, the third was held back."""
    opened = open_database(StoreSettings(var_dir=tmp_path / "var"))
    rows = np.random.default_rng(3).normal(size=(60, len(FITTED_NAMES)))
    store = OutlierModelStore(tmp_path / "var")
    for seed, key in enumerate(("promoted_because", "promoted_because", "held_back_because")):
        model = OutlierModel.fit(OutlierKind.NEAREST_NEIGHBOURS, rows + seed, FITTED_NAMES, seed)
        with opened.write() as session:
            row = store.add(
                session,
                archive=model.dumps(),
                kind=model.kind,
                rows=60,
                metrics={key: "It says so."},
                now=NOW,
            )
            if key == "promoted_because":
                promote(session, row.id, job("retrain"), NOW, "It says so.")
    yield opened
    opened.close()


def champion_id(database: Database) -> int:
    with database.read() as session:
        row = champion(session)
    assert row is not None
    return row.id


@pytest.mark.usefixtures("database")
def test_models_are_listed_with_what_became_of_them(maskwatch: Run) -> None:
    lines = maskwatch("detectors", "list").out.splitlines()
    assert [line[:6] for line in lines] == ["     3", "*    2", "     1"]
    assert lines[0].endswith("held back: It says so.")
    assert "by job:retrain" in lines[1]
    first = json.loads(maskwatch("detectors", "list", "--json").out.splitlines()[0])
    assert (first["id"], first["is_champion"], first["promotions"]) == (3, False, [])


def test_one_is_promoted_by_hand_and_rolled_back(maskwatch: Run, database: Database) -> None:
    said = maskwatch("detectors", "promote", "3", *REASON)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("Outlier model 3 (")
    assert champion_id(database) == 3
    for expected in (2, 1):
        assert maskwatch("detectors", "rollback", *REASON).out.startswith(
            f"Outlier model {expected} ("
        )
        assert champion_id(database) == expected
    refused = maskwatch("detectors", "rollback", *REASON)
    assert refused.code == 1
    assert "No outlier model was in force before the present one" in refused.err
    shown = maskwatch("detectors", "show", "2").out
    assert shown.count("in force from") == 2
    assert REASON[1] in shown
    with database.read() as session:
        actors = session.scalars(
            select(AuditRow.actor).where(AuditRow.action == "outlier_model_reverted")
        ).all()
    assert [actor[:4] for actor in actors] == ["cli:", "cli:"]


def test_a_digest_names_a_model_too(maskwatch: Run, database: Database) -> None:
    shown = json.loads(maskwatch("detectors", "show", "1", "--json").out)
    assert shown["file"] == "as it was written"
    assert maskwatch("detectors", "promote", shown["digest"][:12], *REASON).code == 0
    assert champion_id(database) == 1


def test_a_changed_file_is_named_and_not_promoted(
    maskwatch: Run, database: Database, tmp_path: Path
) -> None:
    digest = json.loads(maskwatch("detectors", "show", "3", "--json").out)["digest"]
    path = OutlierModelStore(tmp_path / "var").path_of(digest)
    path.write_bytes(b"something else")
    refused = maskwatch("detectors", "promote", "3", *REASON)
    assert (refused.code, refused.out) == (1, "")
    assert f"The file {path} of outlier model 3 was changed on disk" in refused.err
    assert champion_id(database) == 2
    assert "was changed on disk" in maskwatch("detectors", "show", "3").out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("show", "9"), "There is no outlier model '9'"),
        (("show", ""), "There is no outlier model ''"),
        (("show", "\udcff"), "There is no outlier model '"),
        (("show", "abcdefabcdef"), "There is no outlier model 'abcdefabcdef'"),
        (("promote", "9", *REASON), "There is no outlier model '9'"),
        (("promote", "3", "--reason", " "), "Say why"),
        (("compare", "1", "x%"), "There is no outlier model 'x%'"),
    ],
)
@pytest.mark.usefixtures("database")
def test_what_cannot_be_done_is_one_sentence(
    maskwatch: Run, words: tuple[str, ...], sentence: str
) -> None:
    refused = maskwatch("detectors", *words)
    assert (refused.code, refused.out, refused.err.count("\n")) == (1, "", 1)
    assert sentence in refused.err


@pytest.mark.usefixtures("database")
def test_without_records_a_comparison_says_so(maskwatch: Run) -> None:
    said = maskwatch("detectors", "compare", "1", "2")
    assert said.code == 0
    assert said.out.endswith("There are no vetted records to compare them on.\n")


def test_sets_are_frozen_from_records_and_models_compared_on_them(
    maskwatch: Run, database: Database
) -> None:
    now = datetime.now(UTC)
    with database.write() as session:
        for number in range(140):
            attacker = number % 4 == 0
            client = "key:red-team" if attacker else f"ip:203.0.{number}.7"
            features = FeatureVector.of({"width": 600.0 + number + 400 * attacker})
            add_record(session, make_record(client=client, received_at=now, features=features))
    planned = maskwatch("detectors", "freeze", "clean", *REASON, "--dry-run")
    few = (
        "There are 125 clean ones, of which models are left 25 to learn from; a training takes 30. "
        "Freeze anew once there are 200: half of them are left then. "
        "No more than 20 of a client and 100 of a network count."
    )
    assert planned.out == f"Would freeze 100 requests of 85 clients. {few}\n"
    attack = ("freeze", "attack", "--client", "key:red-team", *REASON)
    assert maskwatch("detectors", *attack).out.endswith("): 35 requests of 1 client.\n")
    # What is a planted attack is not clean, although it passed.
    frozen = maskwatch("detectors", "freeze", "clean", *REASON)
    rest = few.replace("125", "105").replace("25", "5")
    assert frozen.out.endswith(f"): 100 requests of 100 clients. {rest}\n")
    assert maskwatch("detectors", *attack).code == 0
    lines = maskwatch("detectors", "frozen").out.splitlines()
    assert [line[:14] for line in lines] == ["*    3  attack", "*    2  clean ", "     1  attack"]
    assert all(line.endswith("(its file is as it was written)") for line in lines)
    compared = maskwatch("detectors", "compare", "1", "2").out
    assert "the newest" in compared
    assert "frozen attack set" in compared


def test_half_of_the_clean_requests_stay_for_models_to_learn_from(
    maskwatch: Run, database: Database
) -> None:
    now = datetime.now(UTC)
    with database.write() as session:
        for number in range(300):
            client = f"ip:20.{number // 100}.{number % 100}.7"
            features = FeatureVector.of({"width": 600.0 + number})
            add_record(session, make_record(client=client, received_at=now, features=features))
    frozen = maskwatch("detectors", "freeze", "clean", *REASON)
    assert frozen.out.endswith("): 150 requests of 150 clients.\n")


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("clean", *REASON), "A frozen clean set takes at least 100 requests; there are 0."),
        (("clean", "--reason", ""), "Say why"),
    ],
)
def test_too_little_to_freeze_is_one_sentence(
    maskwatch: Run, words: tuple[str, ...], sentence: str
) -> None:
    refused = maskwatch("detectors", "freeze", *words)
    assert (refused.code, refused.out, refused.err.count("\n")) == (1, "", 1)
    assert sentence in refused.err


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("words", [("clean", "--client", "key:acme"), ("attack",)])
def test_only_attacks_are_named_by_their_client(maskwatch: Run, words: tuple[str, ...]) -> None:
    refused = maskwatch("detectors", "freeze", *words, *REASON)
    assert refused.code == 2
    assert "--client goes with attack" in refused.err


def test_a_digest_takes_six_digits_at_least(maskwatch: Run, database: Database) -> None:
    digest = json.loads(maskwatch("detectors", "show", "3", "--json").out)["digest"]
    refused = maskwatch("detectors", "promote", digest[:5], *REASON)
    assert (refused.code, champion_id(database)) == (1, 2)
    assert "There is no outlier model" in refused.err
    assert maskwatch("detectors", "promote", digest[:6].upper(), *REASON).code == 0
    assert champion_id(database) == 3


@pytest.mark.usefixtures("database")
def test_unsigned_models_are_not_compared_where_keys_are_set(
    maskwatch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    accepted = tmp_path / "ours.pub"
    accepted.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    monkeypatch.setenv("MASKWATCH_OUTLIER_MODEL_KEYS", str(accepted))
    said = maskwatch("detectors", "compare", "1", "2")
    assert (said.code, said.out) == (1, "")
    assert "has no signature of a key in MASKWATCH_OUTLIER_MODEL_KEYS" in said.err
