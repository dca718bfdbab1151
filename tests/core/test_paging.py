"""Lists that are short by nature: whole, unless the reading of them stopped."""

from core.paging import whole


def test_a_list_that_was_read_to_its_end_is_told_whole() -> None:
    assert whole(["甲", "乙"], 3) == {
        "items": ["甲", "乙"], "page": 1, "page_size": 2, "total": 2, "total_is_exact": True, "next_after": None,
    }  # fmt: skip


def test_a_list_whose_reading_stopped_does_not_claim_to_be_whole() -> None:
    told = whole(["甲", "乙", "丙"], 3)
    assert (told["total"], told["total_is_exact"]) == (3, False)


def test_a_list_that_nothing_cuts_is_whole_however_long() -> None:
    assert whole(range(5000))["total_is_exact"] is True
