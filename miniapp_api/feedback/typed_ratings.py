"""What a person typed into the rating page: read from the form, shown in it again, or shown for copying."""

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from flask import request

from accounts.sign_in.captchas import PICTURE, QUESTION
from feedback.codes.catalogue import LEVELS, TAGS
from feedback.ratings.fields import Sent
from miniapp_api.feedback.raters import Proof

OTHER_CAPTCHA = {"picture": PICTURE, "question": QUESTION}
"""Values of the buttons that ask for another captcha, and its kind."""


class Typed(SimpleNamespace):
    """The values of the form's fields."""

    def __init__(self, **fields: Any) -> None:
        blank = {"rater_name": "", "mobile": "", "comment": "", "level": None, "tags": (), "anonymous": False,
                 "sms_code": "", "by_sms": False, "captcha_id": "", "captcha": "", "captcha_kind": PICTURE}  # fmt: skip
        super().__init__(**{**blank, "submission_id": str(uuid4()), **fields})

    @classmethod
    def read(cls) -> "Typed":
        """From the request's form."""
        form = request.form
        level = form.get("level", "")
        chosen = int(level) if level in ("1", "2", "3", "4", "5") else None
        # Without JavaScript the tags of a level that was chosen before stay ticked although hidden: each level has a
        # field of its own, and only that of the chosen level is read.
        tags = tuple(
            int(one)
            for one in form.getlist(f"tags{chosen}")[:40]
            if one.isascii() and one.isdecimal() and len(one) <= 4
        )
        return cls(
            rater_name=form.get("rater_name", ""), mobile=form.get("mobile", ""), comment=form.get("comment", ""),
            level=chosen, tags=tags, anonymous="anonymous" in form,
            submission_id=form.get("submission_id", "")[:64] or str(uuid4()), sms_code=form.get("sms_code", ""),
            captcha_id=form.get("captcha_id", ""), captcha=form.get("captcha", ""),
            captcha_kind=OTHER_CAPTCHA.get(form.get("captcha_kind", ""), PICTURE),
            by_sms=form.get("action") == "send_code" or bool(form.get("sms_code", "")),
        )  # fmt: skip

    def sent(self) -> Sent:
        """The rating for `feedback.ratings`."""
        return Sent(
            rater_name=self.rater_name, mobile=self.mobile, level=self.level, tags=self.tags, comment=self.comment,
            real_name=not self.anonymous, submission_id=self.submission_id,
        )  # fmt: skip

    def proof(self) -> Proof:
        """SMS code and captcha."""
        return Proof(self.sms_code, self.captcha_id, self.captcha)

    def as_text(self) -> str:
        """Level, tags and comment as text to copy, where the rating cannot be sent any more; empty without any.

        The phone number is left out: others may be looking at the screen.
        """
        lines = []
        if self.level is not None:
            lines.append(f"评价等级：{LEVELS[self.level]}")
        if tags := [TAGS[code].text for code in self.tags if code in TAGS]:
            lines.append(f"具体原因：{'；'.join(tags)}")
        if self.comment.strip():
            lines.append(f"具体意见：{self.comment.strip()}")
        return "\n".join(lines)
