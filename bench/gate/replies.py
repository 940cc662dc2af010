"""Changed answers of decode workers: each is read as a sound one or refused, and nothing else."""

from random import Random

from bench.report import Figures
from inference.gate.sandbox.wire import BadReply, Reply

_COUNT = 60_000
_PIECES = (
    *(b"-1", b"1e999", b"NaN", b"null", b"true", b"[]", b"{}", b'""', b"9" * 40, b"0.5"),
    *(b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\ud800", b"\0", b"\xff", b"width", b"signs"),
)
_REPLIES = (
    Reply(7, "", 8, 9, 8, 9, signs={"polyglot": {}, "trailing_note": {"bytes": 4.5}}),
    Reply(7, "truncated"),
    Reply(7, "", 4_000, 3_000, 8_000, 6_000, orientation=6, depth=4, tired=True),
)


def measure_replies() -> Figures:
    """How many of the changed answers were read, were refused, and were a fault."""
    random, counts = Random(14), dict.fromkeys(("read", "refused", "faults"), 0)  # noqa: S311
    for _ in range(_COUNT):
        counts[_outcome(_change(random))] += 1
    return {f"replies_{name}": count for name, count in counts.items()}


def _change(random: Random) -> bytes:
    message = bytearray(random.choice(_REPLIES).to_bytes())
    for _ in range(random.randint(1, 4)):
        start = random.randrange(len(message) + 1)
        piece = random.choice(_PIECES) if random.random() < 0.7 else random.randbytes(2)
        message[start : start + random.randint(0, 6)] = piece
    return bytes(message[: random.randint(0, len(message))] if random.random() < 0.1 else message)


def _outcome(message: bytes) -> str:
    try:
        Reply.from_bytes(message)
    except BadReply:
        return "refused"
    except Exception:  # noqa: BLE001 - that is what is counted
        return "faults"
    return "read"
