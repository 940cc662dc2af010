"""Logging: one JSON object a line on standard error."""

import logging
import sys

import structlog


def configure(debug: bool) -> None:
    """Set up structured logging for this process; tracebacks only with ``debug``."""
    level = logging.DEBUG if debug else logging.INFO
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks if debug else _one_line_error,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Looked up anew each time: whoever redirects standard error gets the logs as well.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    # It warns of every broken form: a flood of them would fill the log.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    # What it finds is logged in our own form, in which a name in a file cannot forge a line.
    logging.getLogger("picklescan").setLevel(logging.CRITICAL)


def _one_line_error(
    _logger: object, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Replace a traceback with the error's type and text."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given
    if isinstance(error, BaseException):
        event["error"] = f"{type(error).__name__}: {error}"
    return event
