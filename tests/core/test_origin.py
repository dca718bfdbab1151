"""One notion of where a request comes from: an IPv4 address, or the /64 and the /48 of an IPv6 address."""

import pytest

from core.origin import Origin, origin_of

V4 = Origin("192.0.2.7", "192.0.2.7")
V6 = Origin("2001:db8:1:2::9", "2001:db8:1:2::/64", "2001:db8:1::/48")


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("192.0.2.7", V4),
        (" 192.0.2.7 ", V4),
        ("192.0.2.7:5123", V4),
        ("::ffff:192.0.2.7", V4),
        ("[::ffff:c000:207]:80", V4),
        ("2001:db8:1:2::9", V6),
        ("2001:0DB8:0001:0002:0000::0009", V6),
        ("[2001:db8:1:2::9]:443", V6),
        ("2001:db8:1:2::9%eth0", V6),
        ("::1", Origin("::1", "::/64", "::/48")),
    ],
)
def test_spellings_of_one_place_are_one_origin(text: str, origin: Origin) -> None:
    assert origin_of(text) == origin


@pytest.mark.parametrize(
    "text", ["", "unknown", "_hidden", "192.0.2", "192.0.2.256", "1.2.3.4, 5.6.7.8", "localhost", "12345", "x" * 5000,
             "2001:db8::1::2", "'; DROP TABLE", "0x7f.1", "１９２.0.2.7",
             # Ports that there are not.
             "1.2.3.4:99999", "1.2.3.4:65536", "1.2.3.4:0", "1.2.3.4:", "1.2.3.4:-1", "1.2.3.4:x", "1.2.3.4:１",
             "[2001:db8::1]:99999", "[2001:db8::1]x", "[2001:db8::1", "[1.2.3.4]:80", "1.2.3.4%eth0"],
)  # fmt: skip
def test_what_is_no_address_is_no_origin(text: str) -> None:
    assert origin_of(text) is None
