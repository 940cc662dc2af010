"""What operators call the sources, by digest."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from store.tables.baseline_tables import SourceNameRow

_MAX_CHARACTERS = 300


def name_source(session: Session, digest: str, name: str) -> None:
    """Write down what a source is called; the last name counts."""
    session.merge(SourceNameRow(digest=digest, name=name[:_MAX_CHARACTERS]))


def find_name(session: Session, digest: str | None) -> str | None:
    """What a source is called, if anybody said so."""
    row = None if digest is None else session.get(SourceNameRow, digest)
    return None if row is None else row.name


def show_title(digest: str, name: str | None) -> str:
    """What people know a source by, with the begin of its digest."""
    return f"{name} ({digest[:12]})" if name else digest[:12]


def name_fact(name: str | None) -> Mapping[str, str]:
    """The name of a source as an entry of an alert's evidence; nothing without one."""
    return {} if name is None else {"name": name}


def show_source(evidence: Mapping[str, object]) -> str:
    """The source of an alert: its name if it had one then, else the begin of its digest."""
    return str(evidence.get("name") or str(evidence.get("source"))[:12])
