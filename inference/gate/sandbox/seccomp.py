"""Seccomp: a filter on system calls (seccomp(2)), made for what decoding a picture needs.

What is on the list is allowed. What only an intruder would ask for kills the process. Everything
else is answered "not permitted", so that a library that merely probes goes on without it.
"""

import ctypes
import os
import platform
import struct
from collections.abc import Iterable
from dataclasses import dataclass

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_ALLOW, _DENY, _KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000
_LOAD, _EQUALS, _AT_LEAST, _HAS_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Offsets in ``struct seccomp_data``: number, architecture, lower halves of arguments.
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _THIRD_ARGUMENT = 0, 4, 16, 32
_EXECUTABLE = 0x4
# On x86-64 the calls of the x32 interface begin here; nobody needs them.
_X32 = 0x40000000


@dataclass(frozen=True)
class Architecture:
    """Numbers of system calls (``asm/unistd_64.h``, ``asm-generic/unistd.h``).

    Attributes:
        audit: the kernel's name for the architecture (``AUDIT_ARCH_…``).
        allowed: memory, the worker's own open files, waiting, time, its own signals, its end.
        mapping: ``mmap`` and ``mprotect``: allowed unless the memory would be executable.
        signalling: ``tgkill``: allowed for the process itself, which ends that way in ``abort``.
        deadly: programs, processes, sockets, other processes' memory.
    """

    audit: int
    allowed: tuple[int, ...]
    mapping: tuple[int, ...]
    signalling: tuple[int, ...]
    deadly: tuple[int, ...]


_X86_64 = Architecture(
    audit=0xC000003E,
    # read write close fstat poll lseek munmap brk sigaction sigprocmask sigreturn pread pwrite
    # sched_yield mremap madvise getpid sendto recvfrom exit gettimeofday getrusage sigaltstack
    # gettid futex restart_syscall clock_gettime exit_group ppoll rseq getrandom
    allowed=(
        *(0, 1, 3, 5, 7, 8, 11, 12, 13, 14, 15, 17, 18, 24, 25, 28, 39, 44, 45, 60, 96, 98, 131),
        *(186, 202, 219, 228, 231, 271, 334, 318),
    ),
    mapping=(9, 10),
    signalling=(234,),
    # socket connect bind listen fork vfork execve kill ptrace mount bpf process_vm_* execveat
    # userfaultfd io_uring_setup
    deadly=(41, 42, 49, 50, 57, 58, 59, 62, 101, 165, 321, 310, 311, 322, 323, 425),
)
_AARCH64 = Architecture(
    audit=0xC00000B7,
    # The same in the generic table; fork and poll do not exist there.
    allowed=(
        *(63, 64, 57, 80, 62, 215, 214, 134, 135, 139, 67, 68, 124, 216, 233, 172, 206, 207, 93),
        *(169, 165, 132, 178, 98, 128, 113, 94, 73, 293, 278),
    ),
    mapping=(222, 226),
    signalling=(131,),
    deadly=(198, 203, 200, 201, 221, 129, 117, 40, 280, 270, 271, 281, 282, 425),
)
_KNOWN = {"x86_64": _X86_64, "aarch64": _AARCH64}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def machine() -> Architecture | None:
    """The architecture that this process runs on, if there is a filter for it."""
    return _KNOWN.get(platform.machine())


def forbid_new_privileges() -> None:
    """Set ``no_new_privs``, which both seccomp and Landlock ask for.

    Raises:
        OSError: the kernel refuses.
    """
    _prctl(_PR_SET_NO_NEW_PRIVS, 1, 0)


def filter_system_calls() -> bool:
    """Put the filter in force for good.

    Returns:
        Whether it is; ``False`` on an architecture without one.

    Raises:
        OSError: the kernel refuses.
    """
    architecture = machine()
    if architecture is None:
        return False
    code = program(architecture, os.getpid())
    call_filter = _Program(len(code) // 8, code)
    _prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(call_filter))
    return True


def program(architecture: Architecture, pid: int) -> bytes:
    """The filter for one process in classic BPF, eight bytes an instruction."""
    steps = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUALS, architecture.audit, 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
        _step(_AT_LEAST, _X32, 0, 1),
        _step(_RETURN, _KILL),
        *_answer(architecture.deadly, _KILL),
        *_answer(architecture.allowed, _ALLOW),
        *_unless_executable(architecture.mapping),
        *_to_itself(architecture.signalling, pid),
        _step(_RETURN, _DENY),
    ]
    return b"".join(steps)


def _answer(numbers: Iterable[int], verdict: int) -> list[bytes]:
    return [
        step
        for number in numbers
        for step in (_step(_EQUALS, number, 0, 1), _step(_RETURN, verdict))
    ]


def _unless_executable(numbers: Iterable[int]) -> list[bytes]:
    """Both calls take the protection of the memory as their third argument."""
    return _by_argument(numbers, _THIRD_ARGUMENT, _step(_HAS_BITS, _EXECUTABLE, 0, 1))


def _to_itself(numbers: Iterable[int], pid: int) -> list[bytes]:
    """The first argument names the process that gets the signal."""
    return _by_argument(numbers, _FIRST_ARGUMENT, _step(_EQUALS, pid, 1, 0))


def _by_argument(numbers: Iterable[int], argument: int, test: bytes) -> list[bytes]:
    """Calls that are denied where a test of an argument goes on, and allowed where it jumps."""
    return [
        step
        for number in numbers
        for step in (
            _step(_EQUALS, number, 0, 4),
            _step(_LOAD, argument),
            test,
            _step(_RETURN, _DENY),
            _step(_RETURN, _ALLOW),
        )
    ]


def _step(operation: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", operation, if_true, if_false, operand)


def _prctl(option: int, second: int, third: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = (ctypes.c_ulong(value) for value in (second, third, 0, 0))
    if libc.prctl(option, *arguments):
        raise OSError(ctypes.get_errno(), f"prctl({option}) is refused")
