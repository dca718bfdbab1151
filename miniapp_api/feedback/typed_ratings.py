"""What a person typed into the rating page: read from the form, shown again, or handed back to be copied."""

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from flask import request

from accounts.sign_in.captchas import PICTURE, QUESTION
from feedback.codes.catalogue import LEVELS, TAGS
from feedback.ratings.fields import Sent
from miniapp_api.feedback.raters import Proof

OTHER_CAPTCHA = {"picture": PICTURE, "question": QUESTION}
"""What is pressed for another captcha."""


class Typed(SimpleNamespace):
    """What stands in the fields."""

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
        # Without JavaScript tags of a level that was chosen before stay ticked, unseen: each level has its own field.
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
        """As the room takes it."""
        return Sent(
            rater_name=self.rater_name, mobile=self.mobile, level=self.level, tags=self.tags, comment=self.comment,
            real_name=not self.anonymous, submission_id=self.submission_id,
        )  # fmt: skip

    def proof(self) -> Proof:
        """What shows that a person rates."""
        return Proof(self.sms_code, self.captcha_id, self.captcha)

    def as_text(self) -> str:
        """What was said of the service, to be copied where it can be sent no more; empty when nothing was.

        Without the number: whoever stands behind need not read it.
        """
        lines = []
        if self.level is not None:
            lines.append(f"评价等级：{LEVELS[self.level]}")
        if tags := [TAGS[code].text for code in self.tags if code in TAGS]:
            lines.append(f"具体原因：{'；'.join(tags)}")
        if self.comment.strip():
            lines.append(f"具体意见：{self.comment.strip()}")
        return "\n".join(lines)
