"""The executor: how APScheduler runs jobs in threads."""

import sys
from datetime import datetime
from threading import Thread, current_thread
from time import monotonic
from typing import Any

from apscheduler.executors.base import BaseExecutor, run_job

_STOP_SECONDS = 5.0


class DaemonExecutor(BaseExecutor):  # type: ignore[misc]  # the library has no types
    """One thread per run that does not keep the process alive.

    The library's own pool would let a retraining hold up the stop of the whole process; a run that
    is cut off is only rolled back, and recorded as interrupted.
    """

    def __init__(self) -> None:
        super().__init__()
        self._threads: set[Thread] = set()

    def shutdown(self, wait: bool = True) -> None:
        """Wait a few seconds for the runs under way."""
        deadline = monotonic() + (_STOP_SECONDS if wait else 0.0)
        for thread in tuple(self._threads):
            thread.join(max(0.0, deadline - monotonic()))

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        thread = Thread(target=self._run, args=(job, run_times), daemon=True, name=job.id)
        self._threads.add(thread)
        thread.start()

    def _run(self, job: Any, run_times: list[datetime]) -> None:
        try:
            events = run_job(job, job._jobstore_alias, run_times, self._logger.name)
        except BaseException:  # noqa: BLE001 - the library's contract: report it, go on
            self._run_job_error(job.id, *sys.exc_info()[1:])
        else:
            self._run_job_success(job.id, events)
        finally:
            self._threads.discard(current_thread())
