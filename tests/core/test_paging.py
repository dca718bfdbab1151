"""Lists that are short by nature come whole."""

from core.database.paging import whole


def test_a_short_list_is_told_whole() -> None:
    assert whole(["甲", "乙"]) == {
        "items": ["甲", "乙"], "page": 1, "page_size": 2, "total": 2, "total_is_exact": True, "next_after": None,
    }  # fmt: skip


def test_a_list_that_nothing_cuts_is_whole_however_long() -> None:
    assert whole(range(5000))["total_is_exact"] is True
