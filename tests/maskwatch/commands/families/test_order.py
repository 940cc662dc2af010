"""What labels taught, on the command line: its state, its lists, and the way back."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.context import JobContext
from jobs.outliers import group_families
from jobs.settings import JobSettings
from store.engine.start import open_database
from store.settings import StoreSettings
from tests.labelled_traffic import Labelled
from tests.maskwatch.conftest import Run

REASON = ("--reason", "It misled us.")
ATTACKER, HONEST = "ip:203.0.113.9", "ip:198.51.100.4"


@pytest.fixture
def labelled(tmp_path: Path) -> Iterator[Labelled]:
    """Labels of many clients, and two families of which the honest one grew last."""
    now = datetime.now(UTC)
    with closing(open_database(StoreSettings(var_dir=tmp_path / "var"))) as database:
        labelled = Labelled(database, tmp_path / "var", now)
        labelled.outliers(3, attacks=True, client=ATTACKER, minutes_ago=9)
        labelled.outliers(3, attacks=False, client=HONEST, minutes_ago=2)
        group_families.run(JobContext(database, JobSettings(var_dir=tmp_path / "var"), now))
        yield labelled


def _first_family(maskwatch: Run) -> str:
    return maskwatch("families", "list").out.splitlines()[0]


def test_the_state_says_how_far_the_labels_are(maskwatch: Run, labelled: Labelled) -> None:
    labelled.teach(16, 15)
    said = maskwatch("feedback", "status").out
    assert said.startswith("Order: By p-value.\nLabels: 31 of 50 labels, 16 confirmed and 15 ")
    assert "31 of 50 labels" in maskwatch("jobs", "run", "train-reranker").out
    listed = maskwatch("families", "list")
    assert HONEST in listed.out.splitlines()[0]
    assert listed.err == ""


def test_it_orders_families_and_is_shown_rolled_back_and_promoted(
    maskwatch: Run, labelled: Labelled
) -> None:
    labelled.teach(26, 26)
    assert "It is in force as r1." in maskwatch("jobs", "run", "train-reranker").out
    assert "r1: On held-out labels its AUROC is" in maskwatch("feedback", "status").out
    assert ATTACKER in _first_family(maskwatch)
    assert "For an attack: " in _first_family(maskwatch)
    assert "In the order that labels taught (r1)." in maskwatch("families", "list").err
    assert maskwatch("detectors", "list").out.splitlines()[-1].startswith("*   r1  ")
    shown = json.loads(maskwatch("detectors", "show", "r1", "--json").out)
    assert (shown["labels"], shown["file"]) == (52, "as it was written")
    assert "in force from" in maskwatch("detectors", "show", "r1").out

    gone = maskwatch("detectors", "rollback", "--reranker", *REASON)
    assert gone.out == "Lists are in the order of p-values from now on.\n"
    assert HONEST in _first_family(maskwatch)
    again = maskwatch("detectors", "rollback", "--reranker", *REASON)
    assert (again.code, again.out) == (1, "")
    assert "No re-ranker is in force" in again.err
    assert "Re-ranker r1 (" in maskwatch("detectors", "promote", "r1", *REASON).out
    assert ATTACKER in _first_family(maskwatch)


def test_a_file_that_was_changed_is_said_and_not_promoted(
    maskwatch: Run, labelled: Labelled
) -> None:
    labelled.teach(26, 26)
    maskwatch("jobs", "run", "train-reranker")
    [path] = (labelled.var_dir / "models").rglob("*.reranker")
    path.write_bytes(b"something else")
    listed = maskwatch("families", "list")
    assert HONEST in listed.out.splitlines()[0]
    assert f"r1 is not used. The file {path} of re-ranker r1 was changed on disk" in listed.err
    refused = maskwatch("detectors", "promote", "r1", *REASON)
    assert (refused.code, refused.out) == (1, "")
    assert "was changed on disk" in maskwatch("detectors", "show", "r1").out


@pytest.mark.usefixtures("labelled")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("show", "r9"), "There is no re-ranker 'r9'"),
        (("promote", "r1", *REASON), "There is no re-ranker 'r1'"),
        (("promote", "r1", "--reason", " "), "Say why"),
        (("rollback", "--reranker", "--reason", ""), "Say why"),
        (("show", "r" + "9" * 40), "There is no outlier model"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    maskwatch: Run, words: tuple[str, ...], sentence: str
) -> None:
    refused = maskwatch("detectors", *words)
    assert (refused.code, refused.out, refused.err.count("\n")) == (1, "", 1)
    assert sentence in refused.err
