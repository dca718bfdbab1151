"""Colour profiles (ICC.1): which can be dropped, and which may be kept. Only header and tag table are read."""

_HEADER = 128
_LARGEST = 60_000
_MOST_TAGS = 100
_DESCRIPTION = b"desc"
_TAGS = frozenset(
    b"desc cprt wtpt bkpt rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC chad dmnd dmdd lumi meas tech view vued chrm gamt cicp "
    b"A2B0 A2B1 A2B2 B2A0 B2A1 B2A2 mmod aarg aagg aabg vcgt ndin".split()
)
"""Tags that profiles of cameras and monitors have; a profile with any other tag is not kept."""


def is_srgb(profile: bytes) -> bool:
    """Whether the profile is named sRGB; it can be dropped, because readers assume sRGB without a profile."""
    for kind, start, length in _tags(profile):
        if kind == _DESCRIPTION:
            text = profile[start : start + length].lower()
            return b"srgb" in text or "srgb".encode("utf-16-be") in text
    return False


def is_display_profile(profile: bytes, colours: bytes) -> bool:
    """Whether it is a profile of a camera or monitor for these colours (`RGB ` or `GRAY`), with no other data in it."""
    if not _HEADER < len(profile) <= _LARGEST or int.from_bytes(profile[:4], "big") != len(profile):
        return False
    if profile[36:40] != b"acsp" or profile[12:16] not in (b"mntr", b"scnr") or profile[16:20] != colours:
        return False
    tags = _tags(profile)
    offset = _HEADER + 4 + 12 * len(tags)
    for kind, start, length in sorted(tags, key=lambda tag: tag[1]):
        if kind not in _TAGS or start > offset + 3:  # each tag begins at a multiple of four
            return False
        offset = max(offset, start + length)
    return bool(tags) and offset <= len(profile) < offset + 4


def _tags(profile: bytes) -> list[tuple[bytes, int, int]]:
    """Signature, offset and length of each tag."""
    count = min(int.from_bytes(profile[_HEADER : _HEADER + 4], "big"), _MOST_TAGS)
    found = []
    for entry in range(_HEADER + 4, min(len(profile) - 11, _HEADER + 4 + 12 * count), 12):
        start, length = (int.from_bytes(profile[entry + more : entry + more + 4], "big") for more in (4, 8))
        found.append((profile[entry : entry + 4], start, length))
    return found
