"""The reference page about labels: part groups and colours of every label list."""

from detectors.label_lists import BACKGROUND, LABEL_LISTS, label_words
from detectors.palette import colour_of
from detectors.parts import SKIN, TROUSERS, group_of
from tools.markdown import page, table


def labels_page() -> str:
    """Labels by list, in the order of their indices."""
    parts = [
        "A segmenter names its labels as its data set does. Features and rules speak of part",
        "groups, so they hold for each of these lists. Spelling does not matter: `UpperClothes`,",
        "`upper_clothes` and `Upper-clothes` are one label. A label that stands on none of the",
        "lists is a group of its own, *other*, and drawn in grey. The preset of an upstream says",
        "which part groups its labels belong to.",
        "",
        "*Counts as* tells what the rules about skin and trousers look at. Colours are the same",
        "in composites, label pictures and on the dashboard. Left and right are two shades of one",
        "hue.",
    ]
    for name, labels in LABEL_LISTS.items():
        rows = [_label(index, label) for index, label in enumerate(labels)]
        parts += ["", f"## {name[:1].upper()}{name[1:]}", "", f"{len(labels)} labels.", ""]
        parts += table(("Id", "Label", "Part group", "Counts as", "Colour"), rows)
    return page("Labels", parts)


def _label(index: int, label: str) -> tuple[str, ...]:
    words = label_words(label)
    group = group_of(label)
    red, green, blue = colour_of(label)
    return (
        str(index),
        f"`{label}`",
        "" if group is None else group.value,
        "skin" if words in SKIN else "trousers" if words in TROUSERS else "",
        "not drawn" if words == BACKGROUND else f"`#{red:02x}{green:02x}{blue:02x}`",
    )
