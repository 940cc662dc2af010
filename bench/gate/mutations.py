"""Mutations of valid files, driven by hypothesis: the same seeds give the same files."""

import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from bench.gate.samples import valid_files

_PNG = b"\x89PNG\r\n\x1a\n"
_MAGIC_BYTES, _LENGTH_BYTES = 12, 4
_ROUND = 1_000
_INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)

Edit = Callable[[bytes, int], bytes]


def _overwrite(garbage: bytes) -> Edit:
    return lambda data, place: data[:place] + garbage + data[place + len(garbage) :]


def _insert(garbage: bytes) -> Edit:
    return lambda data, place: data[:place] + garbage + data[place:]


def _delete(length: int) -> Edit:
    return lambda data, place: data[:place] + data[place + length :]


def _repeat(length: int) -> Edit:
    return lambda data, place: data[: place + length] + data[place:]


def _number(value: int, order: str) -> Edit:
    content = value.to_bytes(4, "big" if order == "big" else "little")
    return _overwrite(content)


def _cut() -> Edit:
    return lambda data, place: data[:place]


edits: st.SearchStrategy[Edit] = st.one_of(
    st.binary(min_size=1, max_size=8).map(_overwrite),
    st.binary(min_size=1, max_size=64).map(_insert),
    st.integers(1, 200).map(_delete),
    st.integers(1, 200).map(_repeat),
    st.builds(_number, st.sampled_from(_INTERESTING), st.sampled_from(("big", "little"))),
    st.builds(_cut),
)


@st.composite
def mutated_files(draw: st.DrawFn, files: Sequence[bytes]) -> bytes:
    """One to four edits behind the magic bytes; half of the PNG files get their checksums mended.

    Places are remainders of large numbers, because small ranges are drawn mostly at their ends.
    """
    data = draw(st.sampled_from(files))
    for edit in draw(st.lists(edits, min_size=1, max_size=4)):
        place = _MAGIC_BYTES + draw(st.integers(0, 2**32 - 1)) % max(1, len(data) - _MAGIC_BYTES)
        data = edit(data, place)
    return mend_checksums(data) if data.startswith(_PNG) and draw(st.booleans()) else data


def mend_checksums(data: bytes) -> bytes:
    """A PNG whose chunk checksums are right again, so that decoding goes on behind them."""
    place, whole = len(_PNG), [_PNG]
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        body = data[place + 4 : place + 8 + length]
        whole += [data[place : place + 4], body, zlib.crc32(body).to_bytes(4, "big")]
        place += 12 + length
    return b"".join(whole)


def seeds_of(count: int, first_seed: int) -> list[int]:
    """The seeds of the rounds that make so many mutations."""
    return list(range(first_seed, first_seed - (-count // _ROUND)))


def run_mutations(check: Callable[[bytes], None], count: int, first_seed: int) -> None:
    """Call ``check`` with ``count`` mutations."""
    for number in seeds_of(count, first_seed):
        _round(check, min(_ROUND, count), number)
        count -= _ROUND


def mutations_of_a_process(count: int, first_seed: int) -> Iterator[bytes]:
    """The same mutations, made by a process of its own: what hypothesis keeps stays there."""
    command = [sys.executable, "-m", "bench.gate.mutations", str(count), str(first_seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout is not None  # noqa: S101 - for the type checker
        while length := process.stdout.read(_LENGTH_BYTES):
            yield process.stdout.read(int.from_bytes(length, "big"))


def sample_mutations(count: int) -> list[bytes]:
    """The first mutations of the first seed."""
    samples: list[bytes] = []
    run_mutations(samples.append, count, 1)
    return samples


def _round(check: Callable[[bytes], None], count: int, number: int) -> None:
    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(mutated_files(valid_files()))
    def one(data: bytes) -> None:
        check(data)

    one()


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)


if __name__ == "__main__":
    run_mutations(_write, *map(int, sys.argv[1:]))
