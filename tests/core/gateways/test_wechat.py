"""The gateway to WeChat, with the real wechatpy, against a double over the wire."""

import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from core.gateways import wechat as gateway
from core.gateways.wechat import WeChat, WeChatFailed
from tests.wechat_double import APP_KEY, APPID, CODE, LOGIN, PHONE, PICTURE, STABLE_TOKEN, WeChatDouble, wechat_double

PAGE = "pages/rate/index"


@pytest.fixture
def double() -> Iterator[WeChatDouble]:
    with wechat_double() as running:
        yield running


@pytest.fixture
def wechat(double: WeChatDouble) -> WeChat:
    return WeChat(APPID, APP_KEY, double.address, timeout=2)


def code(wechat: WeChat) -> bytes:
    return wechat.unlimited_code("t=4f2a", PAGE)


def failure(call: Callable[[], object]) -> WeChatFailed:
    """What the call fails with; nothing secret may stand in it, nor in what it came from."""
    with pytest.raises(WeChatFailed) as caught:
        call()
    told = "".join(traceback.format_exception(caught.value))
    link: BaseException | None = caught.value
    while link:
        told += str(link) + repr(link)
        link = link.__cause__ or link.__context__
    assert APP_KEY not in told
    assert "a-token" not in told
    return caught.value


def in_threads(number: int, call: Callable[[], object]) -> list[object]:
    """What `number` calls return or raise that begin at the same moment."""
    barrier = threading.Barrier(number)

    def one(_: int) -> object:
        barrier.wait(60)
        try:
            return call()
        except WeChatFailed as failed:
            return failed

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def test_a_code_is_the_picture_that_wechat_drew(double: WeChatDouble, wechat: WeChat) -> None:
    assert code(wechat) == PICTURE
    method, path, parameters, body = double.requests[-1]
    assert (method, path, parameters) == ("POST", CODE, {"access_token": "a-token-1"})
    assert body == {"scene": "t=4f2a", "page": PAGE, "env_version": "release", "check_path": True}


def test_a_code_for_the_trial_version_does_without_a_published_page(double: WeChatDouble, wechat: WeChat) -> None:
    assert wechat.unlimited_code("a", "pages/new/index", version="trial") == PICTURE
    assert failure(lambda: wechat.unlimited_code("a", "pages/new/index")).code == "41030"


def test_a_jpeg_is_a_picture_too(double: WeChatDouble, wechat: WeChat) -> None:
    double.garbage[CODE] = (200, "image/jpeg", b"\xff\xd8\xff\xe0 and so on")
    assert code(wechat).startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize("scene", ["", "x" * 33, "a b", "窗口", "50%", "a\n"])
def test_a_scene_that_wechat_would_refuse_is_not_sent(double: WeChatDouble, wechat: WeChat, scene: str) -> None:
    with pytest.raises(ValueError, match="scene"):
        wechat.unlimited_code(scene, PAGE)
    assert double.requests == []


def test_a_page_begins_without_a_slash(wechat: WeChat) -> None:
    with pytest.raises(ValueError, match="page"):
        wechat.unlimited_code("a", "/" + PAGE)


def test_a_login_code_gives_the_identity_and_needs_no_token(double: WeChatDouble, wechat: WeChat) -> None:
    found = wechat.code_to_session("a-login-code")
    assert (found.openid, found.unionid, found.session_key) == ("an-openid", None, "a-session-key")
    assert "a-session-key" not in repr(found)
    ((method, path, parameters, _),) = double.requests
    assert (method, path) == ("GET", LOGIN)
    assert "access_token" not in parameters


def test_a_login_code_works_once(double: WeChatDouble, wechat: WeChat) -> None:
    code = double.login_code("somebody")
    assert wechat.code_to_session(code).openid == "somebody"
    failed = failure(lambda: wechat.code_to_session(code))
    assert (failed.code, failed.retryable) == ("40163", False)
    assert failure(lambda: wechat.code_to_session("made-up")).code == "40029"


def test_a_login_code_is_good_for_five_minutes(double: WeChatDouble, wechat: WeChat) -> None:
    code, given_at = double.login_code("somebody"), double.now()
    double.now = lambda: given_at + 301
    assert failure(lambda: wechat.code_to_session(code)).code == "40029"


@pytest.mark.parametrize(("errcode", "retryable"), [(-1, True), (45011, True), (40226, False), (40163, False)])
def test_a_login_that_wechat_refuses_is_asked_once(
    double: WeChatDouble, wechat: WeChat, errcode: int, retryable: bool
) -> None:
    double.errcodes[LOGIN] = errcode
    failed = failure(lambda: wechat.code_to_session("a-login-code"))
    assert (failed.code, failed.retryable) == (str(errcode), retryable)
    assert [request[1] for request in double.requests] == [LOGIN]


def test_a_connection_that_is_cut_or_refused_leaks_nothing_of_the_network(double: WeChatDouble, wechat: WeChat) -> None:
    double.cut.add(LOGIN)
    failed = failure(lambda: wechat.code_to_session("a-login-code"))
    assert (failed.code, failed.retryable) == ("unreachable", True)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = WeChat(APPID, APP_KEY, f"http://127.0.0.1:{unused.getsockname()[1]}", timeout=2)
        assert failure(lambda: nobody.code_to_session("a-login-code")).code == "unreachable"


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ({"phoneNumber": "13800000001", "purePhoneNumber": "13800000001", "countryCode": "86"}, "13800000001"),
        ({"phoneNumber": "13800000001", "purePhoneNumber": "13800000001", "countryCode": 86}, "13800000001"),
        ({"phoneNumber": "+85251000000", "purePhoneNumber": "51000000", "countryCode": "852"}, "+85251000000"),
    ],
)
def test_a_phone_code_gives_the_number(
    double: WeChatDouble, wechat: WeChat, given: dict[str, object], number: str
) -> None:
    double.phone = given
    assert wechat.phone_number("a-phone-code") == number


def test_a_phone_code_that_is_none_is_refused(wechat: WeChat) -> None:
    assert failure(lambda: wechat.phone_number("another")).code == "40029"


def test_twenty_threads_fetch_one_token(double: WeChatDouble, wechat: WeChat) -> None:
    double.token_delay = 0.1
    assert in_threads(20, lambda: code(wechat)) == [PICTURE] * 20
    assert double.asked(STABLE_TOKEN) == 1
    assert double.asked(CODE) == 20


def test_the_token_is_asked_for_in_the_mode_that_leaves_other_processes_theirs(
    double: WeChatDouble, wechat: WeChat
) -> None:
    code(wechat)
    double.end_token()
    code(wechat)
    bodies = [request[3] for request in double.requests if request[1] == STABLE_TOKEN]
    assert len(bodies) == 2
    assert not any(body.get("force_refresh") for body in bodies)


def test_a_token_is_used_until_a_minute_before_its_end(
    double: WeChatDouble, wechat: WeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = 0.0
    monkeypatch.setattr(gateway, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + passed))
    double.seconds = 7200
    code(wechat)
    passed = 7200 - 60 - 600  # ten minutes left, however slow this machine is
    code(wechat)
    assert double.asked(STABLE_TOKEN) == 1
    passed = 7200 - 60
    code(wechat)
    assert double.asked(STABLE_TOKEN) == 2


@pytest.mark.parametrize("refusal", [40001, 40014, 42001])
def test_a_token_that_wechat_has_forgotten_is_replaced_once(double: WeChatDouble, wechat: WeChat, refusal: int) -> None:
    double.refusal_of_tokens = refusal
    code(wechat)
    double.end_token()
    assert wechat.phone_number("a-phone-code") == "13800000001"
    assert double.asked(STABLE_TOKEN) == 2
    assert double.asked(PHONE) == 2


def test_twenty_threads_with_a_forgotten_token_fetch_one(double: WeChatDouble, wechat: WeChat) -> None:
    code(wechat)
    double.end_token()
    double.token_delay = 0.3
    assert in_threads(20, lambda: code(wechat)) == [PICTURE] * 20
    assert double.asked(STABLE_TOKEN) == 2


def test_a_call_is_repeated_at_most_once(double: WeChatDouble, wechat: WeChat) -> None:
    double.takes_no_token = True
    failed = failure(lambda: code(wechat))
    assert (failed.code, failed.retryable) == ("40001", True)
    assert double.asked(CODE) == 2
    assert double.asked(STABLE_TOKEN) == 2


def test_a_wrong_secret_is_said_and_not_tried_again(double: WeChatDouble) -> None:
    stranger = WeChat(APPID, "wrong-" + APP_KEY, double.address, timeout=2)
    failed = failure(lambda: code(stranger))
    assert (failed.code, failed.retryable) == ("40125", False)
    assert [request[1] for request in double.requests] == [STABLE_TOKEN]


@pytest.mark.parametrize("refusal", [40001, 40125])
def test_a_refused_login_does_not_fetch_a_token(double: WeChatDouble, wechat: WeChat, refusal: int) -> None:
    double.errcodes[LOGIN] = refusal
    assert failure(lambda: wechat.code_to_session("a-login-code")).code == str(refusal)
    assert [request[1] for request in double.requests] == [LOGIN]


@pytest.mark.parametrize(
    ("errcode", "retryable"), [(-1, True), (45009, True), (45011, True), (41030, False), (40097, False), (48001, False)]
)
def test_a_refusal_bears_the_code_of_wechat(
    double: WeChatDouble, wechat: WeChat, errcode: int, retryable: bool
) -> None:
    double.errcodes[CODE] = errcode
    failed = failure(lambda: code(wechat))
    assert (failed.code, failed.retryable) == (str(errcode), retryable)
    assert double.asked(CODE) == 1


GARBAGE = [
    ((200, "text/html", "<p>请先登录</p>".encode()), "garbled"),
    ((200, "application/json", b""), "garbled"),
    ((200, "application/json", b"[1]"), "garbled"),
    ((200, "application/json", b'{"errcode": 0}'), "garbled"),
    ((200, "application/json", b'{"errcode": "many"}'), "garbled"),
    ((200, "application/json", b'{"errcode": null}'), "garbled"),
    ((200, "application/json", b'{"base_resp": 5}'), "garbled"),
    ((200, "application/json", b'{"openid": 5, "access_token": 5, "phone_info": 5}'), "garbled"),
    ((200, "application/json", b'{"access_token": "a-token-9", "expires_in": "long"}'), "garbled"),
    ((302, "text/html", b""), "garbled"),
    ((502, "text/html", b"<h1>Bad Gateway</h1>"), "http_502"),
    ((429, "text/html", b""), "http_429"),
]


@pytest.mark.parametrize("path", [STABLE_TOKEN, LOGIN, CODE, PHONE])
@pytest.mark.parametrize(("answer", "said"), GARBAGE)
def test_an_answer_that_is_none_is_a_failure(
    double: WeChatDouble, wechat: WeChat, path: str, answer: tuple[int, str, bytes], said: str
) -> None:
    double.garbage[path] = answer
    calls: dict[str, Callable[[], object]] = {
        STABLE_TOKEN: lambda: code(wechat),
        LOGIN: lambda: wechat.code_to_session("a-login-code"),
        CODE: lambda: code(wechat),
        PHONE: lambda: wechat.phone_number("a-phone-code"),
    }
    failed = failure(calls[path])
    assert (failed.code, failed.retryable) == (said, True)
    assert double.asked(path) == 1
    assert double.asked("/elsewhere") == 0


def test_a_gateway_that_forbids_is_not_asked_again(double: WeChatDouble, wechat: WeChat) -> None:
    double.garbage[CODE] = (403, "text/html", b"")
    failed = failure(lambda: code(wechat))
    assert (failed.code, failed.retryable) == ("http_403", False)


@pytest.mark.parametrize("path", [STABLE_TOKEN, LOGIN, CODE])
def test_a_server_that_hangs_is_not_waited_for(double: WeChatDouble, path: str) -> None:
    double.slow.add(path)
    hasty = WeChat(APPID, APP_KEY, double.address, timeout=0.3)
    failed = failure(lambda: hasty.code_to_session("a-login-code") if path == LOGIN else code(hasty))
    assert (failed.code, failed.retryable) == ("unreachable", True)
    assert double.asked(path) == 1


def test_threads_that_wait_for_one_token_fail_together(double: WeChatDouble) -> None:
    double.slow.add(STABLE_TOKEN)
    hasty = WeChat(APPID, APP_KEY, double.address, timeout=0.5)
    outcomes = in_threads(20, lambda: code(hasty))
    assert all(isinstance(outcome, WeChatFailed) and outcome.code == "unreachable" for outcome in outcomes)
    assert double.asked(STABLE_TOKEN) == 1, "they would wait one after the other"


def test_after_a_failure_the_next_call_tries_again(double: WeChatDouble, wechat: WeChat) -> None:
    double.errcodes[STABLE_TOKEN] = -1
    assert failure(lambda: code(wechat)).retryable
    del double.errcodes[STABLE_TOKEN]
    assert code(wechat) == PICTURE


def test_nobody_there_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    nowhere = WeChat(APPID, APP_KEY, f"http://127.0.0.1:{port}")
    for call in (lambda: code(nowhere), lambda: nowhere.code_to_session("a"), lambda: nowhere.phone_number("a")):
        failed = failure(call)
        assert (failed.code, failed.retryable) == ("unreachable", True)


def test_no_log_holds_the_secret_or_a_token_even_at_debug(
    double: WeChatDouble, wechat: WeChat, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    code(wechat)
    wechat.code_to_session("a-login-code")
    double.end_token()
    code(wechat)
    double.errcodes[LOGIN] = 40125
    failure(lambda: wechat.code_to_session("a-login-code"))
    assert APP_KEY not in caplog.text
    assert "a-token" not in caplog.text
    assert APP_KEY not in repr(vars(wechat)["_token"]) + repr(wechat)
