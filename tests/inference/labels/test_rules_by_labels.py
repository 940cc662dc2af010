"""Rules about bodies judge nobody by parts that a label list cannot name."""

import numpy as np
import numpy.typing as npt
import pytest

from detectors.label_lists import LABEL_LISTS
from detectors.parsing import LabelMap, Parsing
from detectors.parts import HEAD_GROUPS, PartGroup, group_indices, group_of
from detectors.topology.persons import Scene
from detectors.topology.topology_limits import TopologyLimits
from detectors.topology.topology_rules import topology_findings
from inference.figures import draw_figure
from inference.labels.label_table import LabelTable
from inference.labels.shipped_tables import shipped_tables

_FIGURES = [draw_figure(seed, (192, 288)).label_map for seed in range(12)]
_SMALL = {
    "foreground": {"names": ["bg", "foreground"], "groups": {"foreground": "other"}},
    "person": {"names": ["bg", "person"], "groups": {"person": "torso"}},
    "head and body": {"names": ["bg", "face", "body"], "groups": {"body": "torso"}},
    "no limbs": {"names": ["bg", "hair", "face", "coat"]},
}
TABLES = {name: LabelTable(table=name) for name in shipped_tables()} | {
    name: LabelTable.model_validate(document) for name, document in _SMALL.items()
}
# What a list without a group calls such pixels, if it calls them anything.
_INSTEAD = {
    **dict.fromkeys(HEAD_GROUPS, HEAD_GROUPS),
    PartGroup.LOWER: (PartGroup.LEGS,),
}


def _translate(label_map: LabelMap, table: LabelTable) -> LabelMap:
    """A drawn person in the words of another list."""
    lookup = np.zeros(256, dtype=np.uint8)
    for index, label in enumerate(LABEL_LISTS["reference"]):
        group = group_of(label)
        if group is not None:
            lookup[index] = _label_for(group, table)
    return np.asarray(lookup[label_map], dtype=np.uint8)


def _label_for(group: PartGroup, table: LabelTable) -> int:
    for groups in ((group,), _INSTEAD.get(group, ()), (PartGroup.OTHER,)):
        indices = group_indices(table.parts, groups)
        if indices:
            return indices[0]
    return 0


def _one_hot(label_map: LabelMap, count: int) -> npt.NDArray[np.float32]:
    return np.asarray(label_map == np.arange(count)[:, None, None], dtype=np.float32)


@pytest.mark.parametrize("name", TABLES)
def test_a_whole_person_is_accused_of_nothing(name: str) -> None:
    table = TABLES[name]
    for figure in _FIGURES:
        label_map = _translate(figure, table)
        probabilities = _one_hot(label_map, len(table.names))
        parsing = Parsing(probabilities, label_map, table.names, None, table.parts)
        assert topology_findings(Scene.of(parsing), TopologyLimits()) == ()
