"""JSON Pointers (RFC 6901)."""

import re

# A key of a body may hold anything JSON can write; what UTF-8 cannot carry, and overlong keys, are cut.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
MAX_TOKEN = 100


def pointer(*tokens: object) -> str:
    """`pointer("answers", "1.1")` is `/answers/1.1`; `~` and `/` inside a token are escaped."""
    return "".join(f"/{str(token).replace('~', '~0').replace('/', '~1')}" for token in tokens)


def showable(key: object) -> str:
    """An unknown key of a body as it may be answered: at most 100 characters, no control characters."""
    return _UNPRINTABLE.sub("\ufffd", str(key)[:MAX_TOKEN])
