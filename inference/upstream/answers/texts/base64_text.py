"""Pictures in base64, in either alphabet, as such or as a data URL."""

from inference.bodies import base64_text
from inference.refusals import Refused
from inference.upstream.answers.errors import AnswerUnreadable


def decode_base64(value: object) -> bytes:
    """The bytes of a text.

    Raises:
        AnswerUnreadable: it is no text, or none in base64.
    """
    if not isinstance(value, str):
        raise AnswerUnreadable("The answer has something else where a picture in base64 belongs.")
    try:
        return base64_text.decode_base64(base64_text.split_data_url(value)[1])
    except Refused:
        raise AnswerUnreadable("The answer has a picture that is not in base64.") from None
