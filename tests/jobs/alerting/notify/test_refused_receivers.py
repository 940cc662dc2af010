"""A receiver that the mail server refuses is named to the others."""

from dataclasses import replace
from datetime import timedelta

import pytest

from jobs.alerting.channels.delivery_errors import DeliveryFailed
from jobs.alerting.notify import run
from jobs.context import JobContext
from store.alert_rules.mail_refused import MAIL_REFUSED
from tests.jobs.alerting.notify.mailing import (
    ADA,
    BOB,
    EVE,
    SHARE_SUBJECT,
    content,
    evaluate,
    later,
    open_rules,
    outbox,
    states,
    subjects,
    with_settings,
)
from tests.mail_server import GREYLISTED, NO_SUCH_USER, MailServer
from tests.makers import make_condition


def test_a_refused_receiver_is_named_to_the_other_once(
    mailing_two: JobContext, server: MailServer
) -> None:
    server.replies = {ADA: [NO_SUCH_USER]}
    evaluate(mailing_two, make_condition())
    with pytest.raises(DeliveryFailed, match=f"refuses mail to {ADA} .* 2 refused"):
        run(mailing_two)
    no_mail = f"[Maskwatch] FIRING warning: no mail goes to {ADA}"
    assert subjects(server) == [SHARE_SUBJECT, no_mail]
    assert server.receivers == [[BOB], [BOB]]
    assert f"refuses mail to {ADA} ({NO_SUCH_USER})" in content(server.mails[1], "plain")
    assert states(mailing_two) == states(mailing_two, 1) == {ADA: "refused", BOB: "sent"}
    assert [rule for rule, _ in open_rules(mailing_two)] == ["invalid_share", MAIL_REFUSED]
    assert run(later(mailing_two, 86_400)).rows == 0
    evaluate(later(mailing_two, 86_400), make_condition(fingerprint="next"))
    with pytest.raises(DeliveryFailed, match="1 refused"):
        run(later(mailing_two, 86_400))
    assert subjects(server).count(no_mail) == 1
    assert server.receivers == [[BOB]] * 3


def test_the_alert_about_a_refused_receiver_ends_with_a_mail_that_is_taken(
    mailing_two: JobContext, server: MailServer
) -> None:
    server.replies = {ADA: [NO_SUCH_USER]}
    evaluate(mailing_two, make_condition())
    with pytest.raises(DeliveryFailed):
        run(mailing_two)
    server.recover()
    evaluate(mailing_two, make_condition(fingerprint="next"))
    run(later(mailing_two, 60))
    assert MAIL_REFUSED not in dict(open_rules(mailing_two))
    assert f"[Maskwatch] RESOLVED: mail to {ADA} goes out" in subjects(server)


def test_the_alert_about_a_refused_receiver_ends_when_it_is_none_any_more(
    mailing_two: JobContext, server: MailServer
) -> None:
    server.replies = {ADA: [NO_SUCH_USER]}
    evaluate(mailing_two, make_condition())
    with pytest.raises(DeliveryFailed):
        run(mailing_two)
    run(with_settings(later(mailing_two, 60), mail_to=(BOB,)))
    assert MAIL_REFUSED not in dict(open_rules(mailing_two))


def test_a_receiver_who_is_put_off_for_hours_is_named_to_the_other(
    mailing_two: JobContext, server: MailServer
) -> None:
    server.replies = {ADA: [GREYLISTED]}
    evaluate(mailing_two, make_condition())
    at = mailing_two
    while MAIL_REFUSED not in dict(open_rules(mailing_two)):
        attempt(at)
        [due] = [row.next_attempt_at for row in outbox(mailing_two)[:2] if row.recipient == ADA]
        at = replace(at, now=due)
        assert at.now - mailing_two.now < timedelta(hours=6)
    assert at.now - mailing_two.now > timedelta(hours=4)
    assert server.receivers == [[BOB], [BOB]]


def attempt(context: JobContext) -> None:
    try:
        run(context)
    except DeliveryFailed:
        return


def test_an_event_that_everybody_refuses_is_kept_until_somebody_takes_it(
    mailing_two: JobContext, server: MailServer
) -> None:
    server.replies = {ADA: [NO_SUCH_USER], BOB: [NO_SUCH_USER]}
    evaluate(mailing_two, make_condition())
    with pytest.raises(DeliveryFailed):
        run(mailing_two)
    assert server.receivers == []
    assert states(mailing_two) == {ADA: "refused", BOB: "pending"}
    run(with_settings(later(mailing_two, 30), mail_to=(EVE,)))
    assert subjects(server)[0] == SHARE_SUBJECT
    assert server.receivers[0] == [EVE]
