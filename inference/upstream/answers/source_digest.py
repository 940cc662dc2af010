"""Which source measured a record, where that is an upstream."""

import json
from hashlib import sha256
from urllib.parse import urlsplit

from inference.labels.label_table import LabelTable


def digest_source(preset: str, labels: LabelTable, upstream: str) -> str:
    """SHA-256 in hex of what a parse of an upstream depends on.

    Args:
        preset: canonical JSON of the preset.
        labels: the label table.
        upstream: URL; a user name and password in it are left out.

    >>> one = digest_source("{}", LabelTable(), "http://user:secret@10.0.0.1:5000/")
    >>> one == digest_source("{}", LabelTable(), "http://10.0.0.1:5000/"), len(one)
    (True, 64)
    """
    url = urlsplit(upstream)
    place = url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()
    parts = [preset, labels.model_dump(mode="json"), place]
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(text.encode()).hexdigest()
