"""Pages as Streamlit's own test runner opens them."""

import re
from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

import dashboard.main
from dashboard.wiring import Parts

SCRIPT = Path(dashboard.main.__file__)
# Only a page that hangs takes as long. The first page of a process imports all that pages need,
# which took 19 seconds under a load of 12 on two cores.
_PATIENCE_SECONDS = 600
Signed = Callable[[Parts], str]


def open_page(page: str, **query: str | list[str]) -> AppTest:
    at = AppTest.from_file(SCRIPT, default_timeout=_PATIENCE_SECONDS)
    # Before it ran, the runner knows a page by the name of its file, which our addresses have too.
    for name, value in query.items():
        at.query_params[name] = value
    return fine((at if page == "overview" else at.switch_page(f"views/{page}.py")).run())


def fine(at: AppTest) -> AppTest:
    assert [error.message for error in at.exception] == []
    return at


def html_of(at: AppTest) -> str:
    bodies = (str(element.proto.body) for element in at.get("html"))
    return "\n".join(body for body in bodies if not body.startswith("<style>"))


def images_of(at: AppTest) -> str:
    return "\n".join(str(element.proto) for element in at.get("image"))


def button_named(at: AppTest, label: str) -> Button:
    return next(button for button in at.button if button.label == label)


def request_ids(html: str) -> list[str]:
    return re.findall(r"/request\?id=([0-9a-f-]{36})", html)
