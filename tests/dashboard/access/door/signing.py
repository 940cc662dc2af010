"""Where the door is, and links to sign in with."""

from datetime import datetime

from starlette.websockets import WebSocket

from dashboard.server import new_link
from dashboard.wiring import Parts

BASE = "http://127.0.0.1:8501"
STREAM = "ws://127.0.0.1:8501/_stcore/stream"


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


async def serve_stream(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("open")
    await websocket.close()


def make_link(parts: Parts, suffix: str = "") -> str:
    link = new_link(parts.settings, parts.database, parts.clock())
    return link.removeprefix(BASE) + suffix
