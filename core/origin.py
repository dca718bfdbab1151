"""Where a request comes from, as everything that counts by address sees it.

Whoever has one line has one IPv4 address, but 2^64 addresses of IPv6 (RFC 6177, RFC 7934): counted by the single
address, a new one for each try would pass every limit. So an IPv6 address counts as its /64; and since a provider gives
away a /48 as easily, all /64 of one /48 together have a wider limit, `WIDER` times as high.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

WIDER = 10
"""How many times the limit of one line all lines of a /48 have together."""
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from.

    `address` is the caller's, `line` what is counted (the IPv4 address, or the /64 as `2001:db8:1:2::/64`), `wider` the
    /48 around it; None with IPv4.
    """

    address: str
    line: str
    wider: str | None = None


def origin_of(text: str) -> Origin | None:
    """The origin that an address says; None for what is none. A port (1 to 65535) behind it and a zone are left out."""
    found = _parsed(text)
    if found is None:
        return None
    if isinstance(found, IPv4Address):
        return Origin(str(found), str(found))
    return Origin(str(found), str(IPv6Network((found, 64), strict=False)), str(IPv6Network((found, 48), strict=False)))


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    port = ""
    if text.startswith("["):  # [2001:db8::1]:443, as proxies may write it
        text, closed, port = text[1:].partition("]")
        if not closed or ":" not in text:
            return None
    elif text.count(":") == 1:  # 192.0.2.1:443
        text, colon, rest = text.partition(":")
        port = colon + rest
    if port and not _is_port(port):
        return None
    address, zone, _ = text.partition("%")
    try:
        found = ip_address(address)
    except ValueError:
        return None
    if zone and isinstance(found, IPv4Address):
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def _is_port(text: str) -> bool:
    """Whether it is a colon and a port."""
    return re.fullmatch(r":[0-9]{1,5}", text) is not None and 1 <= int(text[1:]) <= 65535
