"""Rating by the citizen's page and by the JSON calls: address limits, captcha, SMS code, and the rating itself."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from flask import request
from limits import RateLimitItem

from accounts.sign_in import captcha_tries, throttle
from accounts.sign_in.sessions import authenticate
from core.actor import Actor
from core.errors import Problem, invalid
from core.gateways.sms import SmsFailed
from core.origin import Origin
from core.text import clean_line
from feedback.codes.kinds import PER_MATTER
from feedback.ratings import phone_proof, submitting
from feedback.ratings.fields import Form, Sent, read_form
from feedback.ratings.submitting import Sender, Submitted
from miniapp_api.http.address_counts import limit_of, wider_limit_of
from miniapp_api.http.gates import bearer_token
from miniapp_api.http.origins import origin
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

    def check(self, services: Wiring, place: Origin) -> None:
        """Check the answer to the captcha; raises 403 `captcha_required` or 429 unless it is right."""
        captcha_id = self.captcha_id if isinstance(self.captcha_id, str) else None
        captcha_tries.check(services.database, captcha_tries.of_ratings(place), captcha_id, self.answer)


NO_PROOF = Proof()


@dataclass(slots=True)
class AddressLimits:
    """Limits of the ratings accepted from where this one comes from.

    Above `rating_address_limit` at one code a captcha is demanded (403 `captcha_required`); above
    `rating_address_ceiling` over all codes the address has to wait (429 `too_many_requests`).
    Ratings of single-use codes (一事一评) are neither counted nor refused: each has a link of its own.
    """

    services: Wiring
    origin: Origin
    taken: list[tuple[RateLimitItem, tuple[str, ...]]] = field(default_factory=list)

    def is_busy(self, code_id: UUID) -> bool:
        """Whether this code has had so many ratings from here that a captcha is needed."""
        limit = limit_of(self.services.settings.rating_address_limit)
        return self.services.addresses.wait(limit, self.origin.line, str(code_id)) > 0

    def admit(self, code_id: UUID, *, proved: bool) -> None:
        """Count a rating before it is stored, or raise 429 or 403. `proved`: the lower limit does not apply."""
        ceiling = self.services.settings.rating_address_ceiling
        wait = self._take(limit_of(ceiling), self.origin.line)
        if not wait and self.origin.wider:
            wait = self._take(wider_limit_of(ceiling), self.origin.wider)
        if wait:
            detail = f"该网络地址提交的评价过多，请在 {throttle.minutes(wait)} 分钟后再试，或改用手机流量提交"
            raise Problem("too_many_requests", detail, retry_after=wait)
        lower, key = limit_of(self.services.settings.rating_address_limit), (self.origin.line, str(code_id))
        if self._take(lower, *key) and not proved:
            raise Problem("captcha_required", BUSY)

    def _take(self, limit: RateLimitItem, *key: str) -> int:
        wait = self.services.addresses.take(limit, *key)
        if not wait:
            self.taken.append((limit, key))
        return wait

    def give_back(self) -> None:
        """Take the rating off the counts: it was not stored, or is a repetition."""
        for limit, key in self.taken:
            self.services.addresses.give_back(limit, *key)
        self.taken.clear()


BUSY = "当前网络提交评价的人较多，请填写验证码后再提交，已填内容不会丢失"


def rate(token: str, sent: Sent, proof: Proof = NO_PROOF) -> Submitted:
    """Submit a rating: form → captcha or SMS code, where one is needed → `submitting.submit` → count of the address.

    Each part has a transaction of its own: an SMS code or captcha stays used although the rating is refused.
    """
    services, place = wiring(), origin()
    form, limits, actor = read_form(token, sent), AddressLimits(services, place), signed_in_enterprise(services)
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
            proof.check(services, place)
            proved = True
    sender = Sender(place.line, request.headers.get("User-Agent", ""), verified, actor)
    stored = False
    try:
        with services.database.write() as session:
            submitted = submitting.submit(
                session, services.rules, form, sender, lambda code_id: limits.admit(code_id, proved=proved)
            )
        stored = submitted.new
    finally:
        if not stored:
            limits.give_back()
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
    services, place = wiring(), origin()
    if services.sms is None:
        raise Problem("not_found")
    limits = phone_proof.PerAddress(
        _in_time(services.settings.rating_address_limit), _in_time(services.settings.rating_address_ceiling)
    )
    with services.database.write() as session:
        admitted = phone_proof.admit(session, place, limits)
    try:
        if admitted.busy:
            proof.check(services, place)
        with services.database.write() as session:
            number, code = phone_proof.issue_code(session, mobile, place)
    except BaseException:
        with services.database.write() as session:
            phone_proof.give_back(session, admitted)
        raise
    try:
        services.sms.send_code(number, code, phone_proof.MINUTES)
    except SmsFailed as error:
        log.warning("sms_failed", reason=error.reason, retryable=error.retryable)
        raise Problem("sms_unavailable", retry_after=60 if error.retryable else None) from error


def _in_time(limit: str) -> tuple[int, timedelta]:
    parsed = limit_of(limit)
    return parsed.amount, timedelta(seconds=parsed.get_expiry())
