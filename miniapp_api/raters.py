"""What rating needs of a request, for the page and for the JSON calls alike: address, brake, proof of the number."""

from typing import Any

import structlog
from flask import request

from accounts.sign_in import authenticate
from core.actor import Actor
from core.errors import Problem, invalid
from core.gateways.sms import SmsFailed
from core.text import clean_line
from feedback import phone_proof, submission
from feedback.sent import Sent
from feedback.submission import Rated
from miniapp_api.address_counts import limit_of
from miniapp_api.gates import bearer_token
from miniapp_api.wiring import Wiring, wiring

log = structlog.get_logger()


def rate(token: str, sent: Sent, sms_code: Any = None) -> Rated:
    """Judge and store a rating, in transactions of its own; proves the number first where that is switched on."""
    services, address = wiring(), request.remote_addr or ""
    limit = limit_of(services.settings.rating_address_limit)
    actor = signed_in_enterprise(services)
    verified = False
    if services.sms is not None:
        # What is faulty or sent again costs no code; what is proved is proved even if the rating is refused.
        with services.database.read() as session:
            repeated = submission.judge(session, token, sent)
        if repeated is not None:
            return repeated
        verified = _prove(services, token, sent, sms_code)
    with services.database.write() as session:
        rated = submission.rate(
            session, services.rules, token, sent, address=address,
            user_agent=request.headers.get("User-Agent", ""), verified=verified,
            brake=lambda: services.addresses.test(limit, address), actor=actor,
        )  # fmt: skip
    if rated.new:
        # After the transaction: only what is stored counts, and nobody waits for the counter.
        services.addresses.hit(limit, address)
    return rated


def signed_in_enterprise(services: Wiring) -> Actor | None:
    """Whoever is signed in, if anyone; the room refuses staff."""
    token = bearer_token()
    return authenticate(services.database, services.policy, token) if token is not None else None


def _prove(services: Wiring, token: str, sent: Sent, code: Any) -> bool:
    if not isinstance(code, str) or not clean_line(code):
        raise invalid("/sms_code", "required", "请填写短信验证码")
    with services.database.write() as session:
        right = phone_proof.prove(session, str(sent.mobile), code, submission.form_key(token, sent))
    if not right:
        raise phone_proof.wrong_code()
    return True


def send_code(mobile: Any) -> None:
    """Send a one-time code; the answer is the same whether or not the number has rated."""
    services = wiring()
    if services.sms is None:
        raise Problem("not_found")
    with services.database.write() as session:
        number, code = phone_proof.issue_code(session, mobile, request.remote_addr or "")
    try:
        services.sms.send_code(number, code, phone_proof.MINUTES)
    except SmsFailed as error:
        log.warning("sms_failed", reason=error.reason, retryable=error.retryable)
        raise Problem("sms_unavailable", retry_after=60 if error.retryable else None) from error
