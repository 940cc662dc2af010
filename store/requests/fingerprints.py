"""Fingerprints of a sliding window, found by a handful of index probes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import cast

from sqlalchemy import Select, Table, bindparam, delete, select, union_all
from sqlalchemy.orm import Session

from detectors.probing.fingerprint import MIN_QUALITY, Fingerprint
from detectors.probing.sequence import Member
from detectors.verdict import Verdict
from store.requests.request_keys import key_of
from store.tables.request_tables import FingerprintRow, RequestRow, fingerprint_keys_table

_MAX_PER_KEY = 64


def lookalikes(
    session: Session, keys: Sequence[int], since: datetime, most: int
) -> tuple[Member, ...]:
    """The newest pictures since a time that share a key, newest first: candidates, not matches.

    Each key costs one range of an index, however many pictures share it.
    """
    if not keys:
        return ()
    values = {f"key_{place}": key for place, key in enumerate(keys)}
    rows = session.execute(_lookup(len(keys)), {"since": since, "most": most, **values})
    return tuple(
        Member(row.received_at, row.client, Fingerprint.from_bytes(row.data), row.family)
        for row in rows
    )


# Composing it takes longer than running it, and nearly all pictures have the same number of keys.
@cache
def _lookup(keys: int) -> Select[tuple[datetime, str, str, bytes]]:
    """The statement for so many keys, named ``key_0`` and so on."""
    table = fingerprint_keys_table
    probes = [
        select(
            select(table.c.request_pk)
            .where(table.c.key == bindparam(f"key_{place}"))
            .order_by(table.c.request_pk.desc())
            .limit(_MAX_PER_KEY)
            .subquery()
            .c.request_pk
        )
        for place in range(keys)
    ]
    matches = union_all(*probes).subquery()
    of = cast(Table, FingerprintRow.__table__).c
    return (
        select(of.received_at, of.client, of.family, of.data)
        .where(
            of.request_pk.in_(select(matches.c.request_pk)),
            of.received_at >= bindparam("since"),
        )
        .order_by(of.request_pk.desc())
        .limit(bindparam("most"))
    )


def _trail() -> Select[tuple[datetime, str]]:
    requests = cast(Table, RequestRow.__table__)
    return (
        select(requests.c.received_at, requests.c.verdict)
        .where(
            requests.c.client == bindparam("client"),
            # As `arrived_since` says it, with names in the place of values.
            requests.c.id >= bindparam("first_key"),
            requests.c.received_at >= bindparam("since"),
        )
        .order_by(requests.c.id.desc())
        .limit(bindparam("most"))
    )


_TRAIL = _trail()


@dataclass(frozen=True)
class Trail:
    """What a client sent before, newest first, within a window and up to a number.

    Attributes:
        received_at: times of its requests.
        refusals: which of them were refused.
    """

    received_at: tuple[datetime, ...] = ()
    refusals: tuple[bool, ...] = ()


def client_trail(session: Session, client: str, since: datetime, most: int) -> Trail:
    """The newest requests of a client since a time."""
    values = {"client": client, "first_key": key_of(since), "since": since, "most": most}
    rows = session.execute(_TRAIL, values).all()
    refusals = tuple(row.verdict == Verdict.REFUSE.value for row in rows)
    return Trail(tuple(row.received_at for row in rows), refusals)


def hash_of_picture(session: Session, request_pk: int) -> str | None:
    """The perceptual hash of what a request sent, in hex; ``None`` if there is none."""
    looks = read_looks(session, (request_pk,))
    return looks[request_pk].hex() if looks else None


def read_looks(session: Session, request_pks: Sequence[int]) -> dict[int, bytes]:
    """The bits of the perceptual hashes of what some requests sent.

    Those that mean nothing, were forgotten, or are of a version that none is compared with are
    left out.
    """
    columns = select(FingerprintRow.request_pk, FingerprintRow.data)
    rows = session.execute(columns.where(FingerprintRow.request_pk.in_(request_pks)))
    looks = {row.request_pk: _read_look(row.data) for row in rows}
    return {key: bits for key, bits in looks.items() if bits is not None}


def _read_look(data: bytes) -> bytes | None:
    try:
        coarse = Fingerprint.from_bytes(data).coarse
    except ValueError:
        return None
    return None if coarse.quality < MIN_QUALITY else coarse.bits


def forget_fingerprints(session: Session, before: datetime, most: int) -> int:
    """Delete at most ``most`` fingerprints that are older than a time; how many there were."""
    old = select(FingerprintRow.request_pk).where(FingerprintRow.received_at < before)
    pks = session.scalars(old.order_by(FingerprintRow.received_at).limit(most)).all()
    if pks:
        # Their keys go with them.
        session.execute(delete(FingerprintRow).where(FingerprintRow.request_pk.in_(pks)))
    return len(pks)
