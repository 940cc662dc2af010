from detectors.label_lists import LABEL_LISTS
from detectors.parts import unknown_labels
from inference.segmenters.reference.labels import LABELS


def test_the_table_of_lists_has_the_labels_of_the_shipped_weights() -> None:
    assert LABEL_LISTS["reference"] == LABELS
    assert unknown_labels(LABELS) == ()
