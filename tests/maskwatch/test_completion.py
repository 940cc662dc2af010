"""Shell completion, as bash asks for it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.catalogue import JOBS
from maskwatch.commands.jobs.commands import complete_job

# What bash does at TAB: it calls the function with the words of the line, and reads COMPREPLY.
_TAB = """
eval "$(_MASKWATCH_COMPLETE=source_bash maskwatch)"
for line in "$@"; do
  read -r -a COMP_WORDS <<< "maskwatch $line"
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _maskwatch_completion maskwatch
  echo "${COMPREPLY[*]}"
done
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of a shell that finds ``maskwatch`` as an installation puts it."""
    script = tmp_path / "maskwatch"
    script.write_text(f"#!{sys.executable}\nfrom maskwatch.cli import main\n\nmain()\n")
    script.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}


BASH = shutil.which("bash")


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
def test_bash_completes_commands_that_are_not_hidden_and_names_of_jobs(
    environment: dict[str, str],
) -> None:
    lines = ("da", "retr", "jobs run retr", "jobs s")
    ended = subprocess.run(
        [str(BASH), "--norc", "-c", _TAB, "bash", *lines],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stderr == ""
    assert ended.stdout.split("\n") == ["dashboard dashboard-link", "", "retrain", "status", ""]


@pytest.mark.parametrize(
    ("beginning", "names"),
    [
        ("", [job.name for job in JOBS]),
        ("re", ["retrain"]),
        ("find", ["find_patches", "find_perturbations"]),
        ("evaluate-", ["evaluate-alerts"]),
        ("x", []),
    ],
)
def test_names_of_jobs_complete_from_the_catalogue(beginning: str, names: list[str]) -> None:
    assert [name for name, _ in complete_job(beginning)] == names
