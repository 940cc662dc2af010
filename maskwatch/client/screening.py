"""What follows from the sidecar's answer, and from none."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from logging import getLogger
from uuid import uuid4

from maskwatch.client.counts import Counts, Fate
from maskwatch.client.options import ClientOptions
from maskwatch.client.sidecar import PROBLEM, Refusal, Sidecar, SidecarFault

_log = getLogger(__name__)


class Screening:
    """Asks the sidecar, and refuses or lets pass by the options where it cannot be asked."""

    def __init__(self, options: ClientOptions, counts: Counts) -> None:
        self._fails_open = options.fails_open
        self._counts = counts
        self._sidecar = Sidecar(options)

    def ask(self, body: bytes, headers: Sequence[tuple[str, str]], sender: str) -> Refusal | None:
        """Why the application may not see a body, if so."""
        try:
            refusal = self._sidecar.screen(body, headers, sender)
        except SidecarFault as fault:
            self._counts.add(Fate.NOT_SCREENED)
            _log.warning("maskwatch: %s", fault)
            return None if self._fails_open else _write_unavailable()
        self._counts.add(Fate.ACCEPTED if refusal is None else Fate.REFUSED)
        return refusal

    def judge_too_large(self) -> Refusal | None:
        """The same for a body that is over the limit and was not kept."""
        self._counts.add(Fate.TOO_LARGE)
        return None if self._fails_open else _write_too_large()


def _write_unavailable() -> Refusal:
    sentence = "Pictures cannot be looked at at the moment: try again in a moment."
    return _write_problem("screening_unavailable", 503, sentence, ("Retry-After", "2"))


def _write_too_large() -> Refusal:
    return _write_problem("too_many_bytes", 413, "The upload is too large: send a smaller file.")


def _write_problem(code: str, status: int, sentence: str, *headers: tuple[str, str]) -> Refusal:
    request_id = str(uuid4())
    document = {
        "type": f"urn:maskwatch:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": sentence,
        "request_id": request_id,
    }
    all_headers = (("Content-Type", PROBLEM), ("X-Request-Id", request_id), *headers)
    return Refusal(status, all_headers, json.dumps(document).encode())
