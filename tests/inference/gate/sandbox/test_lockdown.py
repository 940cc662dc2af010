"""All layers together, as a worker has them."""

import json
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path
from signal import SIGSYS

import pytest

from inference.gate.sandbox import landlock, seccomp
from inference.gate.sandbox.lockdown import Sandbox

Confined = Callable[..., "subprocess.CompletedProcess[str]"]
LOCK = "held = lock_down(Resources(memory_bytes=200_000_000, cpu_seconds=60))"
SECCOMP_OFFERED = Path("/proc/sys/kernel/seccomp/actions_avail").exists()


def _held(confined: Confined, prepare: str = "") -> Sandbox:
    found = confined(prepare, LOCK, "os.write(1, json.dumps(asdict(held)).encode())")
    return Sandbox(**json.loads(found.stdout.removesuffix("succeeded")))


def test_what_the_kernel_offers_is_in_force(confined: Confined) -> None:
    held = _held(confined)
    assert held.limits
    assert held.seccomp == (SECCOMP_OFFERED and seccomp.machine() is not None)
    assert held.landlock == landlock.version()


def test_what_the_kernel_says_agrees(confined: Confined) -> None:
    prepare = "status = os.open('/proc/self/status', os.O_RDONLY)"
    found = confined(prepare, LOCK, "os.write(1, os.pread(status, 8_192, 0))").stdout
    lines = dict(line.split(":\t", 1) for line in found.splitlines() if ":\t" in line)
    assert lines["NoNewPrivs"] == "1"
    if not SECCOMP_OFFERED or seccomp.machine() is None:
        pytest.skip(f"no seccomp filter for this kernel on {platform.machine()}")
    assert lines["Seccomp"] == "2"


@pytest.mark.parametrize("missing", ["machine", "kernel"])
def test_what_is_not_offered_is_said_and_the_rest_is_in_force(
    confined: Confined, missing: str
) -> None:
    prepare = {
        "machine": "seccomp.machine = lambda: None",
        "kernel": "landlock.version = lambda: 0",
    }[missing]
    held = _held(confined, prepare)
    assert held.limits
    assert not held.is_complete()
    if missing == "machine":
        assert (held.seccomp, held.landlock) == (False, landlock.version())
    else:
        assert (held.seccomp, held.landlock) == (SECCOMP_OFFERED, 0)


@pytest.mark.parametrize(
    ("sandbox", "complete"),
    [
        (Sandbox(limits=True, seccomp=True, landlock=1), True),
        (Sandbox(limits=False, seccomp=True, landlock=1), False),
        (Sandbox(limits=True, seccomp=False, landlock=1), False),
        (Sandbox(limits=True, seccomp=True, landlock=0), False),
    ],
)
def test_it_is_complete_if_nothing_is_missing(sandbox: Sandbox, complete: bool) -> None:
    assert sandbox.is_complete() is complete


@pytest.mark.parametrize(
    ("prepare", "attempt"),
    [
        ("", "socket.socket()"),
        ("", "os.execv('/proc/self/exe', ['python'])"),
    ],
)
def test_breaking_out_kills(confined: Confined, prepare: str, attempt: str) -> None:
    if not SECCOMP_OFFERED or seccomp.machine() is None:
        pytest.skip(f"no seccomp filter for this kernel on {platform.machine()}")
    assert confined(prepare, LOCK, attempt).returncode == -SIGSYS


@pytest.mark.parametrize("attempt", ["open('/etc/passwd')", "os.fork()", "os.mkdir('/tmp/x')"])
def test_reaching_out_is_denied(confined: Confined, attempt: str) -> None:
    if not (SECCOMP_OFFERED and seccomp.machine()) and not landlock.version():
        pytest.skip("this kernel offers neither seccomp filters nor Landlock")
    assert confined("", LOCK, attempt).stdout.startswith("PermissionError")
