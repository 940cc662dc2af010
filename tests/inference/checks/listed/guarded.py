"""A service with decisions about pictures, on which clean figures pass."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from detectors.verdict import Mode
from inference.results.outcomes import Outcome
from inference.service import Service
from inference.upload import Arrival, Upload
from store.decisions.decisions import NewDecision, add_decision
from store.decisions.scopes import Kind, Scope
from tests.inference.check_cases import LOOKS, without

CLIENT = "ip:192.0.2.1"


class Guarded:
    """A service without looks that is told what to block and what to allow."""

    def __init__(self, service: Service, mode: Mode = Mode.ENFORCE) -> None:
        self.service = service
        checks = without(service.pipeline.checks, *LOOKS)
        self.pipeline = replace(service.pipeline, checks=checks, mode=mode)
        self.now = datetime.now(UTC)

    def block(
        self, scope: Scope, value: str, evidence: Mapping[str, object], *, simulated: bool = False
    ) -> int:
        """Block something for an hour; gives the decision's key."""
        return self._decide(Kind.BLOCK, scope, value, evidence, simulated=simulated)

    def allow_client(self) -> None:
        """Let the one who sends through, for an hour."""
        self._decide(Kind.ALLOW, Scope.CLIENT, CLIENT, {}, simulated=False)

    def send(self, data: bytes, minutes: float = 0) -> Outcome:
        """Upload something so many minutes from now."""
        at = self.now + timedelta(minutes=minutes)
        return self.pipeline.handle(Arrival(str(uuid4()), at, CLIENT, "api"), Upload(data))

    def _decide(
        self,
        kind: Kind,
        scope: Scope,
        value: str,
        evidence: Mapping[str, object],
        *,
        simulated: bool,
    ) -> int:
        until = self.now + timedelta(hours=1)
        new = NewDecision(
            *(kind, scope, value, "by_hand", "analyst", "A test.", "ada", until, simulated),
            evidence,
        )
        with self.service.database.write() as session:
            made = add_decision(session, new, self.now).id
        self.service.access.refresh()
        return made
