from pathlib import Path

import pytest

from bench.detection.probing.command import UnknownSequence, measure_probing


def test_a_sequence_that_does_not_exist_is_named_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UnknownSequence, match="'film' is none of square, nes"):
        measure_probing(tmp_path, tmp_path / "out.json", 1, 1, "test", ["webcam", "film"])
