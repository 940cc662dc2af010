"""Stands in place of a client where a request is our own."""

from asyncio import Event

from starlette.types import Message


async def stay() -> Message:
    """Nobody leaves who could: waits for ever."""
    await Event().wait()
    return {"type": "http.disconnect"}
