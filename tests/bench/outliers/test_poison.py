import pytest

from bench.outliers.poison import Attack, Guard, run_nights


@pytest.mark.parametrize("sample", [True, False])
def test_nights_end_with_a_model_that_can_still_be_measured(
    monkeypatch: pytest.MonkeyPatch, sample: bool
) -> None:
    monkeypatch.setattr("bench.outliers.poison._NIGHTS", 2)
    monkeypatch.setattr("bench.outliers.poison._TESTED", 50)
    attack = Attack(share=0.05, clients=50, drifts=True)
    result = run_nights(attack, Guard("gate", gate=True, sample=sample), 0)
    assert all(0 <= share <= 1 for share in result.values())
    assert set(result) == {"before", "after", "promoted"}
