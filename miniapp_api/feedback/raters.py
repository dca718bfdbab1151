"""Rating by the citizen's page and by the JSON calls: address limits, captcha, SMS code, and the rating itself."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from flask import request

from accounts.sign_in import captcha_tries, throttle
from accounts.sign_in.sessions import authenticate
from core.actor import Actor
from core.errors import Problem, invalid
from core.gateways.sms import SmsFailed
from core.text import clean_line
from feedback.codes.kinds import PER_MATTER
from feedback.ratings import phone_proof, submitting
from feedback.ratings.fields import Form, Sent, read_form
from feedback.ratings.submitting import Sender, Submitted
from miniapp_api.http.address_counts import limit_of
from miniapp_api.http.gates import bearer_token
from miniapp_api.http.wiring import Wiring, wiring

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Proof:
    """What is sent along to show that a person rates: the code received by SMS, the answer to a captcha."""

    sms_code: Any = None
    captcha_id: Any = None
    captcha: Any = None

    @property
    def code(self) -> str:
        """The SMS code; "" where none was sent."""
        return clean_line(self.sms_code) if isinstance(self.sms_code, str) else ""

    @property
    def answer(self) -> str:
        """The answer to the captcha; "" where none was sent."""
        return clean_line(self.captcha)[:20] if isinstance(self.captcha, str) else ""

    def check(self, services: Wiring, address: str) -> None:
        """Check the answer to the captcha; raises 403 `captcha_required` or 429 unless it is right."""
        captcha_id = self.captcha_id if isinstance(self.captcha_id, str) else None
        captcha_tries.check(services.database, captcha_tries.of_ratings(address), captcha_id, self.answer)


NO_PROOF = Proof()


@dataclass(slots=True)
class AddressLimits:
    """Limits of the ratings accepted from one network address.

    Above `rating_address_limit` at one code a captcha is demanded (403 `captcha_required`); above
    `rating_address_ceiling` over all codes the address has to wait (429 `too_many_requests`).
    Ratings of single-use codes (一事一评) are neither counted nor refused: each has a link of its own.
    """

    services: Wiring
    address: str
    admitted: list[UUID] = field(default_factory=list)

    def is_busy(self, code_id: UUID) -> bool:
        """Whether this code has had so many ratings from the address that a captcha is needed."""
        limit = limit_of(self.services.settings.rating_address_limit)
        return self.services.addresses.wait(limit, self.address, str(code_id)) > 0

    def admit(self, code_id: UUID, *, proved: bool) -> None:
        """Raise 429 or 403 above a limit; else note the code for `count`. `proved`: the lower limit does not apply."""
        ceiling = limit_of(self.services.settings.rating_address_ceiling)
        wait = self.services.addresses.wait(ceiling, self.address)
        if wait:
            detail = f"该网络地址提交的评价过多，请在 {throttle.minutes(wait)} 分钟后再试，或改用手机流量提交"
            raise Problem("too_many_requests", detail, retry_after=wait)
        if not proved and self.is_busy(code_id):
            raise Problem("captcha_required", BUSY)
        self.admitted.append(code_id)

    def count(self) -> None:
        """Count the stored rating; after the transaction, so that no lock is held while the counter is written."""
        for code_id in self.admitted:
            for text, key in (
                (self.services.settings.rating_address_limit, (self.address, str(code_id))),
                (self.services.settings.rating_address_ceiling, (self.address,)),
            ):
                self.services.addresses.hit(limit_of(text), *key)


BUSY = "当前网络提交评价的人较多，请填写验证码后再提交，已填内容不会丢失"


def rate(token: str, sent: Sent, proof: Proof = NO_PROOF) -> Submitted:
    """Submit a rating: form → captcha or SMS code, where one is needed → `submitting.submit` → count of the address.

    Each part has a transaction of its own: an SMS code or captcha stays used although the rating is refused.
    """
    services, address = wiring(), request.remote_addr or ""
    form, limits, actor = read_form(token, sent), AddressLimits(services, address), signed_in_enterprise(services)
    verified = proved = False
    if proves_numbers(services) or proof.code or proof.answer:
        # Validated before, so that a faulty form or a repetition uses up no SMS code.
        with services.database.read() as session:
            code, repeated = submitting.find(session, form)
        if repeated is not None:
            return repeated
        if proves_numbers(services) or (proof.code and services.sms is not None):
            _prove_number(services, form, proof.code)
            verified = proved = True
        elif proof.answer and code.kind != PER_MATTER and limits.is_busy(code.id):
            proof.check(services, address)
            proved = True
    sender = Sender(address, request.headers.get("User-Agent", ""), verified, actor)
    with services.database.write() as session:
        submitted = submitting.submit(
            session, services.rules, form, sender, lambda code_id: limits.admit(code_id, proved=proved)
        )
    if submitted.new:
        limits.count()
    return submitted


def proves_numbers(services: Wiring) -> bool:
    """Whether every rating needs an SMS code: where a sender is configured, unless `rating_sms_proof` is off."""
    return services.sms is not None and services.settings.rating_sms_proof


def signed_in_enterprise(services: Wiring) -> Actor | None:
    """The signed-in user, or None without a token; `submitting.submit` refuses everybody but enterprises."""
    token = bearer_token()
    return authenticate(services.database, services.policy, token) if token is not None else None


def _prove_number(services: Wiring, form: Form, code: str) -> None:
    """Use up the SMS code that proves the number of a faultless form; 422 where it is missing or wrong."""
    if not code:
        raise invalid("/sms_code", "required", "请填写短信验证码")
    assert form.fields is not None
    with services.database.write() as session:
        right = phone_proof.prove(session, form.fields.mobile, code, form.key)
    if not right:
        raise phone_proof.wrong_code()


def send_code(mobile: Any, proof: Proof = NO_PROOF) -> None:
    """Send a one-time code by SMS; the answer does not say whether the number has rated.

    Raises 404 where no sender is configured, 403 `captcha_required`, 422, 429, 503 `sms_unavailable`.
    """
    services, address = wiring(), request.remote_addr or ""
    if services.sms is None:
        raise Problem("not_found")
    limits = phone_proof.PerAddress(
        _in_time(services.settings.rating_address_limit), _in_time(services.settings.rating_address_ceiling)
    )
    with services.database.read() as session:
        busy = phone_proof.is_busy(session, address, limits)
    if busy:
        proof.check(services, address)
    with services.database.write() as session:
        number, code = phone_proof.issue_code(session, mobile, address, limits, proved=busy)
    try:
        services.sms.send_code(number, code, phone_proof.MINUTES)
    except SmsFailed as error:
        log.warning("sms_failed", reason=error.reason, retryable=error.retryable)
        raise Problem("sms_unavailable", retry_after=60 if error.retryable else None) from error


def _in_time(limit: str) -> tuple[int, timedelta]:
    parsed = limit_of(limit)
    return parsed.amount, timedelta(seconds=parsed.get_expiry())
