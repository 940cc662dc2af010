"""The HTML document that every page starts as."""

from pathlib import Path

from streamlit.file_util import get_static_dir

_HEAD = "<head>"
# Left alone, Streamlit's script would look for the server below each page's own address first.
_SERVER = "<script>window.__streamlit = {BACKEND_BASE_URL: location.origin}</script>"


def page_document() -> str:
    """Streamlit's document, which says where the server is.

    Raises:
        ValueError: it has no head, and so is another one than this was written for.
    """
    before, head, rest = (Path(get_static_dir()) / "index.html").read_text().partition(_HEAD)
    if not head:
        raise ValueError("Streamlit's document has no head.")
    return f"{before}{head}{_SERVER}{rest}"
