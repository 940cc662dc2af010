"""The system call filter: as a program, read step by step, and in force in a real process."""

import platform
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from signal import SIGABRT, SIGSYS

import pytest

from inference.gate.sandbox import seccomp
from inference.gate.sandbox.seccomp import Architecture

Confined = Callable[..., "subprocess.CompletedProcess[str]"]
Step = tuple[int, int, int, int]
ALLOW, DENY, KILL = 0x7FFF0000, 0x00050001, 0x80000000
LOAD, EQUALS, AT_LEAST, HAS_BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
LOCK = "seccomp.forbid_new_privileges(); assert seccomp.filter_system_calls()"
PID = 4_711
ARCHITECTURES = pytest.mark.parametrize(
    "architecture", [seccomp._X86_64, seccomp._AARCH64], ids=["x86_64", "aarch64"]
)


def _steps(architecture: Architecture) -> list[Step]:
    return list(struct.iter_unpack("=HBBI", seccomp.program(architecture, PID)))


def _verdict(steps: list[Step], number: int, audit: int, *, first: int = 0, third: int = 0) -> int:
    """What the kernel would answer (Documentation/networking/filter.rst)."""
    call = struct.pack("=IIQ6Q", number, audit, 0, first, 0, third, 0, 0, 0)
    place = value = 0
    while True:
        operation, if_true, if_false, operand = steps[place]
        if operation == RETURN:
            return operand
        if operation == LOAD:
            [value] = struct.unpack_from("=I", call, operand)
            place += 1
            continue
        holds = {
            EQUALS: value == operand,
            AT_LEAST: value >= operand,
            HAS_BITS: bool(value & operand),
        }[operation]
        place += 1 + (if_true if holds else if_false)


def _in_force() -> None:
    if not Path("/proc/sys/kernel/seccomp/actions_avail").exists():
        pytest.skip("this kernel offers no seccomp filters")
    if seccomp.machine() is None:
        pytest.skip(f"there is no filter for {platform.machine()}")


@ARCHITECTURES
def test_the_architecture_is_asked_for_before_anything_else(architecture: Architecture) -> None:
    steps = _steps(architecture)
    assert steps[0] == (LOAD, 0, 0, 4)
    others = {seccomp._X86_64.audit, seccomp._AARCH64.audit, 0x40000003} - {architecture.audit}
    for number in range(500):
        assert {_verdict(steps, number, audit) for audit in others} == {KILL}


@ARCHITECTURES
def test_no_call_is_named_twice(architecture: Architecture) -> None:
    named = (
        *architecture.allowed,
        *architecture.mapping,
        *architecture.signalling,
        *architecture.deadly,
    )
    assert len(set(named)) == len(named)


@ARCHITECTURES
def test_every_jump_lands_inside_and_the_last_step_answers(architecture: Architecture) -> None:
    steps = _steps(architecture)
    assert len(steps) < 4_096  # BPF_MAXINSNS
    assert steps[-1] == (RETURN, 0, 0, DENY)
    for place, (_, if_true, if_false, _) in enumerate(steps):
        assert place + 1 + max(if_true, if_false) <= len(steps)


@ARCHITECTURES
def test_every_call_has_the_answer_of_its_list(architecture: Architecture) -> None:
    steps = _steps(architecture)
    expected = dict.fromkeys(architecture.allowed, ALLOW)
    expected |= dict.fromkeys(architecture.mapping, ALLOW)
    expected |= dict.fromkeys(architecture.deadly, KILL)
    for number in range(1_000):
        found = _verdict(steps, number, architecture.audit)
        assert found == expected.get(number, DENY), number


@ARCHITECTURES
def test_memory_may_be_mapped_unless_it_can_be_executed(architecture: Architecture) -> None:
    steps = _steps(architecture)
    for number in architecture.mapping:
        answers = [_verdict(steps, number, architecture.audit, third=third) for third in range(8)]
        assert answers == [ALLOW] * 4 + [DENY] * 4


@ARCHITECTURES
def test_signals_may_go_to_the_process_itself_alone(architecture: Architecture) -> None:
    steps = _steps(architecture)
    assert len(architecture.signalling) == 1
    for number in architecture.signalling:
        for target in (0, 1, PID - 1, PID + 1, 2**32 - 1):
            assert _verdict(steps, number, architecture.audit, first=target) == DENY
        assert _verdict(steps, number, architecture.audit, first=PID) == ALLOW


@ARCHITECTURES
@pytest.mark.parametrize("number", [0x40000000, 0x40000001, 0x4000003B, 0xFFFFFFFF])
def test_numbers_of_other_interfaces_kill(architecture: Architecture, number: int) -> None:
    assert _verdict(_steps(architecture), number, architecture.audit) == KILL


@pytest.mark.parametrize(
    ("prepare", "attempt"),
    [
        ("", "socket.socket()"),
        ("c = socket.socket()", "c.connect(('127.0.0.1', 9))"),
        ("c = socket.socket()", "c.bind(('127.0.0.1', 0))"),
        ("c = socket.socket()", "c.listen()"),
        ("", "os.execv('/proc/self/exe', ['python'])"),
        ("pid = os.getpid()", "os.kill(pid, 0)"),
        ("", "libc.ptrace(0, 0, 0, 0)"),
        ("", "libc.mount(None, None, None, 0, None)"),
        ("", "libc.process_vm_readv(1, None, 0, None, 0, 0)"),
    ],
)
def test_what_only_an_intruder_asks_for_kills(
    confined: Confined, prepare: str, attempt: str
) -> None:
    _in_force()
    found = confined(prepare, LOCK, attempt)
    assert (found.returncode, found.stdout) == (-SIGSYS, "")


@pytest.mark.parametrize(
    ("prepare", "attempt"),
    [
        ("", "open('/dev/null')"),
        ("", "os.listdir('/')"),
        ("", "os.fork()"),
        ("", "subprocess.Popen(['true'])"),
        ("", "os.pipe()"),
        ("", "os.memfd_create('x')"),
        ("", "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)"),
        ("", "os.setresuid(0, 0, 0)"),
        ("", "os.chdir('/')"),
        ("a, b = socket.socketpair()", "socket.send_fds(a, [b'x'], [0])"),
    ],
)
def test_everything_else_is_not_permitted(confined: Confined, prepare: str, attempt: str) -> None:
    _in_force()
    assert confined(prepare, LOCK, attempt).stdout == "PermissionError 1"


def test_memory_cannot_be_made_executable_later(confined: Confined) -> None:
    _in_force()
    prepare = (
        "page = mmap.mmap(-1, 4096); start = ctypes.addressof(ctypes.c_char.from_buffer(page))"
    )
    attempt = "assert libc.mprotect(ctypes.c_void_p(start), 4096, 5) == -1"
    assert confined(prepare, LOCK, attempt).stdout == "succeeded"


def test_no_thread_can_be_started(confined: Confined) -> None:
    _in_force()
    attempt = "threading.Thread(target=print).start()"
    assert confined("", LOCK, attempt).stdout == "RuntimeError None"


def test_what_decoding_needs_is_left(confined: Confined) -> None:
    _in_force()
    attempt = "a.send(os.urandom(8)); assert len(b.recv(9)) == 8; bytearray(50_000_000)"
    assert confined("a, b = socket.socketpair()", LOCK, attempt).stdout == "succeeded"


def test_no_other_process_can_be_signalled(confined: Confined) -> None:
    _in_force()
    number = {"x86_64": 234, "aarch64": 131}[platform.machine()]
    attempt = f"assert libc.syscall({number}, parent, parent, 0) == -1"
    found = confined("parent = os.getppid()", LOCK, attempt)
    assert found.returncode == -SIGSYS or found.stdout == "succeeded"


def test_it_may_abort_itself(confined: Confined) -> None:
    _in_force()
    found = confined("resource.setrlimit(resource.RLIMIT_CORE, (0, 0))", LOCK, "os.abort()")
    assert found.returncode == -SIGABRT


def test_an_unknown_machine_has_no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "pdp11")
    assert seccomp.machine() is None
    assert seccomp.filter_system_calls() is False
