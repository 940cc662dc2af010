"""Confirm and dismiss: what an analyst says of a request or of a family, and why."""

from collections.abc import Callable
from datetime import datetime

import streamlit as st
from sqlalchemy.orm import Session

from dashboard.access.page_context import begin_change, current_page
from dashboard.show import markup
from detectors.errors import MaskwatchError
from store.audit.actors import analyst
from store.audit.reasons import MAX_REASON_LENGTH
from store.families.feedback import Feedback, Said, judge_family, judge_request

MESSAGE = "feedback_done"
"""Where the sentence waits for the page."""

Judge = Callable[[Session, Said, datetime], object]


def show_feedback_of_request(request_id: str) -> None:
    """The button of a request's page, and what was said a moment ago."""
    _show(lambda session, said, now: judge_request(session, request_id, said, now))


def show_feedback_of_family(family: int) -> None:
    """The button of a family's page, and what was said a moment ago."""
    _show(lambda session, said, now: judge_family(session, family, said, now))


def _show(judge: Judge) -> None:
    message = st.session_state.pop(MESSAGE, None)
    if message:
        st.success(message, icon=":material/check_circle:")
    if st.button("Confirm or dismiss", icon=":material/rate_review:", key="feedback"):
        _ask(judge)


@st.dialog("Is it an attack?", icon=":material/rate_review:")
def _ask(judge: Judge) -> None:
    current_page()
    markup.put(
        markup.quiet(
            "No outlier model learns from what is confirmed; from what is dismissed they learn as "
            "from what passed. From both is learnt what to list first. Of a family this holds for "
            "the requests that it has now."
        )
    )
    with st.form("feedback-form", border=False):
        why = st.text_area("Why?", key="feedback-reason", max_chars=MAX_REASON_LENGTH)
        with st.container(horizontal=True):
            confirms = st.form_submit_button("Confirm", type="primary", key="feedback-confirm")
            dismisses = st.form_submit_button("Dismiss", key="feedback-dismiss")
            withdraws = st.form_submit_button("Take back", key="feedback-withdraw")
        answers = {
            Feedback.CONFIRMED: confirms,
            Feedback.DISMISSED: dismisses,
            Feedback.WITHDRAWN: withdraws,
        }
        for feedback in (each for each, is_given in answers.items() if is_given):
            _save(judge, feedback, why)


def _save(judge: Judge, feedback: Feedback, why: str) -> None:
    try:
        with begin_change() as change:
            judge(
                change.session,
                Said(feedback, change.who, why, analyst(change.who)),
                change.now,
            )
    except MaskwatchError as error:
        st.error(str(error), icon=":material/error:")
        return
    is_withdrawn = feedback is Feedback.WITHDRAWN
    st.session_state[MESSAGE] = (
        "What was said of it is taken back." if is_withdrawn else f"It is {feedback}."
    )
    st.cache_data.clear()
    st.rerun()
