"""What stands on standard error: JSON, whoever says it, and not the same for ever."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from httpx2 import post

from maskwatch.logs import FewAlike

# A process of its own: logging is set up once for each.
_SPEAKS = """
import asyncio, logging, threading, warnings
from maskwatch import logs
logs.configure({debug})
logs.take_over_hooks()

def fails(*_):
    secret_value = "in a variable"
    raise ValueError("bad\\nvalue")

async def neglect():
    asyncio.get_running_loop().call_soon(fails)
    asyncio.get_running_loop().create_task(asyncio.sleep(0)).add_done_callback(fails)
    await asyncio.sleep(0.01)

class Dies:
    __del__ = fails

asyncio.run(neglect())
warnings.warn("odd\\nwarning")
logging.getLogger("uvicorn.error").error("Exception in ASGI application\\n", exc_info=KeyError("a"))
logging.getLogger("uvicorn.error").error("%d places", "three")
thread = threading.Thread(target=fails, name="worker")
thread.start()
thread.join()
Dies()
for number in range(100):
    logging.getLogger("library").warning("number %d", number)
"""
# The service, with a fault in what every request passes before the pipeline.
_SERVES = """
import inference.http.app as app
from maskwatch.cli import main

def fails(*_, **__):
    raise LookupError("unknown encoding")

app.identify_sender = fails
main()
"""


def _lines(text: str) -> list[dict[str, Any]]:
    """Every line, which has to be an object with an event and a level."""
    lines = [json.loads(line) for line in text.splitlines()]
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)
    return lines


@pytest.mark.parametrize("debug", [False, True])
def test_whoever_speaks_does_it_in_our_form(debug: bool) -> None:
    code = _SPEAKS.format(debug=debug)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = _lines(ended.stderr)
    assert {line.get("logger") for line in lines} >= {"asyncio", "py.warnings", "uvicorn.error"}
    assert any(line.get("thread") == "worker" for line in lines)
    assert any(line["event"] == "%d places" for line in lines)
    assert any("nobody could catch" in line["event"] for line in lines)
    assert sum(line.get("logger") == "library" for line in lines) == 10
    assert any("exception" in line for line in lines) is debug
    assert any("error" in line for line in lines) is not debug
    assert "in a variable" not in ended.stderr


def _written(few: FewAlike, **event: Any) -> dict[str, Any] | None:
    try:
        return dict(few(None, "", event))
    except structlog.DropEvent:
        return None


def test_the_same_line_is_written_ten_times_and_then_counted() -> None:
    seconds = [0.0]
    few = FewAlike(lambda: seconds[0])
    written = [_written(few, event="a", number=number) for number in range(50)]
    assert [each is not None for each in written] == [True] * 10 + [False] * 40
    assert _written(few, event="b") == {"event": "b"}
    seconds[0] = 10.0
    assert _written(few, event="a") == {"event": "a", "left_out": 40}
    assert _written(few, event="a") == {"event": "a"}


def test_lines_of_libraries_are_the_same_before_values_are_put_in() -> None:
    few = FewAlike(lambda: 0.0)
    written = [_written(few, event=f"number {n}", template="number %d") for n in range(20)]
    assert sum(each is not None for each in written) == 10
    assert written[0] == {"event": "number 0"}


def test_ever_new_lines_do_not_fill_the_memory() -> None:
    few = FewAlike(lambda: 0.0)
    for number in range(10_000):
        assert _written(few, event=str(number))
    assert len(few._counts) <= 256


@pytest.fixture
def broken_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """A real service whose every upload is a fault; its address and its standard error."""
    monkeypatch.setenv("MASKWATCH_VAR_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("MASKWATCH_PORT", "0")
    errors = tmp_path / "stderr"
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            [sys.executable, "-u", "-c", _SERVES, "serve"],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        yield process.stdout.readline().removeprefix("Service: ").strip(), errors
        process.terminate()


def test_a_real_service_whose_requests_fail_writes_json_and_little_of_it(
    broken_service: tuple[str, Path],
) -> None:
    url, errors = broken_service
    for _ in range(40):
        kind = {"Content-Type": "multipart/form-data; boundary=b; charset=undefined"}
        answer = post(url, content=b"--b--", headers=kind)
        assert answer.status_code == 500
        assert "encoding" not in answer.text
    lines = _lines(errors.read_text())
    faults = [line for line in lines if "unknown encoding" in line.get("error", "")]
    assert {line["level"] for line in faults} == {"error"}
    assert 10 <= len(faults) <= 40
    assert "Traceback" not in errors.read_text()
