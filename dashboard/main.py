"""The script that Streamlit runs for every browser: frame, navigation, one page."""

import streamlit as st
from markupsafe import Markup

from dashboard.access.page_context import current_page
from dashboard.access.sign_in import SIGN_OUT
from dashboard.theme import ICON, LOGO, STYLE_SHEET
from detectors.errors import MaskwatchError

PAGES = [
    st.Page("views/overview.py", title="Overview", icon=":material/monitoring:", default=True),
    st.Page("views/alerts.py", title="Alerts", icon=":material/notifications_active:"),
    st.Page("views/traffic.py", title="Traffic", icon=":material/swap_horiz:"),
    st.Page("views/request.py", title="Request", icon=":material/image_search:"),
    st.Page("views/blacklist.py", title="Blacklist", icon=":material/block:"),
    st.Page("views/audit.py", title="Audit", icon=":material/history_edu:"),
]


def run() -> None:
    """Show the page that the address names."""
    page = st.navigation(PAGES)
    st.set_page_config(f"{page.title} · Maskwatch", str(ICON), layout="wide")
    st.logo(LOGO.read_text(), size="large")
    st.html(STYLE_SHEET)
    try:
        _sidebar(current_page().who)
        page.run()
    except MaskwatchError as error:
        st.error(str(error), icon=":material/error:")


def _sidebar(who: str) -> None:
    with st.sidebar:
        st.html(
            Markup(
                '<div class="mw-signed">Signed in as <b>{}</b> · '
                '<a href="{}" target="_self">Sign out</a><br>All times are UTC</div>'
            ).format(who, SIGN_OUT)
        )


if __name__ == "__main__":
    run()
