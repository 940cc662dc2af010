"""A parsing as an HTTP response."""

from dataclasses import asdict
from typing import Any

from starlette.responses import JSONResponse, Response

from detectors.parsing import Parsing
from inference.answer.composite import colour_composite
from inference.answer.encode import label_masks, label_png, person_masks, png
from inference.http.accept import Answer
from inference.http.problems import refusal_problem
from inference.refusals import FAULT
from inference.results.outcomes import Outcome


def respond(outcome: Outcome, answer: Answer) -> Response:
    """Masks, composite or labels of a parsed request; the problem document of a refused one."""
    record = outcome.record
    if outcome.parsing is None or outcome.image is None or outcome.refusal is not None:
        return refusal_problem(outcome.refusal or FAULT, record.request_id)
    headers = {
        "X-Request-Id": record.request_id,
        "X-Maskwatch-Verdict": record.verdict.value,
        "Vary": "Accept",
    }
    if answer is Answer.COMPOSITE:
        return Response(png(colour_composite(outcome.image, outcome.parsing)), 200, headers, answer)
    if answer is Answer.LABELS:
        return Response(label_png(outcome.parsing), 200, headers, answer)
    body = {"request_id": record.request_id, "verdict": record.verdict.value}
    return JSONResponse(body | _masks(outcome.parsing), 200, headers)


def _masks(parsing: Parsing) -> dict[str, list[dict[str, Any]]]:
    """Labels, and persons if the model tells them apart."""
    labels = [{"label": label, **asdict(mask)} for label, mask in label_masks(parsing).items()]
    persons = person_masks(parsing)
    if persons is None:
        return {"labels": labels}
    rows = [{"person": number, **asdict(mask)} for number, mask in persons.items()]
    return {"labels": labels, "persons": rows}
