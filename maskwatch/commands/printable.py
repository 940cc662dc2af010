"""Text from outside on a terminal."""


def escape_unprintable(text: str) -> str:
    r"""The text with escapes for whatever moves the cursor, colours or hides something.

    >>> escape_unprintable("one\x1b[2J\ntwo é")
    'one\\x1b[2J\\ntwo é'
    """
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
