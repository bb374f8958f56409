"""Notices as mail: what they say, when they come, once, and how they are stopped."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts import notice_mail, notices
from accounts.models import Notice, Person
from accounts.notices import DAILY, OFF
from accounts.tasks import mail_due_notices, mail_notices
from tests.accounts.notices.telling import choose, tell, told
from tests.accounts.post import deliver
from tests.queue import empty_queue

pytestmark = pytest.mark.django_db


def test_a_mail_is_in_text_and_html_and_can_be_ended_with_one_click(alpha, boss):
    Person.objects.filter(pk=boss.pk).update(time_zone="Asia/Tokyo", number_format="national")
    tell(alpha, facts={"customer": "Acme http://evil.example"})
    Notice.unscoped.update(at=datetime(2026, 12, 3, 20, 5, tzinfo=UTC))
    deliver()
    (message,) = mail.outbox
    assert message.to == [boss.email]
    assert message.subject == "Order 7 of “Acme http: evil[.]example” waits for your approval: 2 numbers."
    html, kind = message.alternatives[0]
    assert kind == "text/html"
    for text in (message.body, html):
        assert "4 Dec 2026, 05:05" in text  # in Tokyo
        assert "(514) 555-0001" in text
        assert f"/{alpha.code}/orders/7/" in text
        assert "evil.example" not in text
    (off_url,) = re.findall("<(.*)>", message.extra_headers["List-Unsubscribe"])
    assert off_url in message.body
    assert off_url in html
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    off_path = re.sub("^https?://[^/]+", "", off_url)
    stranger = Client(enforce_csrf_checks=True)
    assert "Unsubscribe" in stranger.get(off_path).text
    tell(alpha, key="order:8:waiting")
    answer = stranger.post(off_path, {"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, "You will get no more e-mail" in answer.text) == (200, True)
    stranger.post(off_path)
    deliver()  # what waited is not mailed either
    tell(alpha, key="order:9:waiting")
    deliver()
    assert (len(mail.outbox), Notice.of(boss).count()) == (1, 3)


@pytest.mark.parametrize("token", ["x", "WzEsWyJ3b3JrIl1d:1abcde:forged"])
def test_a_link_that_is_not_signed_ends_nothing(client, boss, token):
    assert client.post(f"/notices/off/{token}/").status_code == 404
    boss.refresh_from_db()
    assert boss.channels == {}


def test_opening_the_link_changes_nothing(client, boss):
    path = f"/notices/off/{notice_mail.token_for(boss.pk, ['order_waiting'])}/"
    assert client.get(path).status_code == 200
    boss.refresh_from_db()
    assert boss.channels == {}


def test_a_second_time_the_link_says_that_mail_was_off_already(client, boss):
    path = f"/notices/off/{notice_mail.token_for(boss.pk, ['order_waiting'])}/"
    assert "You are unsubscribed" in client.post(path).text
    for answer in (client.post(path), client.get(path)):
        assert "You were unsubscribed already" in answer.text
        assert "Nothing was changed: you get no e-mail about:" in answer.text
    # A link of another mail, about one kind more, still has something to stop.
    more = f"/notices/off/{notice_mail.token_for(boss.pk, ['order_waiting', 'order_ended'])}/"
    assert "Stop e-mail about:" in client.get(more).text
    assert "You are unsubscribed" in client.post(more).text


def test_what_happens_at_about_the_same_time_comes_in_one_mail(alpha, boss):
    for order in range(60):
        tell(alpha, key=f"order:{order}:waiting")
    (job,) = ProcrastinateJob.objects.filter(task_name=notices.MAIL_TASK)
    assert job.args == {"person_id": boss.pk, "daily": False}
    deliver()
    (message,) = mail.outbox
    assert message.subject == "60 notices"
    assert message.body.count("waits for your approval") == 50
    assert "10 more are on the page of notices" in message.body


def test_a_task_that_is_tried_again_does_not_mail_twice(alpha, boss):
    tell(alpha)
    for _turn in range(3):
        mail_notices(person_id=boss.pk)
    assert len(mail.outbox) == 1


def test_a_mail_that_fails_is_mailed_later_once(alpha, boss, settings, monkeypatch):
    tell(alpha)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody listens there
    with pytest.raises(OSError, match="refused"):
        mail_notices(person_id=boss.pk)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    for _turn in range(2):
        mail_notices(person_id=boss.pk)
    assert len(mail.outbox) == 1


def test_a_task_that_was_lost_is_queued_again(alpha, boss):
    tell(alpha)
    empty_queue()
    mail_due_notices(timestamp=0)
    assert not ProcrastinateJob.objects.exists()
    Notice.unscoped.update(at=timezone.now() - timedelta(minutes=3))
    mail_due_notices(timestamp=0)
    deliver()
    assert len(mail.outbox) == 1


def test_a_summary_is_mailed_in_the_morning_of_the_reader(alpha, boss):
    """Seven o'clock in Tokyo is 22:00 of the day before in UTC."""
    Person.objects.filter(pk=boss.pk).update(time_zone="Asia/Tokyo")
    boss.refresh_from_db()
    choose(boss, "order_waiting", False, DAILY)
    for order in (1, 2):
        tell(alpha, key=f"order:{order}:waiting")
    Notice.unscoped.update(at=datetime(2026, 12, 3, 12, tzinfo=UTC))
    deliver()
    assert mail.outbox == []
    assert notice_mail.queue_due(datetime(2026, 12, 3, 21, 59, tzinfo=UTC)) == 0
    assert notice_mail.queue_due(datetime(2026, 12, 3, 22, 0, tzinfo=UTC)) == 1
    deliver()
    assert [message.subject for message in mail.outbox] == ["Daily summary: 2 notices"]
    assert notice_mail.queue_due(datetime(2026, 12, 4, 22, 0, tzinfo=UTC)) == 0
    assert Notice.of(boss).count() == 0  # not on the page


def test_who_wants_nothing_is_told_nothing(alpha, boss):
    choose(boss, "order_waiting", False, OFF)
    tell(alpha)
    assert told(boss) == []
