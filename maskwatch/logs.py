"""Logging: one JSON object a line on standard error, whoever logs."""

import logging
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

import structlog
from structlog.tracebacks import ExceptionDictTransformer

_log = structlog.get_logger(__name__)
# Without the values of variables: they hold pictures, and what clients send.
_traceback = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
_MAX_ALIKE, _ALIKE_SECONDS = 10, 10.0
_MAX_REMEMBERED = 256


def configure(debug: bool) -> None:
    """Set up structured logging for this process; tracebacks only with ``debug``."""
    level = logging.DEBUG if debug else logging.INFO
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            FewAlike(),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _traceback if debug else _one_line_error,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Looked up anew each time: whoever redirects standard error gets the logs as well.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_InOurForm()])
    logging.captureWarnings(True)
    # It warns of every broken form: a flood of them would fill the log.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    # What it finds is logged in our own form, in which a name in a file cannot forge a line.
    logging.getLogger("picklescan").setLevel(logging.CRITICAL)


def take_over_hooks() -> None:
    """Log in our form what ends a thread, or fails where nobody can catch it.

    Hooks that somebody else has taken, such as a test runner, stay.
    """
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _on_dead_thread
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _on_unraisable


def _on_dead_thread(fault: threading.ExceptHookArgs) -> None:
    if not issubclass(fault.exc_type, SystemExit):
        name = fault.thread.name if fault.thread else ""
        _log.error("thread ended by a fault", thread=name, exc_info=fault.exc_value)


def _on_unraisable(fault: "sys.UnraisableHookArgs") -> None:
    _log.error("fault that nobody could catch", exc_info=fault.exc_value)


class _InOurForm(logging.Handler):
    """Passes on what libraries log, so that it gets the form of our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record again."""
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = str(record.msg)  # its arguments do not fit, which must not cost the line
        structlog.get_logger().log(
            record.levelno,
            text.strip(),
            logger=record.name,
            exc_info=record.exc_info,
            template=str(record.msg),
        )


@dataclass
class FewAlike:
    """Leaves lines out that say the same too often: a flood of faults must not fill the disk.

    Of lines with the same event, ten in ten seconds are written; the first one after that says how
    many were left out. Lines of libraries are the same if their text is before values are put in.
    """

    clock: Callable[[], float] = monotonic
    _counts: dict[str, tuple[float, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(
        self, _logger: object, _name: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        """The line, or none.

        Raises:
            DropEvent: it is one too many.
        """
        name = str(event.pop("template", event["event"]))
        with self._lock:
            left_out = self._count_left_out(name, self.clock())
        if left_out:
            event["left_out"] = left_out
        return event

    def _count_left_out(self, name: str, now: float) -> int:
        since, count = self._counts.pop(name, (now, 0))
        is_over = now - since >= _ALIKE_SECONDS
        self._remember(name, (now, 1) if is_over else (since, count + 1))
        if is_over:
            return max(0, count - _MAX_ALIKE)
        if count >= _MAX_ALIKE:
            raise structlog.DropEvent
        return 0

    def _remember(self, name: str, count: tuple[float, int]) -> None:
        if len(self._counts) >= _MAX_REMEMBERED:
            del self._counts[next(iter(self._counts))]
        self._counts[name] = count


def _one_line_error(
    _logger: object, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Replace a traceback with the error's type and text."""
    info = event.pop("exc_info", None)
    info = sys.exc_info() if info is True else info
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = f"{type(error).__name__}: {error}"
    return event
