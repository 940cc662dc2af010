"""What the C library keeps of memory that is not needed any more, in a process of its own."""

import ctypes
import subprocess
import sys

import pytest

# Ten uploads come and go; the last one is still there, and lies behind the others.
_UPLOADS = """
import re
from pathlib import Path
from inference.machine.allocator import give_large_blocks_back

def resident_bytes():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

{prepare}
before = resident_bytes()
upload = b"x" * 9_900_000
del upload
uploads = [b"%d" % number * 9_900_000 for number in range(10)]
del uploads[:-1]
print(resident_bytes() - before)
"""


def _bytes_kept(prepare: str) -> int:
    command = [sys.executable, "-c", _UPLOADS.format(prepare=prepare)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="no such C library")
def test_the_memory_of_a_large_upload_goes_back_though_others_are_there_still() -> None:
    assert _bytes_kept("") > 50_000_000
    assert _bytes_kept("give_large_blocks_back()") < 20_000_000
