"""The kinds of files that are walked part by part, and what does not belong into them."""

from inference.gate.decoder.limits import PictureLimits
from inference.gate.media import MediaType

LIMITS = PictureLimits()
WALKED = (MediaType.JPEG, MediaType.PNG, MediaType.WEBP)
PHP = b"<?php system($_GET[0]); ?>"
