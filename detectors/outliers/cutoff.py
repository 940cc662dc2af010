"""Which p-values are those of outliers."""


def outlier_cutoff(p_value: float, rows: int) -> float:
    """The p-value at or below which a record is an outlier.

    A model of n rows cannot give less than 1 / (n + 1). A small model may still call an outlier
    what lies beyond all of its rows, at that higher false-positive rate.

    >>> outlier_cutoff(0.01, 999), outlier_cutoff(0.01, 49)
    (0.01, 0.02)
    """
    return max(p_value, 1 / (rows + 1))


def describe_cutoff(p_value: float, rows: int) -> str:
    """Which cutoff is in force, and why it is not the one that was asked for.

    >>> describe_cutoff(0.01, 999)
    '0.01, as set'
    >>> describe_cutoff(0.01, 37)
    '0.0263 instead of 0.01: a model of 37 rows gives no p-value below 1/38'
    """
    cutoff = outlier_cutoff(p_value, rows)
    if cutoff == p_value:
        return f"{cutoff:.3g}, as set"
    return (
        f"{cutoff:.3g} instead of {p_value:.3g}: "
        f"a model of {rows} rows gives no p-value below 1/{rows + 1}"
    )
