"""Writes a preset as TOML, with sentences before it."""

import json
from collections.abc import Iterable, Mapping
from textwrap import wrap
from typing import Any

from inference.upstream.answers.formats import AnswerFormat, JsonPictures, MaskPng
from inference.upstream.presets.preset import Preset

_WIDTH = 98


def write_preset(preset: Preset, sentences: Iterable[str] = ()) -> str:
    """A file that :func:`inference.upstream.presets.preset_files.read_preset` takes.

    What is not told apart from its default is left out.

    >>> from inference.upstream.presets.preset_files import load_preset
    >>> write_preset(load_preset("hf"), ["A sentence."]).splitlines()[:2]
    ['# A sentence.', 'name = "hf"']
    """
    document = preset.model_dump(mode="json", exclude_defaults=True)
    for table, door in zip(document["doors"], preset.doors, strict=True):
        if door.answer is not None:
            table["answer"] = _dump_form(door.answer)
    comments = "".join(map(_write_comment, sentences))
    return comments + "\n".join(_write_table(document, ())).strip() + "\n"


def show_line(text: str) -> str:
    """A text in which nothing moves a terminal's cursor or ends a line."""
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _write_comment(sentence: str) -> str:
    """Its lines; those after the first stand further in, so that each beginning is seen."""
    lines = wrap(show_line(sentence), _WIDTH, initial_indent="# ", subsequent_indent="#   ")
    return "".join(f"{line}\n" for line in lines)


def _dump_form(form: AnswerFormat | MaskPng) -> dict[str, Any]:
    """The kind, which is a default to each of them, and what is no default."""
    document = {"kind": form.kind} | form.model_dump(mode="json", exclude_defaults=True)
    if isinstance(form, JsonPictures):
        document["picture"] = _dump_form(form.picture)
    return document


def _write_table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterable[str]:
    """Its own keys first: what follows a heading belongs to that."""
    for key, value in table.items():
        if not _is_table(value) and not _is_tables(value):
            yield f"{_write_key(key)} = {_write_value(value)}"
    for key, value in table.items():
        place = (*path, _write_key(key))
        if _is_table(value):
            yield f"\n[{'.'.join(place)}]"
            yield from _write_table(value, place)
        elif _is_tables(value):
            for member in value:
                yield f"\n[[{'.'.join(place)}]]"
                yield from _write_table(member, place)


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _write_value(value: object) -> str:
    if value is None:
        return "false"  # see `MaybePointer`
    if isinstance(value, str):
        return _write_text(value)
    if not isinstance(value, list):
        return json.dumps(value)
    members = [_write_value(member) for member in value]
    line = f"[{', '.join(members)}]"
    return line if len(line) < _WIDTH else "[\n" + "".join(f"    {m},\n" for m in members) + "]"


def _write_key(key: str) -> str:
    is_bare = key.isascii() and key.replace("_", "").isalnum()
    return key if is_bare else _write_text(key)


def _write_text(text: str) -> str:
    """A basic string: JSON's escapes are TOML's, and what is not printable is escaped as well."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{show_line(escaped)}"'


def _escape(character: str) -> str:
    return f"\\U{ord(character):08X}"
