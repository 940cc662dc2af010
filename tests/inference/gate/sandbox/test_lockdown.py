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


# Each is tried in a process that is locked down as a worker is, behind what was opened before it.
# None of them may do anything: the process dies of it, or is told that it may not.
PROBES = (
    "open({file!r}).read()",
    "open({file!r}, 'a').write('x')",
    "open({new!r}, 'w')",
    "os.open({folder!r}, os.O_RDONLY | os.O_DIRECTORY)",
    "os.open({folder!r}, os.O_TMPFILE | os.O_RDWR)",
    "os.open('/proc/self/mem', os.O_RDWR)",
    "os.open('/proc/self/environ', os.O_RDONLY)",
    "os.open('/dev/null', os.O_WRONLY)",
    "os.open('secret', os.O_RDONLY, dir_fd=directory)",
    "os.listdir({folder!r})",
    "os.scandir(directory)",
    "os.stat({file!r})",
    "os.access({file!r}, os.R_OK) or os.stat({file!r})",
    "os.readlink('/proc/self/exe')",
    "os.rename({file!r}, {new!r})",
    "os.link({file!r}, {new!r})",
    "os.symlink({file!r}, {new!r})",
    "os.unlink({file!r})",
    "os.rmdir({folder!r})",
    "os.mkdir({new!r})",
    "os.mkfifo({new!r})",
    "os.chmod({file!r}, 0o777)",
    "os.fchmod(opened, 0o777)",
    "os.chown({file!r}, 0, 0)",
    "os.utime({file!r})",
    "os.truncate({file!r}, 0)",
    "os.setxattr({file!r}, 'user.a', b'x')",
    "os.chdir({folder!r})",
    "os.fchdir(directory)",
    "os.chroot({folder!r})",
    "os.umask(0)",
    "os.fork()",
    "os.posix_spawn('/bin/true', ['true'], {{}})",
    "os.execv('/bin/true', ['true'])",
    "subprocess.run(['true'])",
    "threading.Thread(target=print).start()",
    "os.kill(os.getppid(), 9)",
    "os.kill(-1, 0)",
    "os.setuid(0)",
    "os.setgroups([0])",
    "os.setsid()",
    "os.setpriority(os.PRIO_PROCESS, 0, -5)",
    "os.sched_setaffinity(0, [0])",
    "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "socket.socket()",
    "socket.socket(socket.AF_UNIX)",
    "socket.socketpair()",
    "earlier.connect(('127.0.0.1', 9))",
    "earlier.bind(('127.0.0.1', 0))",
    "os.pipe()",
    "os.memfd_create('x')",
    "os.eventfd(0)",
    "os.pidfd_open(os.getppid())",
    "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)",
    "_fail(libc.ptrace(0, 0, 0, 0))",
    "_fail(libc.mount(None, None, None, 0, None))",
    "_fail(libc.unshare(0x10000000))",
    "_fail(libc.setns(directory, 0))",
    "_fail(libc.personality(0x0400000))",
    "_fail(libc.prctl(4, 1, 0, 0, 0))",
    "_fail(libc.process_vm_readv(os.getppid(), None, 0, None, 0, 0))",
    "_fail(libc.syscall(425, 1, None))",
    "_fail(libc.syscall(321, 0, None, 0))",
    "_fail(libc.syscall(323, 0))",
)
BEFORE = """
import gc, select
def _fail(answer):
    if answer == -1: raise PermissionError(ctypes.get_errno(), "refused")
directory = os.open({folder!r}, os.O_RDONLY)
opened = os.open({file!r}, os.O_RDONLY)
earlier = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
"""


@pytest.mark.parametrize("probe", PROBES)
def test_whoever_takes_a_worker_over_gets_no_further(
    confined: Confined, tmp_path: Path, probe: str
) -> None:
    if not (SECCOMP_OFFERED and seccomp.machine()) or not landlock.version():
        pytest.skip("this kernel offers no seccomp filters or no Landlock")
    file = tmp_path / "secret"
    file.write_text("kept")
    names = {"file": str(file), "new": str(tmp_path / "new"), "folder": str(tmp_path)}
    found = confined(BEFORE.format(**names), LOCK, probe.format(**names))
    assert found.returncode == -SIGSYS or not found.stdout.startswith("succeeded"), found.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("kept", 0o644)
