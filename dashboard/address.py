"""Filters that stand in a page's address: by code.

Streamlit's own binding writes what a widget shows, such as ``Adversarial picture``, and leaves out
without a word what it does not know. Here an address holds codes, as records and the API do.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

import streamlit as st
from markupsafe import Markup

from dashboard.show import markup

_QUOTES = "\"'`“”‘’"
_MAX_SHOWN = 60
_YES, _NO = "true", "false"
YES_OR_NO = (_YES, _NO)


def seed_choice(name: str, codes: Collection[str], default: str, key: str = "") -> None:
    """Let a widget that takes one code begin with that of the address.

    Args:
        key: of the widget, where another page has one of that name.
    """
    st.session_state.setdefault(key or name, _first(name, codes, default))


def seed_choices(name: str, codes: Collection[str]) -> None:
    """Let a widget that takes several codes begin with those of the address."""
    st.session_state.setdefault(name, list(_read_known(name, codes)))


def seed_tick(name: str) -> None:
    """Let a checkbox begin as the address says."""
    st.session_state.setdefault(name, _first(name, YES_OR_NO, _NO) == _YES)


def seed_text(name: str) -> None:
    """Let a text field begin with what the address says."""
    st.session_state.setdefault(name, st.query_params.get(name, ""))


def read_number(name: str) -> str:
    """A number in the address, as somebody copied it: in quotes, or with a `#` before it."""
    return st.query_params.get(name, "").strip(f"{_QUOTES} #.")


def write_choice(name: str, chosen: str, codes: Collection[str], default: str) -> None:
    """Put the code that was chosen into the address; what it asks for in vain stays until then."""
    if chosen != _first(name, codes, default):
        _write(name, [chosen] if chosen != default else [])


def write_choices(name: str, chosen: Sequence[str], codes: Collection[str]) -> None:
    """The same for several codes."""
    if tuple(chosen) != _read_known(name, codes):
        _write(name, list(chosen))


def write_tick(name: str, *, ticked: bool) -> None:
    """The same for a checkbox."""
    write_choice(name, _YES if ticked else _NO, YES_OR_NO, _NO)


def write_text(name: str, text: str) -> None:
    """The same for a text."""
    if text != st.query_params.get(name, ""):
        _write(name, [text] if text else [])


def name_unknown(
    several: Mapping[str, Collection[str]],
    single: Mapping[str, Collection[str]],
    texts: Collection[str] = (),
) -> None:
    """Say on the page what its address asks for that there is not.

    Args:
        several, single: codes by filter, of those that take several and of those that take one.
        texts: filters that take any text.
    """
    for sentence in _complaints(several, single, texts):
        markup.empty("This page shows something else than its address asks for", sentence)


def _complaints(
    several: Mapping[str, Collection[str]],
    single: Mapping[str, Collection[str]],
    texts: Collection[str],
) -> Iterator[str]:
    codes_by_name = {**several, **single}
    for name in st.query_params:
        if name in codes_by_name:
            codes, limit = codes_by_name[name], 1 if name in single else None
            yield from _explain_unused(name, codes, limit)
        elif name not in texts:
            filters = ", ".join([*codes_by_name, *texts]) or "none"
            yield Markup("This page has no filter “{}”; it has {}.").format(_cut(name), filters)


def _explain_unused(name: str, codes: Collection[str], limit: int | None) -> Iterator[str]:
    """Sentences about values that there are not, and about those beyond a limit."""
    asks = Markup("The address asks for the {} “{}”{}")
    for value in _values(name):
        if value not in codes:
            why = ", which there is not: it was left out."
            yield asks.format(name, _cut(value), why)
    for value in _read_known(name, codes)[limit:] if limit else ():
        yield asks.format(name, value, " as well: only the first one counts.")


def _values(name: str) -> tuple[str, ...]:
    values = st.query_params.get_all(name)
    cleaned = (each.strip().strip(_QUOTES).strip().casefold() for each in values)
    return tuple(dict.fromkeys(each for each in cleaned if each))


def _first(name: str, codes: Collection[str], default: str) -> str:
    return next(iter(_read_known(name, codes)), default)


def _read_known(name: str, codes: Collection[str]) -> tuple[str, ...]:
    return tuple(value for value in _values(name) if value in codes)


def _write(name: str, values: list[str]) -> None:
    if values:
        st.query_params[name] = values
    elif name in st.query_params:
        del st.query_params[name]


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
