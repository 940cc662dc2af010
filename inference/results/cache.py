"""Remembers what pictures hold, so that the same bytes are not parsed twice."""

from collections import OrderedDict
from threading import Lock

from inference.results.content import Content

_Key = tuple[str, str, str]


class ParseCache:
    """Least recently used content is forgotten first. Safe to share between threads.

    The key is the SHA-256 of all bytes, of the model and of the settings: no client can make an
    entry that another client's different upload, or another model, would meet. What a client says
    about its upload is no part of an entry. Off by default, because an answer that comes faster
    than others tells that somebody sent the same file before.
    """

    def __init__(self, max_bytes: int = 0, settings_digest: str = "") -> None:
        self._max_bytes = max_bytes
        self._settings = settings_digest
        self._contents: OrderedDict[_Key, Content] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._contents)

    def get(self, content_sha256: str, model_digest: str) -> Content | None:
        """What these bytes were found to hold."""
        key = (content_sha256, model_digest, self._settings)
        with self._lock:
            content = self._contents.get(key)
            if content is not None:
                self._contents.move_to_end(key)
            return content

    def put(self, content_sha256: str, model_digest: str, content: Content) -> None:
        """Remember what bytes hold; only for content that passes."""
        if content.size_bytes > self._max_bytes:
            return
        key = (content_sha256, model_digest, self._settings)
        with self._lock:
            if key not in self._contents:
                self._contents[key] = content
                self._bytes += content.size_bytes
            while self._bytes > self._max_bytes:
                _, oldest = self._contents.popitem(last=False)
                self._bytes -= oldest.size_bytes
