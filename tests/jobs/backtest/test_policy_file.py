"""Files with a block policy that is to be tried."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.evidence.kinds import EvidenceKind
from jobs.backtest.policy_file import TRIED_SCENARIOS, read_policy, write_policy
from jobs.backtest.trial import TABLE_WEIGHTS, PolicyTrial
from jobs.backtest.tried_rules import BadTrial
from jobs.settings import BlockingGroup
from store.decisions.scenarios import Switches

IN_FORCE = PolicyTrial(BlockingGroup(), Switches(simulates_all=True, enabled=frozenset({"flood"})))


def read(folder: Path, text: str | bytes) -> PolicyTrial:
    file = folder / "policy.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_policy(file, IN_FORCE)


@given(
    st.integers(1, 1_000),
    st.booleans(),
    st.sets(st.sampled_from(TRIED_SCENARIOS)),
    st.floats(0, 10).map(lambda each: round(each, 3)),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    block_after: int,
    simulates: bool,
    enabled: set[str],
    weight: float,
) -> None:
    trial = replace(
        IN_FORCE,
        blocking=BlockingGroup(block_after=block_after, simulate_blocks=simulates),
        switches=Switches(simulates, frozenset(enabled)),
        weights={**TABLE_WEIGHTS, EvidenceKind.DOUBTFUL: weight},
    )
    file = tmp_path_factory.mktemp("policy") / "policy.toml"
    file.write_text("\n".join(write_policy(trial)))
    other = read_policy(file, IN_FORCE)
    assert (other.blocking, other.weights) == (trial.blocking, trial.weights)
    for scenario in TRIED_SCENARIOS:
        assert other.switches.enforces(scenario) is trial.switches.enforces(scenario)


def test_a_file_that_is_too_large_is_not_read_in_part(tmp_path: Path) -> None:
    with pytest.raises(BadTrial, match="is too large"):
        read(tmp_path, "# why\n" * 20_000 + "[blocking]\nblock_after = 9\n")


def test_a_number_with_thousands_of_digits_is_no_fault(tmp_path: Path) -> None:
    with pytest.raises(BadTrial, match="is no TOML"):
        read(tmp_path, f"[blocking]\nblock_after = {'9' * 5_000}\n")


def test_what_is_left_out_stays_as_it_is(tmp_path: Path) -> None:
    trial = read(tmp_path, "[blocking]\nblock_after = 9\n[scenarios]\nhostile_files = true\n")
    assert trial.blocking == BlockingGroup(block_after=9)
    enforced = [each for each in TRIED_SCENARIOS if trial.switches.enforces(each)]
    assert enforced == ["hostile_files", "flood"]
    assert trial.weights == TABLE_WEIGHTS
    everything = read(tmp_path, "[blocking]\nsimulate_blocks = false\n[scenarios]\nflood = false\n")
    assert not everything.switches.enforces("flood")
    assert everything.switches.enforces("crafted_pictures")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[blocking", "policy.toml is no TOML: "),
        (b"\xff\xfe", "is no text in UTF-8"),
        ("blocking = 3", r"blocking must be a table: write \[blocking\]"),
        ("[weight]", r"\[weight\] is no table of a policy \(the nearest is weights\)"),
        ("[blocking]\nblok_after = 3", r"blocking.blok_after is no setting .*nearest is block_aft"),
        ("[blocking]\nnetwork_share = 0.5", "blocking.network_share is no setting of a policy"),
        ("[blocking]\nblock_after = 'three'", "blocking.block_after is not usable: it must be a"),
        ("[blocking]\nblock_after = true", "blocking.block_after is not usable: it must be a"),
        ("[blocking]\nblock_after = 0", "blocking.block_after is not usable: it must be a who"),
        ("[scenarios]\nfloods = true", r"scenarios.floods is no scenario .*nearest is flood\)"),
        ("[scenarios]\nflood = 1", "scenarios.flood is not usable: write true or false"),
        ("[weights]\ncraftd = 1", r"weights.craftd is no kind of evidence .*nearest is crafted\)"),
        ("[weights]\ncrafted = '1'", "weights.crafted is not usable: write a number from 0 to"),
        ("[weights]\ncrafted = nan", "weights.crafted is not usable: write a number from 0 to"),
        ("[weights]\ncrafted = -1", "weights.crafted is not usable: write a number from 0 to"),
        ("[weights]\nmistake = 1", "weights.mistake is no kind of evidence"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, text: str | bytes, sentence: str) -> None:
    with pytest.raises(BadTrial, match=sentence):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadTrial, match=r"none.toml cannot be read: no such file"):
        read_policy(tmp_path / "none.toml", IN_FORCE)
    with pytest.raises(BadTrial, match="cannot be read: is a directory"):
        read_policy(tmp_path, IN_FORCE)
