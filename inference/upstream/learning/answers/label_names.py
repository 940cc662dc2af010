"""From the labels that answers had to a table of labels."""

from collections.abc import Sequence
from dataclasses import dataclass

from inference.labels.label_table import MAX_LABELS, LabelTable
from inference.upstream.learning.answers.proposal import PERSON_LABELS
from inference.upstream.presets.preset_files import list_preset_files, read_preset

_BACKGROUND = ("background", "_background_", "bg")
_UNNAMED = (
    "The answers have numbers and no names for labels: replace `label_1` and those that follow by "
    "their names, in the order of their numbers; numbers that did not come are to be added."
)


@dataclass(frozen=True)
class LearnedLabels:
    """A table, with what is to be said of it."""

    table: LabelTable
    sentences: tuple[str, ...] = ()


def learn_labels(names: Sequence[str], top: int) -> LearnedLabels:
    """A table with these names, or with as many as the largest index asks for.

    Args:
        names: as answers have them, whole persons included.
        top: the largest index that came.
    """
    parts = [name for name in names if name.casefold() not in PERSON_LABELS]
    if not parts:
        count = min(max(top, 1) + 1, MAX_LABELS)
        numbered = tuple(f"label_{index}" for index in range(1, count))
        return LearnedLabels(LabelTable(names=("background", *numbered)), (_UNNAMED,))
    for file in list_preset_files():
        shipped = read_preset(file)
        if set(parts) <= set(shipped.labels.names) and top < len(shipped.labels.names):
            sentence = f"All names are known from the preset `{shipped.name}`: its list is taken."
            return LearnedLabels(shipped.labels, (sentence,))
    first = [name for name in parts if name.casefold() in _BACKGROUND] or ["background"]
    others = [name for name in parts if name != first[0]] or ["label_1"]
    table = LabelTable(names=(first[0], *others)[:MAX_LABELS])
    return LearnedLabels(table, tuple(_describe(table)))


def _describe(table: LabelTable) -> list[str]:
    sentences = ["Only names that came are in `labels`: add the others that the service has."]
    if table.unknown:
        unknown = ", ".join(table.unknown)
        sentences.append(f"These names belong to no part group, so give them one: {unknown}.")
    return sentences
