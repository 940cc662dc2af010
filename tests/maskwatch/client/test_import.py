"""The client is the standard library's alone: hosts need nothing of what the sidecar needs."""

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_LOOK = f"import sys; sys.path.append({str(_ROOT)!r}); import maskwatch.client; print(*sys.modules)"


def test_the_client_loads_nothing_but_the_standard_library() -> None:
    ended = subprocess.run(
        # Isolated and without site-packages.
        [sys.executable, "-I", "-S", "-c", _LOOK],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    names = set(ended.stdout.split())
    ours = {name for name in names if name.partition(".")[0] == "maskwatch"}
    others = {name.partition(".")[0] for name in names - ours}
    assert all(name == "maskwatch" or name.startswith("maskwatch.client") for name in ours)
    assert others <= {*sys.stdlib_module_names, "__main__"}
