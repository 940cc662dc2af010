"""The schemas that the description of the interface is made of."""

from typing import Any

from detectors.verdict import Verdict
from inference.upstream.observe.report_fields import ReportFields

Json = dict[str, Any]

ID: Json = {"type": "string", "format": "uuid"}
TEXT: Json = {"type": "string"}
COUNT: Json = {"type": "integer", "minimum": 0}
ID_HEADER: Json = {"X-Request-Id": {"required": True, "schema": ID}}


def describe_schemas() -> Json:
    """Every schema that has a name."""
    return {
        "Parsing": _parsing(),
        "Problem": _problem(),
        "Ban": _ban(),
        **_report(),
    }


def describe_object(properties: Json) -> Json:
    """An object that has these properties and no other."""
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


def _parsing() -> Json:
    size = {"type": "array", "items": COUNT, "minItems": 2, "maxItems": 2}
    box = {"type": "array", "items": COUNT, "minItems": 4, "maxItems": 4}
    mask = {"size": size, "counts": TEXT, "area": COUNT, "box": box}
    parsing = describe_object(
        {
            "request_id": ID,
            "verdict": {"enum": [Verdict.PASS.value, Verdict.FLAG.value]},
            "labels": {"type": "array", "items": describe_object({"label": TEXT, **mask})},
        }
    )
    persons = {"type": "array", "items": describe_object({"person": COUNT, **mask})}
    return parsing | {"properties": parsing["properties"] | {"persons": persons}}


def _problem() -> Json:
    return describe_object(
        {
            "type": {"type": "string", "pattern": "^urn:maskwatch:problem:[a-z0-9_]+$"},
            "title": TEXT,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": TEXT,
            "request_id": ID,
        }
    )


def _ban() -> Json:
    texts = ("origin", "type", "scope", "value", "duration", "scenario")
    properties = {**dict.fromkeys(texts, TEXT), "id": COUNT, "simulated": {"type": "boolean"}}
    return {"type": "object", "required": sorted(properties), "properties": properties}


def _report() -> Json:
    """The schema of a report, and those that it is made of."""
    schema = ReportFields.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "Report": schema}
