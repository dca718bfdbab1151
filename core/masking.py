"""Numbers and addresses of persons masked (号码遮挡), for lists, exports and logs; nothing is encrypted here."""

import re
from typing import Any

_MOBILE = re.compile(r"^(\d{3})\d{4}(\d{4})$")


def mask_phone(text: str | None) -> str | None:
    """`13800000001` → `138****0001`; other telephone numbers keep their last four digits."""
    if not text:
        return text
    match = _MOBILE.match(text)
    if match:
        return f"{match[1]}****{match[2]}"
    return "****" + text[-4:] if len(text) > 4 else "****"


def mask_resident_id(text: str | None) -> str | None:
    """`110101199003070011` → `110101********0011`."""
    if not text or len(text) < 15:
        return "****" if text else text
    return f"{text[:6]}********{text[-4:]}"


def mask_email(text: str | None) -> str | None:
    """`zhangsan@example.cn` → `z****@example.cn`."""
    if not text:
        return text
    name, at, domain = text.rpartition("@")
    return f"{name[:1]}****{at}{domain}"


_NUMBERS_IN_TEXT = re.compile(
    r"(?<!\d)(?:(?P<mobile>1[3-9]\d[ -]?\d{4}[ -]?\d{4})"
    r"|(?P<id>\d{6}(?:19|20)\d\d(?:0[1-9]|1[0-2])[0-3]\d{4}[\dXx]))(?![\dXx])"
)


def mask_numbers(text: Any) -> str | None:
    """Text that somebody typed, with the mobile and resident-ID numbers in it masked; None where there is none."""
    if not isinstance(text, str):
        return None

    def masked(found: re.Match[str]) -> str:
        number = re.sub("[ -]", "", found[0])
        return (mask_phone(number) if found["mobile"] else mask_resident_id(number)) or ""

    return _NUMBERS_IN_TEXT.sub(masked, text)
