"""Workers that an attacker has taken over: a program of ours in their place says what it likes."""

import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from inference.gate.media import MediaType
from inference.gate.sandbox.pool import DecoderPool

OpenPool = Callable[..., DecoderPool]
STUB = """#!{python}
import json, os, signal, socket, sys
channel = socket.socket(fileno=json.loads(sys.argv[-1])["channel"])
channel.send(json.dumps({{"limits": True, "seccomp": True, "landlock": 1}}).encode())
while order := channel.recv(16384):
    number = str(json.loads(order)["number"]).encode()
    for answer in {answers!r}:
        if answer == {close!r}:
            channel.close()
            while True:
                signal.pause()
        channel.send(answer.replace(b"NUMBER", number))
"""
CLOSE = b"close"
"""The answer of one that closes its channel and lives on."""
_IN_FILE = b'"file_width": 8, "file_height": 8, "width"'
PICTURE = b'{"number": NUMBER, "width": 8, "height": 8}'.replace(b'"width"', _IN_FILE)


@pytest.fixture
def take_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_pool: OpenPool
) -> Callable[..., DecoderPool]:
    """A pool whose first workers answer as told; those that follow are real."""

    def begin(*answers: bytes) -> DecoderPool:
        program = tmp_path / "python"
        program.write_text(STUB.format(python=sys.executable, answers=answers, close=CLOSE))
        program.chmod(0o755)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "executable", str(program))
            return open_pool(1)

    return begin


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense",
        b"\xff\xd8\xff",
        b"{}",
        b"null",
        b'{"width": -8, "height": -8}',
        b'{"width": 8, "height": 8}',
        b'{"number": -1, "width": 8, "height": 8}',
        b'{"number": "NUMBER", "width": 8, "height": 8}',
        b'{"number": NUMBER.0, "width": 8, "height": 8}',
        b'{"number": NUMBER0, "refusal": "too_small"}',
        b'{"number": NUMBER, "width": 4000000, "height": 2}',
        b'{"number": NUMBER, "width": 1, "height": 4000000}',
        b'{"number": NUMBER, "width": 7, "height": 8}',
        b'{"number": NUMBER, "width": 8, "height": 161}',
        b'{"number": NUMBER, "width": 12001, "height": 300}',
        b'{"number": NUMBER, "width": 8, "height": 8, "depth": 5}',
        b'{"number": NUMBER, "width": 8, "height": 8, "orientation": 9}',
        b'{"number": NUMBER, "width": 8, "height": 8, "orientation": 1.0}',
        b'{"number": NUMBER, "width": 8, "height": 8, "file_width": 4000000}',
        b'{"number": NUMBER, "width": 8, "height": 8, "file_height": 0}',
        b'{"number": NUMBER, "width": 8, "height": 8, "signs": {"polyglot": {"<b>": 1}}}',
        b'{"number": NUMBER, "width": 9' + b"9" * 400 + b', "height": 1}',
        b'{"number": NUMBER, "width": 8, "height": 8, "decode_ms": NaN}',
        b'{"number": NUMBER, "width": 8, "height": 8, "command": "x"}',
        b'{"number": NUMBER, "refusal": "x", "width": 8, "height": 8}',
        b'{"number": NUMBER, "refusal": "' + b"x" * 20_000 + b'"}',
        b"[" * 16_000,
    ],
)
def test_nonsense_costs_the_upload_and_the_worker(
    take_over: Callable[..., DecoderPool],
    ends: Counter[str],
    png: bytes,
    photo: Pillow.Image,
    answer: bytes,
) -> None:
    pool = take_over(answer.replace(b'"width"', _IN_FILE))
    pids = pool.pids()
    for _ in range(2):
        reply, image = pool.decode(png, MediaType.PNG)
        assert (reply.refusal, image) == ("decoder_crashed", None)
    assert ends == {"bad_reply": 2}
    assert not set(pids) & set(pool.pids())
    reply, image = pool.decode(png, MediaType.PNG)
    assert (reply.refusal, image is not None) == ("", True)
    assert np.array_equal(np.asarray(image), np.asarray(photo))


def test_an_empty_answer_is_no_end_to_wait_for(
    take_over: Callable[..., DecoderPool],
    ends: Counter[str],
    png: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("inference.gate.sandbox.process._BURIAL_SECONDS", 36_000.0)
    pool = take_over(b"")
    assert pool.decode(png, MediaType.PNG)[0].refusal == "decoder_crashed"
    assert ends == {"bad_reply": 1}


def test_one_that_closes_its_channel_and_lives_on_is_killed(
    take_over: Callable[..., DecoderPool],
    ends: Counter[str],
    png: bytes,
    monkeypatch: pytest.MonkeyPatch,
    state: Callable[[int], str],
) -> None:
    monkeypatch.setattr("inference.gate.sandbox.process._BURIAL_SECONDS", 0.0)
    pool = take_over(CLOSE)
    pids = pool.pids()
    assert pool.decode(png, MediaType.PNG)[0].refusal == "decoder_crashed"
    assert ends == {"killed": 1}
    assert [state(pid) for pid in pids if pid not in pool.pids()] == [""]


def test_what_it_says_about_a_picture_bounds_what_is_taken(
    take_over: Callable[..., DecoderPool], png: bytes
) -> None:
    for depth in (3, 4):
        answer = PICTURE.replace(b"}", b', "depth": %d}' % depth)
        reply, image = take_over(answer).decode(png, MediaType.PNG)
        assert image is not None
        assert (reply.refusal, reply.depth, image.shape) == ("", depth, (8, 8, 3))
        assert image.flags.owndata


def test_a_number_beyond_all_measure_costs_the_worker(
    take_over: Callable[..., DecoderPool], ends: Counter[str], png: bytes
) -> None:
    number = b"1" + b"0" * 400
    pool = take_over(PICTURE.replace(b"}", b', "decode_ms": ' + number + b"}"))
    assert pool.decode(png, MediaType.PNG)[0].refusal == "decoder_crashed"
    assert ends == {"bad_reply": 1}


def test_an_answer_too_many_is_never_taken_for_the_next(
    take_over: Callable[..., DecoderPool], ends: Counter[str], png: bytes
) -> None:
    pool = take_over(PICTURE, b'{"number": NUMBER, "refusal": "too_small"}')
    replies = [pool.decode(png, MediaType.PNG)[0] for _ in range(4)]
    assert not any(reply.refusal == "too_small" for reply in replies)
    assert set(ends) == {"bad_reply"}


def test_an_answer_given_in_advance_is_never_taken(
    take_over: Callable[..., DecoderPool], ends: Counter[str], png: bytes
) -> None:
    pool = take_over(PICTURE, b'{"number": 2, "refusal": "too_small"}')
    replies = [pool.decode(png, MediaType.PNG)[0] for _ in range(4)]
    assert not any(reply.refusal == "too_small" for reply in replies)
    assert set(ends) == {"bad_reply"}


@pytest.mark.parametrize("depth", [b"[]", b"{}", b"3.0"])
def test_a_depth_that_is_no_whole_number_costs_the_worker(
    take_over: Callable[..., DecoderPool], ends: Counter[str], png: bytes, depth: bytes
) -> None:
    pool = take_over(PICTURE.replace(b"}", b', "depth": ' + depth + b"}"))
    assert pool.decode(png, MediaType.PNG)[0].refusal == "decoder_crashed"
    assert ends == {"bad_reply": 1}


def test_the_stub_is_a_process_of_its_own(take_over: Callable[..., DecoderPool]) -> None:
    assert os.getpid() not in take_over(PICTURE).pids()
