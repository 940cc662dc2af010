"""Servers of tests end sooner: uvicorn looks ten times a second whether it should."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn.server

from tests.waiting import POLL_SECONDS


class ShortNaps:
    """The module ``asyncio`` as a server of tests sees it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        """Sleep no longer than a test between two looks."""
        await asyncio.sleep(min(seconds, POLL_SECONDS))


@contextmanager
def hasten_servers() -> Iterator[None]:
    """Servers in this process look more often, as long as this lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn.server, "asyncio", ShortNaps())
        yield
