"""Reads exchanges as a preset says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from inference.upload import Upload
from inference.upstream.observe.pair_joiner import Exchange
from inference.upstream.observe.sent_masks import SentMasks
from inference.upstream.presets.doors import find_door
from inference.upstream.presets.preset import Door, Preset
from inference.upstream.presets.preset_files import PresetError
from inference.upstream.requests.read import read_request
from inference.upstream.requests.sent_request import RequestLimits


@dataclass(frozen=True)
class PresetReader:
    """Finds pictures and masks at one door of a preset."""

    preset: Preset
    door: Door
    limits: RequestLimits

    @classmethod
    def of(cls, preset: Preset, path: str, limits: RequestLimits) -> Self:
        """For the door that a POST to a path is at.

        Raises:
            PresetError: there is none, or it takes no pictures.
        """
        door = find_door(preset, "POST", path.encode())
        if door is None or door.kind != "picture":
            raise PresetError(
                f"The preset {preset.name} takes no pictures at {path}: set "
                "MASKWATCH_OBSERVE_PATH to a path that the service is called at."
            )
        return cls(preset, door, limits)

    def read(self, exchange: Exchange) -> Sequence[tuple[Upload, SentMasks | None]]:
        """The pictures of an exchange; masks are read of one that has a single picture.

        Raises:
            Refused: the request cannot be read.
        """
        request = exchange.request
        uploads = read_request(self.door, request.headers, request.body, self.limits).uploads
        masks = self._find_masks(exchange) if len(uploads) == 1 else None
        return [(upload, masks) for upload in uploads]

    def _find_masks(self, exchange: Exchange) -> SentMasks | None:
        response, form = exchange.response, self.door.answer
        if response is None or form is None:
            return None
        # KServe's logger gives the response the media type of the request.
        media_type = dict(response.headers).get(b"content-type", b"").decode("latin-1")
        origin = exchange.request.origin
        return SentMasks(form, self.preset.labels, media_type, response.body, origin)
