"""Reads a picture in base64 out of a JSON object. It runs in a thread."""

from codecs import BOM_UTF8
from collections.abc import Sequence
from dataclasses import dataclass

from inference.bodies.base64_text import decode_base64, split_data_url
from inference.bodies.json_document import read_small_document
from inference.refusals import NO_JSON_FIELD, NOT_JSON, TOO_MANY_BYTES, Refused
from inference.upload import Upload


@dataclass(frozen=True)
class SentJson:
    """A JSON body as it came: nothing in it was looked at yet.

    Attributes:
        chunks: the body, in pieces as they came; taken out when it is read.
        fields: names under which the picture may stand.
        max_bytes: of the picture.
    """

    chunks: list[bytes]
    fields: Sequence[str]
    max_bytes: int

    def read_upload(self) -> Upload:
        """The picture, hashed.

        Raises:
            Refused: it is no JSON object, or holds no picture in base64 or several.
        """
        body = b"".join(self.chunks)
        self.chunks.clear()
        document = read_small_document(body.removeprefix(BOM_UTF8))
        declared, text = split_data_url(_pick_text(document, self.fields))
        data = decode_base64(text)
        if len(data) > self.max_bytes:
            raise Refused(TOO_MANY_BYTES)
        return Upload.hash_now(data, declared)


def _pick_text(document: object, fields: Sequence[str]) -> str:
    if not isinstance(document, dict):
        raise Refused(NOT_JSON)
    # Some libraries write every name that they know, and `null` where there is nothing.
    texts = [document[name] for name in fields if document.get(name) is not None]
    if len(texts) != 1 or not isinstance(texts[0], str):
        raise Refused(NO_JSON_FIELD)
    return texts[0]
