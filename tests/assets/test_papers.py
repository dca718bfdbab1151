"""Papers of forms: a bureau's own template in the place of ours, many at once, photos, long names, what no font has."""

import io
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from click.testing import CliRunner
from PIL import Image
from structlog.testing import capture_logs

from assets.paper.fonts import CharactersMissing
from assets.paper.papers import PHOTO_SIDE, Paper, Press
from cli.papers import blank, built_in, papers
from core.config import Settings
from tests.drawn_papers import pages, words

TEMPLATE = built_in()["record.typ"]


def photo() -> bytes:
    content = io.BytesIO()
    Image.effect_noise((1600, 1200), 40).convert("RGB").save(content, "JPEG", quality=60)
    return content.getvalue()


@pytest.fixture
def press(tmp_path: Path) -> Press:
    (tmp_path / "papers").mkdir()
    content = photo()
    return Press(tmp_path / "papers", tmp_path / "fonts", lambda _key: content)


def paper(**changes: Any) -> Paper:
    made = blank(TEMPLATE)
    return Paper("JC20261121-1", TEMPLATE, {**made.data, "across": "", **changes})


def test_a_bureaus_own_template_and_own_parts_take_the_place_of_the_built_in_ones(press: Press) -> None:
    assert "生产企业检查" in words(press.pdf(paper()))
    (press.templates / "record.typ").write_text('#import "parts.typ": *\n#show: paper\n本局自定的样式\n')
    said = words(press.pdf(paper()))
    assert "本局自定的样式" in said and "第1页" in said and "问题企业处置项" not in said


def test_a_broken_one_is_said_with_its_line_while_the_built_in_one_prints(press: Press, tmp_path: Path) -> None:
    (press.templates / "record.typ").write_text('#import "parts.typ": *\n#show: paper\n#nothing-like-this()\n')
    with capture_logs() as logs:
        assert "问题企业处置项" in words(press.pdf(paper()))
        (printed,) = press.pdfs([paper()])
    assert isinstance(printed, bytes) and "问题企业处置项" in words(printed)
    assert "record.typ:3" in logs[0]["reason"] and logs[0]["mend"] == "./manage papers check"
    (press.templates / "self-check-sale.typ").write_text("")

    class Given:
        settings = Settings(data_dir=tmp_path)

    done = CliRunner().invoke(papers, ["check"], obj=Given())
    assert (
        done.exit_code == 1
        and "record.typ:3" in done.output
        and "self-check-sale.typ：没有同名的内置模板" in done.output
    )
    copied = CliRunner().invoke(papers, ["copy", "self-check-sales.typ"], obj=Given())
    assert copied.exit_code == 0 and (press.templates / "self-check-sales.typ").is_file()
    assert CliRunner().invoke(papers, ["copy", "self-check-sales.typ"], obj=Given()).exit_code == 1


def test_of_many_papers_one_that_no_font_can_draw_is_named_and_the_others_are_printed(press: Press) -> None:
    outcomes = press.pdfs([paper(office="甲局"), paper(office="\U00030729局"), paper(office="乙局")])
    assert isinstance(outcomes[1], CharactersMissing) and "U+30729" in str(outcomes[1])
    assert [isinstance(one, bytes) for one in outcomes] == [True, False, True]
    assert "乙局" in words(outcomes[2] if isinstance(outcomes[2], bytes) else b"")


def test_forty_photos_stand_after_the_record_eight_to_a_page_and_no_larger_than_they_are_printed(press: Press) -> None:
    names = [f"photo-{number}.jpg" for number in range(40)]
    without = pages(press.pdf(paper()))
    made = paper(photos=[{"label": "现场照片", "files": names}])
    printed = press.pdf(Paper(made.number, made.template, made.data, photos=dict.fromkeys(names, "key")))
    assert pages(printed) == without + 5 and "现场照片（40）" in words(printed)
    sizes = {
        one.get_px_size() for page in pypdfium2.PdfDocument(printed)
        for one in page.get_objects([pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])
    }  # fmt: skip
    assert sizes and max(max(size) for size in sizes) <= PHOTO_SIDE


def test_names_of_sixty_characters_and_a_word_without_blanks_stay_on_the_paper(press: Press) -> None:
    name, word = "常州市天宁区" * 10, "A1" * 60
    printed = press.pdf(paper(head=[["企业名称", name], ["批号", word], ["检查人员", "甲、乙"]]))
    assert name in words(printed) and word in words(printed)
    page = pypdfium2.PdfDocument(printed)[0]
    text = page.get_textpage()
    assert all(text.get_charbox(place)[2] <= page.get_width() - 40 for place in range(text.count_chars()))
