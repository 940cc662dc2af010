"""Loaded models: which service loaded which files, appended at each load."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from store.audit.actors import service
from store.audit.audit_log import Action, Entry, append
from store.tables.work_tables import LoadedModelRow

_MAX_SHOWN = 280


@dataclass(frozen=True)
class NewLoad:
    """A model that a service serves from now on.

    Attributes:
        host: name of the machine.
        service: address that the service listens on: which one it is on that machine.
        path: absolute, of the model's folder or only file.
        digest: as on the records of requests.
        files: SHA-256 in hex by file name.
        signed_by: fingerprint of the accepted key, if it is signed.
    """

    host: str
    service: str
    segmenter: str
    path: str
    digest: str
    files: Mapping[str, str]
    signed_by: str | None


def this_host() -> str:
    """The name of this machine, as rows carry it."""
    return socket.gethostname()[:255]


def add_loaded_model(session: Session, load: NewLoad, now: datetime) -> None:
    """Append a load; earlier ones of the same service, or of the same path there, are history."""
    session.add(
        LoadedModelRow(
            host=load.host,
            service=load.service,
            segmenter=load.segmenter,
            path=load.path,
            digest=load.digest,
            files=dict(load.files),
            signed_by=load.signed_by,
            loaded_at=now,
        )
    )
    details = {"segmenter": load.segmenter, "digest": load.digest, "signed_by": load.signed_by}
    actor = service(f"{load.host}/{load.service}"[:_MAX_SHOWN])
    append(session, Entry(actor, Action.MODEL_LOADED, f"model {load.path}", details), now)


def models_in_use(session: Session, host: str) -> tuple[LoadedModelRow, ...]:
    """The loads of a host that no later one superseded, by service and by path."""
    newest = (_newest(host, LoadedModelRow.service), _newest(host, LoadedModelRow.path))
    in_use = select(LoadedModelRow).where(*(LoadedModelRow.id.in_(each) for each in newest))
    return tuple(session.scalars(in_use.order_by(LoadedModelRow.id)))


def _newest(host: str, by: InstrumentedAttribute[str]) -> Select[int]:
    ids = select(func.max(LoadedModelRow.id))
    return ids.where(LoadedModelRow.host == host).group_by(by)
