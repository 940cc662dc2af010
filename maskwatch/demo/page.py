"""Somebody else's service: the Flask page of the examples, in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from store.engine.files.private_files import OWNER_ONLY


@contextmanager
def run_page(port: int, environment: Mapping[str, str], log: Path) -> Iterator[None]:
    """Run the page until the end; what it prints goes to a file."""
    log.touch(OWNER_ONLY)
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
            [sys.executable, str(_script()), "--port", str(port)],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _script() -> Path:
    """``docs/examples/`` in a checkout, beside this module in an installed package."""
    script = Path(__file__).with_name("flask_page.py")
    if script.exists():
        return script
    return Path(__file__).parents[2] / "docs" / "examples" / "flask_page" / "app.py"
