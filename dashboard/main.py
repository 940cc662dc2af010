"""The script that Streamlit runs for every browser: frame, navigation, one page."""

import streamlit as st
from markupsafe import Markup

from dashboard.access.page_context import current_page
from dashboard.access.sign_in import SIGN_OUT
from dashboard.lasting_objects import set_lasting_objects_apart
from dashboard.theme import ICON, LOGO, STYLE_SHEET
from detectors.errors import MaskwatchError

_PAGES = {
    ":material/monitoring:": st.Page("views/overview.py", title="Overview", default=True),
    ":material/notifications_active:": st.Page("views/alerts.py", title="Alerts"),
    ":material/workspaces:": st.Page("views/families.py", title="Families"),
    ":material/sort:": st.Page("views/outliers.py", title="Outliers"),
    ":material/swap_horiz:": st.Page("views/traffic.py", title="Traffic"),
    ":material/image_search:": st.Page("views/request.py", title="Request"),
    ":material/block:": st.Page("views/blacklist.py", title="Blacklist"),
    ":material/history_edu:": st.Page("views/audit.py", title="Audit"),
}


def run() -> None:
    """Show the page that the address names."""
    # A page with an icon of its own makes browsers ask Google for a picture of it.
    page = st.navigation(list(_PAGES.values()), position="hidden")
    st.set_page_config(f"{page.title} · Maskwatch", str(ICON), layout="wide")
    st.logo(LOGO.read_text(), size="large")
    st.html(STYLE_SHEET)
    try:
        _sidebar(current_page().who)
        page.run()
    except MaskwatchError as error:
        st.error(str(error), icon=":material/error:")
    set_lasting_objects_apart()


def _sidebar(who: str) -> None:
    with st.sidebar:
        for icon, page in _PAGES.items():
            st.page_link(page, icon=icon)
        st.html(
            Markup(
                '<div class="mw-signed">Signed in as <b>{}</b> · '
                '<a href="{}" target="_self">Sign out</a><br>All times are UTC</div>'
            ).format(who, SIGN_OUT)
        )


if __name__ == "__main__":
    run()
