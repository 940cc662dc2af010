"""Which p-values are those of outliers."""


def outlier_cutoff(p_value: float, rows: int) -> float:
    """The p-value at or below which a record is an outlier.

    A model of n rows cannot give less than 1 / (n + 1). A small model may still call an outlier
    what lies beyond all of its rows, at that higher false-positive rate.

    >>> outlier_cutoff(0.01, 999), outlier_cutoff(0.01, 49)
    (0.01, 0.02)
    """
    return max(p_value, 1 / (rows + 1))
