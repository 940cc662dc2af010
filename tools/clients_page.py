"""The page about what clients send."""

from inference.gate.refusals import GATE_REFUSALS
from inference.refusals import REFUSALS
from tools.clients import SENDINGS, Sending
from tools.markdown import page, table

_STATUS = {refusal.code: refusal.status.value for refusal in (*GATE_REFUSALS, *REFUSALS)}


def clients_page() -> str:
    """Ways of sending, and what becomes of each."""
    parts = [
        "What phones, browsers and libraries send, and what becomes of it. The tests send each",
        "line of these tables (`tools/clients.py`) to a real service.",
        "",
        "## Ways of sending",
        "",
        "How a picture may be sent is described in [the interface](api.md#post-v1parse); the names",
        "of the field, and pages of other sites, are [settings](settings.md). The sentence of a",
        "refusal says which of these things is wrong.",
        "",
    ]
    rows = [(each.client, each.habit, _describe(each)) for each in SENDINGS]
    return page("Clients", [*parts, *table(("Client", "What it does", "What becomes of it"), rows)])


def _describe(sending: Sending) -> str:
    if sending.is_taken:
        return "parsed"
    return f"{_STATUS[sending.outcome]} [`{sending.outcome}`](refusals.md)"
