"""``maskwatch export``: to a file, to standard output, and one sentence for what goes wrong."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from tests.maskwatch.conftest import Run


@pytest.fixture
def parsed(maskwatch: Run, look: Path) -> None:
    """One request on record."""
    assert maskwatch("parse", str(look)).code == 0


@pytest.mark.usefixtures("parsed")
def test_a_request_is_exported_to_a_file(maskwatch: Run, tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    said = maskwatch("export", "--since", "1h", "--out", str(path))
    assert (said.code, said.out, said.err) == (0, "", f"Wrote 1 request to {path}.\n")
    frame = pd.read_parquet(path)
    assert list(frame["client"]) == ["cli:local"]
    assert frame["width"][0] > 0
    said = maskwatch("export", "--since", "1h", "--out", str(path))
    assert said.code == 1
    assert said.err == (
        f"maskwatch: {path} exists already: choose another name, or give --force.\n"
    )
    assert maskwatch("export", "--since", "1h", "--out", str(path), "--force").code == 0


@pytest.mark.usefixtures("parsed")
def test_standard_output_holds_the_export_and_nothing_else(maskwatch: Run) -> None:
    said = maskwatch("export", "--since", "1h", "--format", "jsonl", "--out", "-")
    assert (said.code, said.err) == (0, "Wrote 1 request.\n")
    [line] = said.out.splitlines()
    assert json.loads(line)["verdict"] == "pass"
    said = maskwatch("export", "--since", "2020-01-01", "--format", "csv", "--out", "-")
    names, _values = said.out.splitlines()
    assert names.startswith("request_id,received_at,client,")


@pytest.mark.usefixtures("parsed")
def test_a_reader_that_goes_away_is_a_sentence() -> None:
    command = [sys.executable, "-m", "maskwatch", "export", "--since", "1h"]
    with subprocess.Popen(
        [*command, "--format", "csv", "--out", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read().decode()
    assert said == "maskwatch: The export was cut off: whoever read it stopped reading.\n"
    assert process.returncode == 1


def test_what_goes_wrong_is_one_sentence(maskwatch: Run, tmp_path: Path) -> None:
    assert maskwatch("db", "upgrade").code == 0
    out = str(tmp_path / "out")
    ahead = f"{datetime.now(UTC).year + 1}-01-01"
    for words, sentence in (
        (("--since", "soon", "--out", out), "The time 'soon' cannot be read"),
        (("--since", "1h", "--until", "x", "--out", out), "The time 'x' cannot be read"),
        (("--since", "1h", "--until", "2h", "--out", out), "Nothing lies between"),
        (("--since", ahead, "--out", out), "Nothing lies between"),
        (("--since", "1h", "--format", "xlsx", "--out", out), "There is no format 'xlsx'"),
        (("--since", "1h", "--out", "-"), "Parquet needs a file"),
        (("--since", "1h", "--out", f"{out}/none/a"), f"The folder {out}/none does not exist"),
        (("--since", "1h", "--out", "/proc/a"), "The export cannot be written to /proc/a: "),
    ):
        said = maskwatch("export", *words)
        assert (said.code, said.out) == (1, ""), words
        assert said.err.startswith(f"maskwatch: {sentence}")
        assert said.err.count("\n") == 1
    assert list(tmp_path.glob("out*")) == []
