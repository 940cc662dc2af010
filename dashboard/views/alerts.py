"""Alerts: what is wrong now, with its evidence, and who was told."""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from dashboard import address
from dashboard.access.page_context import PageContext, begin_change, current_page
from dashboard.paging import older_than, step_older
from dashboard.show import markup, words
from dashboard.show.evidence_facts import evidence_facts
from dashboard.show.markup import Column, Tone
from detectors.errors import MaskwatchError
from store.alert_rules.registry import find_alert_rule
from store.alert_rules.rule import UnitKind
from store.alerts.alerts import acknowledge
from store.alerts.outbox import Delivery
from store.pages.alert_views import (
    AlertView,
    NotificationView,
    alert_view,
    firing_alerts,
    resolved_alerts,
)

_MAX_LISTED, _MAX_OPEN = 100, 5
_PLACE = "alerts_place"


def show() -> None:
    """The page; ``?alert=3`` shows that alert on top."""
    context = current_page()
    markup.head("Alerts", "Conditions that somebody should look at, and who was told about them.")
    with context.parts.database.read() as session:
        current_alerts = firing_alerts(session, _MAX_LISTED)
        past_alerts = resolved_alerts(session, _MAX_LISTED + 1, before=older_than(_PLACE))
    address.name_unknown({}, {}, ("alert",))
    alert_id = address.read_number("alert")
    if alert_id:
        _show_alert(context, alert_id)
    others = [alert for alert in current_alerts if str(alert.id) != alert_id]
    _show_firing(context, others, is_alone=not alert_id)
    _show_resolved(past_alerts)


def _show_alert(context: PageContext, alert_id: str) -> None:
    alert = None
    if alert_id.isascii() and alert_id.isdigit() and len(alert_id) < 19:
        with context.parts.database.read() as session:
            alert = alert_view(session, int(alert_id))
    if alert is None:
        markup.empty("There is no such alert", f"No alert has the number {alert_id}.")
        return
    _card(context, alert)


def _show_firing(context: PageContext, alerts: list[AlertView], *, is_alone: bool) -> None:
    if not (alerts or is_alone):
        return
    markup.section("Firing" if is_alone else "Also firing")
    if not alerts:
        markup.empty("Nothing is firing", "All thresholds are kept. Resolved alerts stay below.")
    for alert in alerts[:_MAX_OPEN]:
        _card(context, alert)
    if alerts[_MAX_OPEN:]:
        _table(alerts[_MAX_OPEN:])


def _show_resolved(alerts: Sequence[AlertView]) -> None:
    markup.section("Resolved", "latest first")
    if not alerts:
        markup.empty("No resolved alerts", "Alerts move here when their condition is over.")
        return
    _table(alerts[:_MAX_LISTED])
    step_older(_PLACE, alerts, _MAX_LISTED)


def _table(alerts: Sequence[AlertView]) -> None:
    markup.table(
        [
            Column("State"),
            Column("Alert"),
            Column("Value", "right"),
            Column("Fired", "nowrap"),
            Column("Resolved", "nowrap"),
        ],
        [
            (
                markup.alert_badge(alert),
                markup.join([_link(alert), _name(alert)], Markup("<br>")),
                _amount(alert, alert.value),
                words.utc(alert.fired_at),
                words.utc(alert.resolved_at) if alert.resolved_at else markup.quiet("–"),
            )
            for alert in alerts
        ],
    )


def _card(context: PageContext, alert: AlertView) -> None:
    with st.container(border=True, key=f"alert-{alert.id}"):
        left, right = st.columns([4, 1], vertical_alignment="center")
        with left:
            markup.put(
                markup.badges(
                    markup.alert_badge(alert),
                    _acknowledgement(alert),
                    _name(alert),
                )
            )
        with right, st.container(horizontal=True, horizontal_alignment="right"):
            _acknowledge_button(alert)
        markup.section(alert.summary)
        _card_facts(context, alert)
        if alert.evidence:
            markup.section("Evidence")
            evidence_facts(alert.evidence)
        markup.section("Notifications")
        _notifications(context, alert.notifications)


def _acknowledgement(alert: AlertView) -> Markup:
    if alert.acknowledged_by:
        return markup.badge(f"Acknowledged by {alert.acknowledged_by}", Tone.INFO)
    return markup.badge("Not acknowledged", Tone.NONE) if alert.firing else Markup()


def _acknowledge_button(alert: AlertView) -> None:
    if not alert.firing or alert.acknowledged_at:
        return
    if not st.button(
        "Acknowledge",
        key=f"acknowledge-{alert.id}",
        icon=":material/check:",
        type="primary",
        help="Say that you look after it. It keeps firing until its condition is over.",
    ):
        return
    try:
        with begin_change() as change:
            acknowledge(change.session, alert.id, change.who, change.now)
    except MaskwatchError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.cache_data.clear()
    st.rerun()


def _card_facts(context: PageContext, alert: AlertView) -> None:
    since = markup.stack(words.utc(alert.fired_at), words.ago(alert.fired_at, context.now))
    pairs = {
        "Value": _amount(alert, alert.value),
        "Threshold": _amount(alert, alert.threshold),
        "Fired": since,
        "Last evaluated": words.utc(alert.evaluated_at),
        "Threat catalogues": " · ".join(filter(None, (alert.atlas, alert.owasp))),
    }
    if alert.resolved_at:
        pairs["Resolved"] = words.utc(alert.resolved_at)
    if alert.acknowledged_at:
        pairs["Acknowledged"] = words.utc(alert.acknowledged_at)
    markup.facts({name: value for name, value in pairs.items() if value})


def _link(alert: AlertView) -> Markup:
    return markup.link("alerts", alert.summary, alert=str(alert.id))


def _name(alert: AlertView) -> Markup:
    return markup.quiet(f"Alert {alert.id} · {_rule_words(alert)}")


def _rule_words(alert: AlertView) -> str:
    rule = find_alert_rule(alert.rule)
    return rule.words if rule else words.label(alert.rule)


def _amount(alert: AlertView, value: float) -> str:
    rule = find_alert_rule(alert.rule)
    if rule is None:
        return words.number(value)
    match rule.unit.kind:
        case UnitKind.COUNT:
            return words.count(int(value), rule.unit.noun)
        case UnitKind.AMOUNT:
            return f"{words.number(value)} {rule.unit.noun}"
        case UnitKind.SHARE:
            return words.percent(value)
        case UnitKind.NUMBER:
            return words.number(value)


def _notifications(context: PageContext, notifications: tuple[NotificationView, ...]) -> None:
    if not notifications:
        markup.put(markup.quiet("Nobody was told about this alert yet."))
        return
    markup.table(
        [
            Column("About"),
            Column("State"),
            Column("Receiver"),
            Column("When", "nowrap"),
            Column("Tries", "right"),
            Column("Last error"),
        ],
        [
            (
                words.label(each.event),
                _delivery(each),
                _receiver(each),
                words.utc(each.sent_at) if each.sent_at else _next_try(context, each),
                words.number(each.attempts),
                each.last_error or markup.quiet("–"),
            )
            for each in notifications
        ],
    )


def _receiver(notification: NotificationView) -> Markup:
    """Who receives it, above where it went unless that says the same."""
    destination = notification.destination or ""
    name = notification.recipient or destination or "–"
    place = destination if destination != name else ""
    return markup.stack(name, " ".join(filter(None, (notification.transport, place))))


def _delivery(notification: NotificationView) -> Markup:
    if notification.state == Delivery.SENT:
        return markup.badge("✓ Sent", Tone.GOOD)
    if notification.state == Delivery.REFUSED:
        return markup.badge("✕ Refused", Tone.BAD)
    if notification.last_error:
        return markup.badge("✕ Retrying", Tone.WARN)
    return markup.badge(words.label(notification.state), Tone.INFO)


def _next_try(context: PageContext, notification: NotificationView) -> str:
    if notification.state == Delivery.REFUSED:
        return "not tried again"
    if notification.next_attempt_at <= context.now:
        return "due now"
    return f"next try {words.ago(notification.next_attempt_at, context.now)}"


if __name__ == "__main__":
    show()
