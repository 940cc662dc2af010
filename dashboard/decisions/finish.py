"""How a change on the blacklist page ends: a sentence, and the page drawn anew."""

import streamlit as st

MESSAGE = "blacklist_done"
"""Where the sentence waits for the page."""


def finish_change(sentence: str) -> None:
    """Draw the page anew, with a sentence on top."""
    st.session_state[MESSAGE] = sentence
    st.cache_data.clear()
    st.rerun()
