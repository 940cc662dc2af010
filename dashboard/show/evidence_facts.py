"""An alert's or decision's evidence: whatever its rule wrote down, as lists and links."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from markupsafe import Markup, escape

from dashboard.show import markup, words

_MAX = 12
_CODE = re.compile(r"[a-z]+(_[a-z0-9]+)*")


def evidence_facts(evidence: Mapping[str, Any]) -> None:
    """Every entry with its name; request ids and clients lead to their pages."""
    facts = {words.label(name): _value(name, value) for name, value in evidence.items()}
    markup.facts({name: value for name, value in facts.items() if value})


def _value(name: str, value: Any) -> Markup:
    if isinstance(value, Mapping):
        return _lines([(str(key), inner) for key, inner in value.items()])
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _list_values(name, value)
    return _scalar(name, value)


def _list_values(name: str, values: Sequence[Any]) -> Markup:
    if values and all(isinstance(each, list | tuple) and len(each) == 2 for each in values):
        return _lines([(str(key), inner) for key, inner in values])
    items = [_value(name, each) for each in values[:_MAX]]
    more = len(values) - len(items)
    badges = markup.badges(*items, *([markup.quiet(f"and {more} more")] if more else []))
    return markup.span(badges, "mw-long") if len(items) > 2 else badges


def _lines(pairs: Sequence[tuple[str, Any]]) -> Markup:
    lines = [markup.join((_key(key), markup.quiet(_plain(inner)))) for key, inner in pairs[:_MAX]]
    return markup.join(lines, Markup("<br>"))


def _key(key: str) -> Markup:
    """A code in words, or a link."""
    return _scalar("", words.label(key) if _CODE.fullmatch(key) else key)


def _scalar(name: str, value: Any) -> Markup:
    text = _plain(value, name)
    if _is_uuid(text):
        return markup.request_link(text)
    if text.startswith(("ip:", "key:", "cli:")):
        return markup.client_link(text)
    is_code = "_" in text and _CODE.fullmatch(text)
    return escape(words.label(text) if is_code else text)


def _plain(value: Any, name: str = "") -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return words.percent(value) if "share" in name else words.number(value)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
