"""Colour profiles (ICC.1): which need not be kept, and which may be. Their headers and tables are read, no colours."""

_HEADER = 128
_LARGEST = 60_000
_MOST_TAGS = 100
_DESCRIPTION = b"desc"
_TAGS = frozenset(
    b"desc cprt wtpt bkpt rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC chad dmnd dmdd lumi meas tech view vued chrm gamt cicp "
    b"A2B0 A2B1 A2B2 B2A0 B2A1 B2A2 mmod aarg aagg aabg vcgt ndin".split()
)
"""What cameras and monitors say of themselves; a profile with anything else is not kept."""


def is_srgb(profile: bytes) -> bool:
    """Whether it calls itself sRGB, which is what has no profile."""
    for kind, start, length in _tags(profile):
        if kind == _DESCRIPTION:
            text = profile[start : start + length].lower()
            return b"srgb" in text or "srgb".encode("utf-16-be") in text
    return False


def is_display_profile(profile: bytes, colours: bytes) -> bool:
    """Whether it is one that a camera writes, for these colours (`RGB ` or `GRAY`), and nothing besides."""
    if not _HEADER < len(profile) <= _LARGEST or int.from_bytes(profile[:4], "big") != len(profile):
        return False
    if profile[36:40] != b"acsp" or profile[12:16] not in (b"mntr", b"scnr") or profile[16:20] != colours:
        return False
    tags = _tags(profile)
    place = _HEADER + 4 + 12 * len(tags)
    for kind, start, length in sorted(tags, key=lambda tag: tag[1]):
        if kind not in _TAGS or start > place + 3:  # each begins at a multiple of four
            return False
        place = max(place, start + length)
    return bool(tags) and place <= len(profile) < place + 4


def _tags(profile: bytes) -> list[tuple[bytes, int, int]]:
    """Signature, place and length of each tag."""
    count = min(int.from_bytes(profile[_HEADER : _HEADER + 4], "big"), _MOST_TAGS)
    found = []
    for place in range(_HEADER + 4, min(len(profile) - 11, _HEADER + 4 + 12 * count), 12):
        start, length = (int.from_bytes(profile[place + more : place + more + 4], "big") for more in (4, 8))
        found.append((profile[place : place + 4], start, length))
    return found
