"""Messages to the outside world: with the transaction of their cause, at least once, and never lost without a word."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import time_machine
from sqlalchemy import select, text

from core import clock
from core.config import Settings
from core.db import Database
from core.deliveries import operations, telling
from core.deliveries.delivering import AT_ONCE, LEASE, RESTS, Deliverer, channels, deliver_due
from core.deliveries.models import DEAD, DELIVERED, WAITING, Delivery
from core.deliveries.operations import KEPT_DEAD, KEPT_DELIVERED, Mail, enqueue_mail
from core.gateways import mail
from core.gateways.mail import MailServer
from core.gateways.outside import Outside
from core.models import Todo
from tests.command_line import command_line
from tests.rounds import rounds
from tests.silent_services import SilentService
from tests.smtp_double import MailServerOfTests, mail_server

TO = "zhangsan@example.cn"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServerOfTests]:
    # A service that failed is left alone for ten seconds, and the next test's mail with it.
    monkeypatch.setattr(mail, "_OUTSIDE", Outside("mail", seconds=30, places=20))
    monkeypatch.setattr("core.gateways.outside.REST", 0.0)
    with mail_server() as double:
        yield double


def sender(port: int) -> MailServer:
    return MailServer("127.0.0.1", port, "none", "server@example.com")


def deliver(database: Database, port: int) -> int:
    return deliver_due(database, channels(sender(port)))


def enqueued(database: Database, subject: str = "通知", **given: object) -> UUID:
    with database.write() as session:
        return enqueue_mail(session, "test", TO, Mail(subject, "您好"), **given)  # type: ignore[arg-type]


def the(database: Database, delivery_id: UUID) -> Delivery:
    with database.read() as session:
        return session.get_one(Delivery, delivery_id)


def test_a_mail_goes_out_after_the_commit_and_its_words_are_erased_then(
    database: Database, server: MailServerOfTests
) -> None:
    delivery_id = enqueued(database, "办理结果\n\tBcc: other@example.cn")
    assert deliver(database, server.port) == 1
    (letter,) = server.mails
    assert (letter["To"], letter["From"]) == (TO, "server@example.com")
    assert letter["Bcc"] is None and letter["Subject"].startswith("办理结果")
    assert letter["Message-ID"] == f"<{delivery_id.hex}@example.com>"
    assert letter.get_content().strip() == "您好"
    row = the(database, delivery_id)
    assert (row.status, row.recipient, row.content, row.tries) == (DELIVERED, None, None, 1)
    assert deliver(database, server.port) == 0


def test_without_the_commit_there_is_no_mail(database: Database, server: MailServerOfTests) -> None:
    def fails() -> None:
        with database.write() as session:
            enqueue_mail(session, "test", TO, Mail("通知", "您好"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert deliver(database, server.port) == 0 and server.mails == []


def test_an_id_makes_it_one_mail(database: Database, server: MailServerOfTests) -> None:
    delivery_id = uuid4()
    for _ in range(3):
        enqueued(database, delivery_id=delivery_id)
    assert deliver(database, server.port) == 1 and len(server.mails) == 1


def test_recipient_and_words_are_encrypted_at_rest(database: Database) -> None:
    enqueued(database, "罚款决定")
    with database.read() as session:
        (row,) = session.execute(text("SELECT recipient, content FROM deliveries")).all()
    assert all(value.startswith("enc2:") for value in row)


def test_what_is_no_mail_address_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="no mail address"), database.write() as session:
        enqueue_mail(session, "test", "a@b.cn, c@d.cn", Mail("通知", "您好"))


def test_what_fails_is_tried_again_after_ever_longer_rests_until_it_is_dead(
    database: Database, server: MailServerOfTests
) -> None:
    server.refusal = "450 try later"
    delivery_id = enqueued(database)
    with time_machine.travel(clock.now(), tick=False) as travel:
        for rest in RESTS:
            assert deliver(database, server.port) == 0
            assert the(database, delivery_id).due_at == clock.now() + rest
            travel.shift(rest - timedelta(seconds=1))
            deliver(database, server.port)
            assert the(database, delivery_id).status == WAITING
            travel.shift(1)
        deliver(database, server.port)
        row = the(database, delivery_id)
        assert (row.status, row.tries) == (DEAD, len(RESTS) + 1)
        assert row.error is not None and "450" in row.error and TO not in row.error


@pytest.mark.parametrize("refusal", [{"refusal": "550 no such mailbox"}, {"content_refusal": "554 not wanted"}])
def test_what_is_refused_for_good_is_dead_at_once_and_can_be_sent_again(
    database: Database, settings: Settings, server: MailServerOfTests, refusal: dict[str, str]
) -> None:
    for name, answer in refusal.items():
        setattr(server, name, answer)
    delivery_id = enqueued(database)
    assert deliver(database, server.port) == 0 and the(database, delivery_id).status == DEAD
    server.refusal = server.content_refusal = ""
    with command_line(settings) as run:
        listed = run("deliveries", "list", "--status", "dead").stdout
        assert str(delivery_id) in listed and "z****@example.cn" in listed and TO not in listed
        assert "已重新排队 1 条" in run("deliveries", "retry", delivery_id).stdout
    assert deliver(database, server.port) == 1


def test_a_password_that_the_mail_server_refuses_kills_no_mail(database: Database, server: MailServerOfTests) -> None:
    delivery_id = enqueued(database)
    wrong = MailServer("127.0.0.1", server.port, "none", "server@example.com", "nobody", "wrong")
    assert deliver_due(database, channels(wrong)) == 0
    assert the(database, delivery_id).status == WAITING


def test_a_mail_is_sent_until_its_last_moment_and_not_after(database: Database, server: MailServerOfTests) -> None:
    with time_machine.travel(clock.now(), tick=False) as travel:
        end = clock.now() + timedelta(minutes=30)
        first = enqueued(database, expires_at=end)
        travel.move_to(end - timedelta(microseconds=1))
        assert deliver(database, server.port) == 1 and the(database, first).status == DELIVERED
        second = enqueued(database, expires_at=end)
        travel.move_to(end)
        assert deliver(database, server.port) == 0
        row = the(database, second)
        assert (row.status, row.error) == (DEAD, "out of date")
        with database.write() as session:
            assert operations.send_again(session, None) == 0


def test_a_mail_server_that_never_answers_keeps_no_other_mail_from_its_turn(
    database: Database, server: MailServerOfTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "_OUTSIDE", Outside("mail", seconds=0.3, places=20))
    ids = [enqueued(database) for _ in range(2)]
    assert deliver(database, SilentService().port) == 0
    assert [the(database, one).status for one in ids] == [WAITING, WAITING]
    assert all("TooSlow" in (the(database, one).error or "") for one in ids)


def test_a_process_that_died_in_the_middle_is_followed_by_another_when_its_lease_is_over(
    database: Database, server: MailServerOfTests
) -> None:
    delivery_id = enqueued(database)

    def dies(_delivery: Delivery) -> None:
        raise SystemExit

    with time_machine.travel(clock.now(), tick=False) as travel:
        with pytest.raises(SystemExit):
            deliver_due(database, {"mail": dies})
        travel.shift(LEASE - timedelta(seconds=1))
        assert deliver(database, server.port) == 0
        travel.shift(1)
        assert deliver(database, server.port) == 1
        assert the(database, delivery_id).tries == 2


def test_a_try_that_ends_after_its_lease_undoes_nothing(database: Database, server: MailServerOfTests) -> None:
    delivery_id = enqueued(database)
    with time_machine.travel(clock.now(), tick=False) as travel:

        def slow(_delivery: Delivery) -> None:
            travel.shift(LEASE)
            assert deliver(database, server.port) == 1
            raise mail.NotSent("too late", final=True)

        deliver_due(database, {"mail": slow})
    assert the(database, delivery_id).status == DELIVERED


@pytest.mark.rounds
def test_of_many_that_deliver_at_once_each_mail_goes_out_by_one(database: Database, server: MailServerOfTests) -> None:
    for _ in range(rounds(10, few=2)):
        server.mails.clear()
        ids = {enqueued(database).hex for _ in range(3 * AT_ONCE)}
        threads = [threading.Thread(target=deliver, args=(database, server.port)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(str(letter["Message-ID"])[1:33] for letter in server.mails) == sorted(ids)


def test_a_channel_that_is_not_configured_keeps_its_mails_and_the_administrators_are_told(database: Database) -> None:
    delivery_id = enqueued(database)
    assert deliver_due(database, channels(None)) == 0
    assert telling.tell(database, channels(None)) == 0  # for ten minutes nobody is bothered
    with time_machine.travel(clock.now() + telling.PATIENCE + timedelta(seconds=1)):
        assert telling.tell(database, channels(None)) == 1
        assert telling.tell(database, channels(None)) == 0
        with database.read() as session:
            (todo,) = session.scalars(select(Todo).where(Todo.closed_at.is_(None), Todo.subject_type == "deliveries"))
        assert "SMTP_HOST" in todo.title and todo.verb == "system.configure"
        assert the(database, delivery_id).status == WAITING
        assert telling.tell(database, ["mail"]) == 1  # configured since


def test_dead_mails_are_told_until_there_are_none(
    database: Database, settings: Settings, server: MailServerOfTests
) -> None:
    server.refusal = "550 no such mailbox"
    enqueued(database)
    deliver(database, server.port)
    assert telling.state(database) != "ok"
    assert telling.tell(database, ["mail"]) == 1
    server.refusal = ""
    with command_line(settings) as run:
        run("deliveries", "retry", "--all")
    deliver(database, server.port)
    assert telling.tell(database, ["mail"]) == 1
    assert telling.state(database) == "ok"
    with database.read() as session:
        assert (
            session.scalar(select(Todo.id).where(Todo.closed_at.is_(None), Todo.subject_type == "deliveries")) is None
        )


def test_what_was_delivered_or_died_long_ago_is_deleted(database: Database, server: MailServerOfTests) -> None:
    with time_machine.travel(clock.now(), tick=False) as travel:
        delivered = enqueued(database)
        deliver(database, server.port)
        server.refusal = "550 no"
        dead = enqueued(database)
        deliver(database, server.port)
        server.refusal, waiting = "450 later", enqueued(database)
        travel.shift(KEPT_DELIVERED)
        assert operations.sweep(database) == 0
        travel.shift(1)
        assert operations.sweep(database) == 1
        travel.shift(KEPT_DEAD - KEPT_DELIVERED)
        assert operations.sweep(database) == 1
        with database.read() as session:
            assert session.scalars(select(Delivery.id)).all() == [waiting]
    assert {delivered, dead} & {waiting} == set()


def test_the_thread_of_the_server_delivers_what_is_enqueued(database: Database, server: MailServerOfTests) -> None:
    deliverer = Deliverer(database, channels(sender(server.port)), every=0.01)
    deliverer.start()
    try:
        delivery_id = enqueued(database)
        while the(database, delivery_id).status == WAITING:
            threading.Event().wait(0.01)
    finally:
        deliverer.stop()
    assert len(server.mails) == 1


def test_setting_a_mail_server_without_a_sender_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from core.config import SettingsError, load_settings

    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SMTP_HOST", "mail.example.cn")
    with pytest.raises(SettingsError, match="MAIL_FROM"):
        load_settings()
