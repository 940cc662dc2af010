"""What three clients leave behind, to see what an erasure takes."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from maskwatch.commands.records.erasure import Report, erase_subject
from store.alerts.alerts import Condition, apply_condition
from store.decisions.decisions import NewDecision, add_decision, revoke
from store.decisions.scopes import Kind, Scope
from store.engine.database import Database
from store.keeping.erasure import Subject
from store.models.outlier_models import OutlierModelStore
from store.requests.picture_store import PICTURE, PictureStore
from store.requests.records import Trace
from store.settings import StoreSettings
from store.tables.all_tables import METADATA
from tests.full_record import Scored, full_record


class World:
    """What three clients leave behind."""

    def __init__(self, database: Database, settings: StoreSettings, now: datetime) -> None:
        self.database, self.settings, self.now = database, settings, now
        self.store = PictureStore(settings.store.var_dir)
        models = OutlierModelStore(settings.store.var_dir)
        self.scored = Scored(database, models, now)

    def add(self, client: str, picture: bytes, family: str = "") -> tuple[int, str]:
        """Store a request; its key and its id."""
        request_id = str(uuid4())
        record = full_record(
            request_id,
            client,
            self.now,
            evidence=(self.store.put(PICTURE, picture, "image/webp"),),
            trace=Trace(b"data", (1, 2), family or request_id),
        )
        return self.scored.add(record), request_id

    def alert(self, *names: str, sentence: str = "Too many requests.") -> None:
        condition = Condition(
            fingerprint="invalid_share",
            rule="invalid_share",
            severity="warning",
            active=True,
            value=0.5,
            threshold=0.05,
            summary=sentence,
            atlas="AML.T0043",
            owasp="ML01:2023",
            evidence={"clients": [[name, 3] for name in names], "request_ids": list(names)},
        )
        with self.database.write() as session:
            apply_condition(session, condition, self.now)

    def block(self, client: str, *request_ids: str, over: bool) -> None:
        decision = NewDecision(
            kind=Kind.BLOCK,
            scope=Scope.CLIENT,
            value=client,
            scenario="repeated_refusals",
            origin="policy",
            reason=f"3 refusals of {client}.",
            created_by="policy",
            until=self.now + timedelta(hours=1),
            evidence={"request_ids": list(request_ids)},
        )
        with self.database.write() as session:
            row = add_decision(session, decision, self.now)
            if over:
                revoke(session, row.id, "anna", f"{client} is a friend.", self.now)

    def list_patch(
        self, evidence: dict[str, object], over: bool, scope: Scope = Scope.PATCH
    ) -> None:
        until = self.now + timedelta(hours=1)
        decision = NewDecision(
            *(Kind.BLOCK, scope, "ab" * 32, "recurring_patch", "policy", "A test.", "policy"),
            until,
            evidence=evidence,
        )
        with self.database.write() as session:
            row = add_decision(session, decision, self.now)
            if over:
                revoke(session, row.id, "anna", "A brand.", self.now)

    def erase(self, subject: Subject) -> Report:
        return erase_subject(self.settings, subject, "root", self.now)

    def values(self) -> list[tuple[str, Any]]:
        """Every value in every table, and every string inside of what is JSON."""
        with self.database.read() as session:
            return [
                (table.name, part)
                for table in METADATA.sorted_tables
                if table.name != "audit"  # says who erased what
                for row in session.execute(select(table))
                for value in row
                for part in _parts(value)
            ]

    def tables_with(self, *names: object) -> set[str]:
        return {
            table
            for table, value in self.values()
            if value in names
            or any(isinstance(value, str) and isinstance(n, str) and n in value for n in names)
        }

    def files(self) -> int:
        return sum(1 for _ in self.store.files())


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if not isinstance(value, list):
        yield value
        return
    for each in value:
        yield from _parts(each)
