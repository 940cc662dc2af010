"""Numbers in sentences for people."""


def phrase_count(number: int, noun: str) -> str:
    """A number with its noun.

    >>> phrase_count(1, "outlier"), phrase_count(0, "outlier"), phrase_count(2, "patch")
    ('1 outlier', '0 outliers', '2 patches')
    """
    return f"{number} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """More than one of a thing.

    >>> plural("file"), plural("recurring patch")
    ('files', 'recurring patches')
    """
    return f"{noun}es" if noun.endswith(("ch", "sh", "s", "x")) else f"{noun}s"


def phrase_share(share: float) -> str:
    """A share in per cent.

    >>> phrase_share(0.125), phrase_share(0.05), phrase_share(1 / 3)
    ('12.5 %', '5 %', '33.33 %')
    """
    return f"{round(100 * share, 2):g} %"
