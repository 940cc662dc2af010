"""The reference page about labels: part groups and colours of every label list."""

from detectors.label_lists import BACKGROUND, label_words
from detectors.palette import colour_of
from detectors.parts import SKIN, TROUSERS, group_of
from inference.labels.label_table import LabelTable
from inference.labels.shipped_tables import shipped_tables
from tools.markdown import page, table


def labels_page() -> str:
    """Labels by list, in the order of their indices."""
    parts = [
        "A segmenter names its labels as its data set does. Features and rules speak of part",
        "groups, so they hold for each of these lists. Spelling does not matter: `UpperClothes`,",
        "`upper_clothes` and `Upper-clothes` are one label. A label that stands on none of the",
        "lists is a group of its own, *other*, and drawn in grey. A preset or a `segmenter.toml`",
        "says which part groups its own labels belong to, or names one of these as `table`.",
        "",
        "*Counts as* tells what the rules about skin and trousers look at. Colours are the same",
        "in composites, label pictures and on the dashboard. Left and right are two shades of one",
        "hue.",
    ]
    for name, shipped in shipped_tables().items():
        known = LabelTable(table=name)
        rows = [
            _label(i, *each) for i, each in enumerate(zip(known.names, known.parts, strict=True))
        ]
        count = f'{len(rows)} labels; `table = "{name}"`.'
        parts += ["", f"## {shipped.title[:1].upper()}{shipped.title[1:]}", "", count, ""]
        parts += table(("Id", "Label", "Part group", "Counts as", "Colour"), rows)
    return page("Labels", parts)


def _label(index: int, label: str, part: str) -> tuple[str, ...]:
    words = label_words(part)
    group = group_of(part)
    red, green, blue = colour_of(part)
    return (
        str(index),
        f"`{label}`",
        "" if group is None else group.value,
        "skin" if words in SKIN else "trousers" if words in TROUSERS else "",
        "not drawn" if words == BACKGROUND else f"`#{red:02x}{green:02x}{blue:02x}`",
    )
