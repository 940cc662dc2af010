"""``maskwatch proxy presets``: those that come with Maskwatch, in words."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from inference.upstream.presets.preset import Door
from inference.upstream.presets.preset_files import list_preset_files, read_preset


@dataclass(frozen=True)
class DoorView:
    """A door as people may see it."""

    name: str
    kind: str
    methods: tuple[str, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True)
class PresetView:
    """A preset as people may see it.

    Attributes:
        file: where it stands; a copy of it can be changed and named instead.
    """

    name: str
    summary: str
    doors: tuple[DoorView, ...]
    file: str


def view_presets() -> Iterator[PresetView]:
    """Every preset that comes with Maskwatch, in the order of their names."""
    for path in list_preset_files():
        preset = read_preset(path)
        doors = tuple(map(_view_door, preset.doors))
        yield PresetView(preset.name, preset.summary, doors, str(path))


def to_json(view: PresetView) -> str:
    """One JSON object."""
    return json.dumps(asdict(view))


def to_text(view: PresetView) -> str:
    """A line for the preset, one for each door, and one for the file."""
    doors = (
        f"    {door.name:<10} {door.kind:<8} {','.join(door.methods):<9} {' '.join(door.paths)}"
        for door in view.doors
    )
    return "\n".join([f"{view.name:<12} {view.summary}", *doors, f"    {view.file}"])


def _view_door(door: Door) -> DoorView:
    return DoorView(door.name, door.kind, door.methods, door.paths)
