"""What ``maskwatch doctor`` looks at where Maskwatch stands in front of a service."""

import socket
from collections.abc import Iterator

from inference.settings import ProxySettings
from inference.upstream.looks.repeatable import NO_LOOKS, can_ask_again
from inference.upstream.presets.preset_files import load_preset
from maskwatch.commands.checks import Check, State
from store.phrases import phrase_count

_SECONDS = 2.0


def check_upstream(settings: ProxySettings) -> Iterator[Check]:
    """Whether the service listens, and whether the preset can be used.

    Raises:
        MaskwatchError: the preset is wrong.
    """
    address = settings.relay.upstream_address()
    try:
        socket.create_connection((address.host, address.port), _SECONDS).close()
    except OSError as error:
        sentence = f"Nothing answers at {address.authority} ({error.strerror or error}): start it."
        yield Check("upstream", State.WARN, sentence)
    else:
        yield Check("upstream", State.OK, f"{address.authority} takes connections.")
    preset = load_preset(settings.attach.preset)
    doors = sum(door.kind == "picture" for door in preset.doors)
    yield Check("preset", State.OK, f"{preset.name}, {phrase_count(doors, 'door')} for pictures.")
    if unknown := preset.labels.unknown:
        sentence = f"Labels without a part group: {', '.join(unknown)}. Give them one in [labels]."
        yield Check("preset", State.WARN, sentence)
    if settings.asking.upstream_looks and not can_ask_again(preset):
        yield Check("looks", State.WARN, NO_LOOKS)
