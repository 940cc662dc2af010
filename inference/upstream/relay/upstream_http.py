"""HTTP/1.1 towards an upstream by h11, which content of answers goes past."""

import h11
from h11._readers import ChunkedReader, ContentLengthReader

_CHUNK_END = b"\r\n"


class UpstreamHttp(h11.Connection):
    """A client's side of a connection.

    h11 copies what it takes in four times. In the middle of content it does nothing else: how much
    content follows is known to it, so that much can be handed on, and it be told that it came. All
    framing is read by h11, and by nothing else. Its readers have no public names: look at another
    version of it before you take it.
    """

    def __init__(self, max_head_bytes: int) -> None:
        super().__init__(h11.CLIENT, max_head_bytes)

    def split_content(self, data: bytes) -> tuple[bytes, bytes]:
        """Bytes that came next: those that are content, and those that are for ``receive_data``.

        Content comes behind what h11 has read and before what it is given from now on.
        """
        count = self._pass_content(len(data))
        return data[:count], data[count:]

    def _pass_content(self, most: int) -> int:
        """How many bytes are content; they are noted as read."""
        if self._receive_buffer or self.their_state is not h11.SEND_BODY:
            return 0
        reader = self._reader
        if isinstance(reader, ChunkedReader):
            return _pass_chunk(reader, most)
        if isinstance(reader, ContentLengthReader):
            count = min(most, reader._remaining)
            reader._remaining -= count
            return count
        return 0


def _pass_chunk(reader: ChunkedReader, most: int) -> int:
    count = min(most, reader._bytes_in_chunk)
    reader._bytes_in_chunk -= count
    if count and not reader._bytes_in_chunk:
        reader._bytes_to_discard = _CHUNK_END
    return count
