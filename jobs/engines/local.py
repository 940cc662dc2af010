"""The engine of one process: a thread works while the caller reads and stores."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from jobs.engines.base import Part, Result, Work


class LocalEngine:
    """Works on one part while the one before is stored and the next one is read."""

    def run(self, work: Work[Part, Result], parts: Iterator[Part]) -> Iterator[Result]:
        """What comes of each part, in their order."""
        with ThreadPoolExecutor(1) as pool:
            ahead: Future[Result] | None = None
            for part in parts:
                behind, ahead = ahead, pool.submit(work.do, part)
                if behind is not None:
                    yield behind.result()
            if ahead is not None:
                yield ahead.result()


LOCAL = LocalEngine()
