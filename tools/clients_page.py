"""The page about what clients send."""

from inference.gate.refusals import GATE_REFUSALS
from inference.refusals import REFUSALS
from tools.clients import SENDINGS, Sending
from tools.file_kinds import FILE_KINDS, FileKind
from tools.markdown import page, table

_STATUS = {refusal.code: refusal.status.value for refusal in (*GATE_REFUSALS, *REFUSALS)}


def clients_page() -> str:
    """Ways of sending and kinds of files, and what becomes of each."""
    parts = [
        "What phones, browsers and libraries send, and what becomes of it. The tests send each",
        "line of these tables (`tools/clients.py`, `tools/file_kinds.py`) to a real service.",
        "",
        "## Ways of sending",
        "",
        "How a picture may be sent is described in [the interface](api.md#post-v1parse); the names",
        "of the field, and pages of other sites, are [settings](settings.md). The sentence of a",
        "refusal says which of these things is wrong.",
        "",
    ]
    rows = [(each.client, each.habit, _describe(each)) for each in SENDINGS]
    parts += table(("Client", "What it does", "What becomes of it"), rows)
    return page("Clients", [*parts, "", "## Kinds of files", "", *_describe_kinds()])


def _describe_kinds() -> list[str]:
    intro = [
        "The first bytes of a file tell its type; its name and its declared type are only held",
        "against them. Damaged files, and what makers put behind a picture, are listed on the",
        "[page of the gate](gate.md#files-of-phones-cameras-and-tools).",
        "",
    ]
    rows = [(kind.client, kind.name, _describe_kind(kind)) for kind in FILE_KINDS]
    return intro + table(("Client", "What it sends", "What becomes of it"), rows)


def _describe_kind(kind: FileKind) -> str:
    if kind.refusal is None:
        signs = ", ".join(f"[`{rule.code}`](gate.md) is recorded" for rule in kind.signs)
        return f"parsed; {signs}" if signs else "parsed"
    refused = (
        f"{kind.refusal.status.value} [`{kind.refusal.code}`](refusals.md): {kind.refusal.sentence}"
    )
    if kind.switch is None:
        return refused
    return f"{refused} Parsed where `MASKWATCH_PICTURE_TYPES` names `{kind.switch}`"


def _describe(sending: Sending) -> str:
    if sending.is_taken:
        return "parsed"
    return f"{_STATUS[sending.outcome]} [`{sending.outcome}`](refusals.md)"
