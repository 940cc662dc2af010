"""``maskwatch backtest``: tables for people, JSON for programs, one sentence for a mistake."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from detectors.registry import FeatureVector
from store.engine.start import open_database
from store.requests.record_store import add_record
from store.settings import StoreSettings
from tests.makers import make_record
from tests.maskwatch.conftest import Run
from tests.small_disk import fill_disk, small_disk

ATTACKER, ODD_NAME = "ip:198.51.100.7", "key:[red]\x1b[2J"
RULE = ("backtest", "--since", "3h", "--rule", "probing_sequence=5")


@pytest.fixture(autouse=True)
def past(tmp_path: Path) -> None:
    """A search that the rule in force did not find, of two clients."""
    # All within one minute, so that one step of the jobs comes after all of them.
    begin = (datetime.now(UTC) - timedelta(hours=1)).replace(second=5, microsecond=0)
    with (
        closing(open_database(StoreSettings(var_dir=tmp_path / "var"))) as database,
        database.write() as session,
    ):
        for number in range(16):
            record = make_record(
                client=(ATTACKER, ODD_NAME)[number % 2],
                received_at=begin + timedelta(seconds=number),
                features=FeatureVector.of({"probing_score": 8.0}),
            )
            add_record(session, record)


def test_it_says_whom_a_rule_would_hit(maskwatch: Run) -> None:
    said = maskwatch(*RULE)
    assert (said.code, said.err) == (0, "")
    assert "16 requests, tried: rule probing_sequence=5." in said.out
    assert "flagged requests" in said.out
    assert "0 → 8" in said.out
    assert f"{ATTACKER}, simulated until" in said.out
    assert "8 queries of a search in 60 minutes, 8 uploads in all." in said.out
    assert "\x1b[2J" not in said.out
    assert "key:[red]\\x1b[2J" in said.out


def test_it_is_written_as_json(maskwatch: Run, tmp_path: Path) -> None:
    printed = json.loads(maskwatch(*RULE, "--json", "-").out)
    assert printed["totals"]["requests"] == 16
    assert printed["totals"]["flagged"] == {"was": 0, "would": 16, "new": 16, "gone": 0}
    assert printed["totals"]["blocks"] == {"was": 0, "would": 2, "new": 2, "gone": 0}
    assert set(printed["clients"]) == {ATTACKER, ODD_NAME}
    assert printed["first_blocks"][ATTACKER]["scenario"] == "probing_search"
    file = tmp_path / "result.json"
    assert "flagged requests" in maskwatch(*RULE, "--json", str(file)).out
    assert json.loads(file.read_text())["totals"] == printed["totals"]


def test_a_full_disk_is_a_sentence_and_the_earlier_result_stays(
    maskwatch: Run, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        file = disk / "result.json"
        file.write_text("what was there before")
        fill_disk(disk)
        said = maskwatch(*RULE, "--json", str(file))
        assert said.code == 1
        assert said.err.endswith(f"The file {file} cannot be written: No space left on device.\n")
        assert file.read_text() == "what was there before"
        assert not list(disk.glob("*.part"))


def test_the_policy_in_force_is_a_start(maskwatch: Run, tmp_path: Path) -> None:
    written = maskwatch("backtest", "--write-policy").out
    file = tmp_path / "policy.toml"
    file.write_text(written.replace("block_after = 3", "block_after = 90"))
    assert "block_after = 90" in file.read_text()
    printed = json.loads(maskwatch(*RULE, "--policy", str(file), "--json", "-").out)
    assert printed["totals"]["blocks"]["would"] == 0
    assert printed["totals"]["flagged"]["would"] == 16


def test_gate_rules_do_what_the_settings_say(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_GATE_RULES", "flat_picture=off")
    said = maskwatch("backtest", "--since", "3h", "--rule", "flat_picture=0.5")
    assert (said.code, said.out) == (1, "")
    assert "turns flat_picture off" in said.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--since", "soon"), "The time 'soon' cannot be read"),
        (("--since", "2999-01-01"), "is still to come"),
        (("--since", "3h", "--until", "4h"), "Nothing lies between --since and --until."),
        (("--since", "3h", "--rule", "nothing=1"), "There is no rule 'nothing'"),
        (("--since", "3h", "--model", "abcdef"), "There is no outlier model 'abcdef'"),
        (("--since", "3h", "--policy", "none.toml"), "none.toml cannot be read"),
        (("--since", "3h", "--json", "no/such/folder.json"), "cannot be written: No such file"),
    ],
)
def test_a_mistake_is_one_sentence(maskwatch: Run, words: tuple[str, ...], sentence: str) -> None:
    said = maskwatch("backtest", *words)
    assert said.code == 1
    assert sentence in said.err
    assert said.err.count("\n") == 1


def test_it_asks_for_a_time(maskwatch: Run) -> None:
    said = maskwatch("backtest")
    assert said.code == 2
    assert "Say from when on" in said.err
