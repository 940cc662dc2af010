"""The root of Maskwatch's error tree."""

from typing import ClassVar


class MaskwatchError(Exception):
    """An error whose text is one plain sentence: which thing is wrong and what to do about it.

    ``retryable`` says whether the same call may succeed later without anybody acting.
    """

    retryable: ClassVar[bool] = False
