"""Processes that do the same at once: forked from one that has imported what they need.

A new interpreter takes most of its time for that.
"""

import subprocess
import sys
from collections.abc import Sequence

from tests.waiting import PATIENCE_SECONDS

_FORK = """
import os
import sys


def fork(words):
    for word in words:
        if not os.fork():
            return word
    sys.exit(any([os.wait()[1] for _ in words]))


word = fork(sys.argv[1:])
"""


def run_together(imports: str, work: str, words: Sequence[str]) -> None:
    """Run code in a process for each word, which is its variable ``word``; none of them fails."""
    command = [sys.executable, "-c", f"{imports}\n{_FORK}\n{work}", *words]
    ended = subprocess.run(command, stderr=subprocess.PIPE, timeout=PATIENCE_SECONDS, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
