"""What the two sides say to each other, and what a worker that was taken over may try to say."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inference.gate.media import MediaType
from inference.gate.sandbox.wire import MAX_MESSAGE_BYTES, BadReply, Order, Reply

MOST = 2**53 - 1
NUMBERS = st.floats(-MOST, MOST) | st.integers(-MOST, MOST)
NAMES = st.text("abcxyz_", min_size=1, max_size=40)
SIGNS = st.dictionaries(NAMES, st.dictionaries(NAMES, NUMBERS, max_size=32), max_size=32)
PICTURE: dict[str, Any] = {"width": 8, "height": 9}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)
# A depth that is no whole number is a known gap, which has a test of its own.
FIELDS = st.dictionaries(st.sampled_from(sorted(set(Reply.__dataclass_fields__))), ANYTHING)


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.sampled_from(MediaType))
def test_orders_come_out_as_they_went_in(
    number: int, upload_bytes: int, media_type: MediaType
) -> None:
    order = Order(number, upload_bytes, media_type)
    assert Order.from_bytes(order.to_bytes()) == order


@given(
    st.builds(
        Reply,
        number=st.integers(0, 10**12),
        width=st.integers(1, 10**6),
        height=st.integers(1, 10**6),
        file_width=st.integers(1, 10**6),
        file_height=st.integers(1, 10**6),
        orientation=st.integers(1, 8),
        depth=st.sampled_from([3, 4]),
        signs=SIGNS,
        decode_ms=st.floats(0, 1e9),
        peak_bytes=st.integers(0, 2**40),
        tired=st.booleans(),
    )
)
def test_replies_with_a_picture_come_out_as_they_went_in(reply: Reply) -> None:
    assert Reply.from_bytes(reply.to_bytes()) == reply


@given(st.text(min_size=1), st.integers(0, 10**12))
def test_refusals_come_out_as_they_went_in(code: str, number: int) -> None:
    reply = Reply(number=number, refusal=code)
    assert Reply.from_bytes(reply.to_bytes()) == reply


def _sound_or_bad(message: bytes) -> None:
    try:
        reply = Reply.from_bytes(message)
    except BadReply:
        return
    assert (type(reply.number), type(reply.refusal)) == (int, str)
    assert reply.depth in {3, 4}
    assert bool(reply.refusal) != (reply.width > 0 and reply.height > 0)
    assert type(reply.tired) is bool
    assert isinstance(reply.signs, dict)


@given(st.binary(max_size=200))
@example(b"")
@example(b"null")
@example(b"\xff\xfe{\0}\0")
@example(b"[" * MAX_MESSAGE_BYTES)
@example(b'{"width":' + b"9" * 5_000 + b"}")
def test_any_bytes_are_a_sound_reply_or_none(message: bytes) -> None:
    _sound_or_bad(message)


@given(ANYTHING | FIELDS)
def test_any_json_is_a_sound_reply_or_none(value: Any) -> None:
    _sound_or_bad(json.dumps(value).encode())


@settings(max_examples=1_000)
@given(
    st.lists(st.tuples(st.integers(0, 2**16), st.binary(max_size=4)), min_size=1, max_size=4),
    st.integers(0, 2**16),
)
def test_a_changed_message_is_a_sound_reply_or_none(
    changes: list[tuple[int, bytes]], end: int
) -> None:
    message = bytearray(Reply(7, "", 8, 9, 8, 9, signs={"polyglot": {"bytes": 4.5}}).to_bytes())
    for place, text in changes:
        start = place % len(message)
        message[start : start + len(text)] = text
    _sound_or_bad(bytes(message[: len(message) - end % 20]))


@pytest.mark.parametrize(
    "changed",
    [
        {"refusal": "too_small"},
        {"refusal": None},
        {"refusal": 7},
        {"width": 0},
        {"height": 0},
        {"width": -8, "height": -9},
        {"width": True},
        {"width": 8.0},
        {"width": 2**53},
        {"number": None},
        {"number": "1"},
        {"number": 1.0},
        {"number": True},
        {"depth": 0},
        {"depth": 2},
        {"depth": 5},
        {"depth": "3"},
        {"depth": None},
        {"width": "8"},
        {"peak_bytes": -1},
        {"peak_bytes": True},
        {"peak_bytes": 1.5},
        {"peak_bytes": 2**53},
        {"decode_ms": 2**53},
        {"decode_ms": -1e300},
        {"decode_ms": True},
        {"decode_ms": float("nan")},
        {"decode_ms": float("inf")},
        {"decode_ms": "1"},
        {"decode_ms": None},
        {"tired": 1},
        {"tired": None},
        {"signs": []},
        {"signs": None},
        {"signs": {"polyglot": []}},
        {"signs": {"polyglot": {"bytes": float("nan")}}},
        {"signs": {"polyglot": {"bytes": float("-inf")}}},
        {"signs": {"polyglot": {"bytes": True}}},
        {"signs": {"polyglot": {"bytes": "1"}}},
        {"signs": {"sign_" + "x" * number: {} for number in range(33)}},
        {"signs": {"polyglot": {"x" * number: 1 for number in range(1, 34)}}},
        {"signs": {"polyglot": {"bytes": 10**400}}},
        {"extra": 1},
    ],
)
def test_what_no_worker_says_is_a_bad_reply(changed: dict[str, Any]) -> None:
    assert Reply.from_bytes(json.dumps(PICTURE).encode()) == Reply(**PICTURE)
    with pytest.raises(BadReply):
        Reply.from_bytes(json.dumps(PICTURE | changed).encode())


@pytest.mark.parametrize("name", ["decode_ms", "peak_bytes"])
def test_numbers_beyond_all_measure_are_a_bad_reply(name: str) -> None:
    with pytest.raises(BadReply):
        Reply.from_bytes(json.dumps(PICTURE | {name: 10**400}).encode())


@pytest.mark.parametrize(
    "name",
    [
        "",
        "\ud800",
        "a\0b",
        "<script>",
        "x" * 41,
        "x" * 9_000,
        "Bytes",
        "a b",
        "a1",
        "a\n",
        "\u0430",
    ],
)
def test_signs_and_evidence_bear_plain_names(name: str) -> None:
    for signs in ({"polyglot": {name: 1}}, {name: {"bytes": 1}}):
        with pytest.raises(BadReply):
            Reply.from_bytes(json.dumps(PICTURE | {"signs": signs}).encode())


@pytest.mark.parametrize("depth", [[], {}, 3.0, 4.0])
def test_a_depth_that_is_no_whole_number_is_a_bad_reply(depth: Any) -> None:
    with pytest.raises(BadReply):
        Reply.from_bytes(json.dumps(PICTURE | {"depth": depth}).encode())
