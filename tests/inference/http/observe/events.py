"""Events as KServe's logger sends them: one with the request, one with the response."""

import json

from tests.inference.http.observe.observed import VISITOR

REQUEST, RESPONSE = "request", "response"


def make_event(side: str, exchange: str, **changes: str) -> dict[str, str]:
    attributes = {
        "ce-specversion": "1.0",
        "ce-id": exchange,
        "ce-type": f"org.kubeflow.serving.inference.{side}",
        "ce-source": "http://localhost:9081/",
        "ce-namespace": "people",
        "ce-inferenceservicename": "parser",
        "ce-metadata": json.dumps({"X-Forwarded-For": [f"192.0.2.1, {VISITOR}"]}),
        "Content-Type": "application/json",
    }
    return attributes | changes
