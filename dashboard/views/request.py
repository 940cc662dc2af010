"""Request: one request, what was seen in it and why it was flagged."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import streamlit as st
from markupsafe import Markup

from dashboard import address, cached_reads
from dashboard.access.page_context import PageContext, current_page
from dashboard.decisions.feedback_form import show_feedback_of_request
from dashboard.show import markup, words
from dashboard.show.charts import contribution_chart
from dashboard.show.conclusion import conclusion
from dashboard.show.contributions import describe_contribution, measurable
from dashboard.show.decision_table import decision_table
from dashboard.show.feature_table import feature_table
from dashboard.show.finding_card import finding_card
from dashboard.show.markup import Tone
from dashboard.show.missing_request import say_no_id, say_no_record
from dashboard.show.request_table import request_table
from detectors.label_lists import label_words
from detectors.outliers.cutoff import describe_cutoff
from detectors.palette import colour_of
from detectors.verdict import Verdict
from store.pages.decision_views import decisions_about
from store.pages.request_detail import (
    RequestDetail,
    StoredScore,
    oldest_arrival,
    request_detail,
)
from store.pages.traffic import requests_of_client
from store.requests.picture_store import ENTROPY_MAP, OVERLAY, PICTURE, PictureStore
from store.requests.records import Stage
from store.requests.request_ids import read_request_id

_CAPTIONS = {
    PICTURE: "Picture, faces pixelated",
    OVERLAY: "Mask overlay: the parts the model found",
    ENTROPY_MAP: "Entropy map: bright where the model was unsure",
}


def show() -> None:
    """The page; ``?id=`` names the request."""
    context = current_page()
    address.name_unknown({}, {}, ("id",))
    entry = st.query_params.get("id", "").strip()
    request_id = read_request_id(entry)
    detail = None
    if request_id is not None:
        with context.parts.database.read() as session:
            detail = request_detail(session, str(request_id))
    if detail is None:
        _search(entry)
        _say_why_none(context, entry, request_id)
        return
    _header(context, detail)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _evidence(context, detail)
    with right:
        _findings(detail)
    _score(context, detail)
    _show_related(context, detail)
    _features(detail)


def _search(request_id: str) -> None:
    markup.head("Request", "Look up one request by the id that the client got with its answer.")
    with st.form("find", border=False):
        left, right = st.columns([4, 1], vertical_alignment="bottom")
        entry = left.text_input("Request id", request_id, placeholder="e.g. 01890a5d-ac96-774b-…")
        if right.form_submit_button("Open", icon=":material/search:", type="primary"):
            st.query_params["id"] = entry.strip()
            st.rerun()


def _say_why_none(context: PageContext, entry: str, request_id: UUID | None) -> None:
    if not entry:
        traffic = markup.link("traffic", "Traffic")
        advice = Markup("Enter an id above, or pick one in {}.").format(traffic)
        markup.empty("No request chosen", advice)
    elif request_id is None:
        say_no_id()
    else:
        with context.parts.database.read() as session:
            oldest = oldest_arrival(session)
        say_no_record(request_id, oldest, context.now)


def _header(context: PageContext, detail: RequestDetail) -> None:
    request = detail.summary
    markup.head("Request", request.request_id)
    parts: list[str] = [markup.verdict_badge(request.verdict)]
    if request.outlier:
        parts.append(markup.badge("◆ Outlier", Tone.INFO))
    if detail.family is not None:
        parts.append(markup.family_link(detail.family))
    if request.reasons:
        parts.append(markup.quiet(" · ".join(words.label(code) for code in request.reasons)))
    markup.put(markup.badges(*parts))
    show_feedback_of_request(request.request_id)
    with st.container(border=True):
        markup.facts(_facts(context, detail))


def _facts(context: PageContext, detail: RequestDetail) -> dict[str, str]:
    request = detail.summary
    pairs: dict[str, str] = {
        "Client": markup.client_link(request.client),
        "Received": markup.stack(
            words.utc(request.received_at), words.ago(request.received_at, context.now)
        ),
        "Came through": words.way_in(request.route),
        "Answer": f"HTTP {request.status}",
        "Came as far as": words.label(request.stage),
        "Source of the parse": _source(detail),
        "Media type": detail.media_type or "unknown",
        "Parts found": _parts(detail.labels),
    }
    if detail.feedback:
        pairs["Feedback"] = markup.span(detail.feedback, "mw-long")
    if detail.content_sha256:
        pairs["SHA-256 of the upload"] = markup.span(markup.code(detail.content_sha256), "mw-long")
    if detail.picture_hash:
        pairs["Perceptual hash"] = markup.span(markup.code(detail.picture_hash), "mw-long")
    return pairs


def _source(detail: RequestDetail) -> Markup:
    """A model of ours, or somebody's service with its preset, by its name."""
    if detail.segmenter is None:
        return Markup("not reached")
    shown = markup.source(detail.source_name, detail.segmenter)
    if detail.source_name is not None:
        return shown
    kind = "Service" if detail.summary.route in words.ATTACHED else "Model"
    return Markup("{} {}").format(kind, shown)


def _parts(labels: Sequence[str]) -> Markup:
    """The labels with their colours in the mask overlay."""
    if not labels:
        return Markup("none")
    swatches = [
        markup.swatch(words.label(label_words(label)), colour_of(label)) for label in labels
    ]
    return markup.span(markup.badges(*swatches), "mw-long")


def _evidence(context: PageContext, detail: RequestDetail) -> None:
    markup.section("What the model saw")
    store = PictureStore(context.parts.settings.store.var_dir)
    with context.parts.database.read() as session:
        files = store.of_request(session, detail.summary.pk)
    if not files:
        markup.empty("No pictures are kept of this request", _why_no_picture(detail))
        return
    for column, (kind, caption) in zip(st.columns(3), _CAPTIONS.items(), strict=True):
        with column:
            if kind in files.pictures:
                st.image(files.pictures[kind], caption, width="stretch", alt=caption)
            else:
                st.html(_placeholder(caption.split(":")[0], changed=kind in files.changed))


def _placeholder(name: str, *, changed: bool) -> Markup:
    why = "its file was changed on disk since it was kept, or cannot be read, so it is not shown"
    note = Markup('<div class="mw-placeholder">{}: {}</div>')
    return note.format(name, f"{why}. Look who can write there." if changed else "not kept")


def _why_no_picture(detail: RequestDetail) -> str:
    if detail.summary.stage is not Stage.PARSED:
        return "It was turned away before the model saw it."
    return "Evidence is kept for flagged requests and for a sample of the passed ones."


def _findings(detail: RequestDetail) -> None:
    markup.section("Why", words.count(len(detail.findings), "finding"))
    if detail.findings or detail.scores:
        markup.put(markup.span(conclusion(detail), "mw-conclusion"))
    for finding in detail.findings:
        markup.put(finding_card(finding, detail.features, cached_reads.normal()))
    if detail.findings:
        return
    if detail.summary.reasons:
        codes = ", ".join(words.label(code).lower() for code in detail.summary.reasons)
        markup.empty("No rule was needed", f"The service turned the request away: {codes}.")
    else:
        markup.empty("No rule fired", "Nothing about this request stood out to the rules.")


def _score(context: PageContext, detail: RequestDetail) -> None:
    markup.section("How unusual", "judged by the scheduled scan")
    if not detail.scores:
        advice = "Nothing was measured on it."
        if detail.features:
            advice = "The next scan scores it, once there is an outlier model."
        markup.empty("Not scored", advice)
        return
    with st.container(border=True):
        left, right = st.columns([1, 2], gap="large")
        with left:
            _score_facts(context, detail)
        with right:
            _contributions(detail, detail.scores[0].contributions)


def _contributions(detail: RequestDetail, contributions: Mapping[str, float]) -> None:
    """A chart of the distances; in words, those that no distance describes."""
    normal = cached_reads.normal()
    drawn = measurable(contributions, normal)
    if drawn:
        st.altair_chart(contribution_chart(drawn), alt="Features that make this request unusual")
    for name in contributions.keys() - drawn.keys():
        sentence = describe_contribution(
            name, contributions[name], detail.features, normal.get(name)
        )
        markup.put(markup.quiet(sentence))


def _score_facts(context: PageContext, detail: RequestDetail) -> None:
    score = detail.scores[0]
    asked_for = context.parts.settings.outliers.outlier_p_value
    markup.facts(
        {
            "Outcome": _outcome(detail),
            "p-value": words.number(score.p_value),
            "q-value": _q_value(context, score),
            "Compared with": _calibration(score),
            "No outlier above": describe_cutoff(asked_for, score.model_rows),
            "Score, high is unusual": words.number(score.score),
            "Outlier model": words.label(score.model_kind),
            "Its digest": markup.code(words.short(score.model_digest)),
            "Scored": words.utc(score.scored_at),
        }
    )


def _q_value(context: PageContext, score: StoredScore) -> str:
    """An outlier's q-value, and whether the false-discovery rate is promised for it."""
    if score.q_value is None:
        return "none: no scan selected it" if not score.outlier else "none: selected by p-value"
    if score.q_value <= context.parts.settings.outliers.false_discovery_rate:
        return words.number(score.q_value)
    return f"{words.number(score.q_value)}: too few vetted requests to promise a rate"


def _calibration(score: StoredScore) -> str:
    """The vetted requests that the p-value is a share of."""
    requests = words.count(score.calibration_rows or score.model_rows, "vetted request")
    return f"{requests} of its source" if score.calibrated_on == "source" else requests


def _outcome(detail: RequestDetail) -> Markup:
    """The outlier model's word; green only where the rules have nothing against the request."""
    if detail.scores[0].outlier:
        return markup.badge("◆ Outlier", Tone.INFO)
    if detail.summary.verdict is Verdict.PASS:
        return markup.badge("Within normal", Tone.GOOD)
    return markup.badge("No outlier", Tone.NONE)


def _features(detail: RequestDetail) -> None:
    normal = cached_reads.normal()
    rows = max((each.rows for each in normal.values()), default=0)
    markup.section(
        "Features against normal", f"normal: the latest {words.count(rows, 'passed request')}"
    )
    if detail.features is None:
        markup.empty("Nothing was measured", "The request ended before the model saw a picture.")
        return
    feature_table(detail.features, normal)


def _show_related(context: PageContext, detail: RequestDetail) -> None:
    request = detail.summary
    with context.parts.database.read() as session:
        decisions = decisions_about(session, request.client, detail.content_sha256)
        others = requests_of_client(session, request.client, 11, context.now)
    markup.section("Decisions", "about this client or this exact picture")
    if decisions:
        decision_table(decisions, context.now)
    else:
        markup.empty(
            "No decisions",
            Markup("Block or allow the client in {}.").format(
                markup.link("blacklist", "Blacklist")
            ),
        )
    markup.section("Other requests", "the latest of the same client")
    requests = [other for other in others if other.pk != request.pk][:10]
    if requests:
        request_table(requests, context.now, with_client=False)
    else:
        markup.empty("No others", "This client sent nothing else.")


if __name__ == "__main__":
    show()
