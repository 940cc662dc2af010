"""Landlock (Linux 5.13 and newer): a process gives up every right on files and TCP ports.

System calls and constants after ``include/uapi/linux/landlock.h``; the C library has no wrappers.
"""

import ctypes
import os

_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_ASK_VERSION = 1
# Which rights each version of the interface knows, so that all of them can be given up.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
_TCP_RIGHTS, _TCP_SINCE = 0b11, 4
_SCOPES, _SCOPES_SINCE = 0b11, 6


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


def version() -> int:
    """The version of the kernel's interface; 0 where there is none."""
    answer: int = ctypes.CDLL(None).syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    return max(0, answer)


def give_up_files_and_ports() -> int:
    """Forbid this process to open, make or change any file, and to use TCP, where it is known.

    Files that are open stay so. ``no_new_privs`` must be set.

    Returns:
        The version of the interface in force; 0 where the kernel offers none.

    Raises:
        OSError: the kernel offers it and refuses.
    """
    abi = version()
    if abi == 0:
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    rules = _everything(abi)
    size = 8 if abi < _TCP_SINCE else 16 if abi < _SCOPES_SINCE else ctypes.sizeof(rules)
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(rules), size, 0)
    if ruleset < 0 or libc.syscall(_RESTRICT_SELF, ruleset, 0):
        raise OSError(ctypes.get_errno(), "Landlock cannot be applied")
    os.close(ruleset)
    return abi


def _everything(abi: int) -> _Ruleset:
    rights = max(count for since, count in _FILE_RIGHTS.items() if since <= abi)
    return _Ruleset(
        (1 << rights) - 1,
        _TCP_RIGHTS if abi >= _TCP_SINCE else 0,
        _SCOPES if abi >= _SCOPES_SINCE else 0,
    )
