"""Posters and table signs: read by phones, in good type, the same as PDF and as PNG."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from PIL import ImageChops

from assets.paper import fonts, made_pictures, posters
from assets.paper.fonts import CharactersMissing, FontMissing, Fonts, Weight
from assets.paper.poster_layouts import WORDS
from assets.paper.poster_text import INSTRUCTION, SLOGAN, SMALL_PRINT, TITLE, Poster
from assets.paper.rating_faces import LEVELS
from tests.assets.qr_pictures import ADDRESS, decoded, halved, opened, printed, smudged
from tests.assets.small_fonts import CHINESE, REGULAR, write_font

USUAL = Poster(ADDRESS, "食品相关产品生产许可证核发（新办）", "合肥市市场监督管理局", "政务服务中心三楼 12 号窗口")
LONG = Poster(
    ADDRESS,
    "工业产品生产许可证（食品相关产品）新办、变更、延续，以及“迁址”办理与检验检测机构资质认定、特种设备使用登记、"
    "承装（修、试）电力设施许可、强制性产品认证免办等事项的综合受理、咨询、补正、送达与打印服务",
    "新疆维吾尔自治区克孜勒苏柯尔克孜自治州阿克陶县市场监督管理局（知识产权局）",
    "阿克陶县政务服务中心一楼综合服务大厅东侧“一件事一次办”专区第 12 号窗口",
)
MAKERS = {"poster": (posters.poster_pdf, posters.poster_png), "sign": (posters.sign_pdf, posters.sign_png)}
Maker = Callable[..., bytes]


@pytest.fixture(autouse=True)
def _a_font() -> None:
    try:
        fonts.load(Weight.REGULAR)
    except FontMissing:
        pytest.skip("no Chinese font on this machine: python -m assets.paper.fetch_fonts")


@pytest.fixture(params=MAKERS)
def pdf(request: pytest.FixtureRequest) -> Maker:
    return MAKERS[request.param][0]


@pytest.fixture(params=MAKERS)
def png(request: pytest.FixtureRequest) -> Maker:
    return MAKERS[request.param][1]


@pytest.mark.parametrize("poster", [USUAL, LONG, Poster(ADDRESS, window="12 号窗口")], ids=["usual", "long", "short"])
def test_the_code_is_read_from_png_and_pdf_also_at_half_size_and_smudged(pdf: Maker, poster: Poster) -> None:
    made = pdf(poster)
    for picture in (opened(posters.rasterised(made)), printed(made, 150)):
        for held in (picture, smudged(picture, "white"), smudged(picture, "black")):
            assert decoded(held) == ADDRESS
            assert decoded(halved(held)) == ADDRESS


def words(pdf: bytes) -> str:
    """The text as a reader would copy it, without breaks."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        assert len(document) == 1
        return re.sub(r"\s", "", document[0].get_textpage().get_text_range())
    finally:
        document.close()


@pytest.mark.parametrize("poster", [USUAL, LONG], ids=["usual", "long"])
def test_everything_stands_on_it_in_full_and_can_be_copied(pdf: Maker, poster: Poster) -> None:
    text = words(pdf(poster))
    named = (poster.matter, poster.bureau, poster.window, TITLE, INSTRUCTION, SMALL_PRINT)
    for part in (*named, "非常满意", "基本满意", "非常不满意"):
        assert part.replace(" ", "") in text


def test_names_of_a_hundred_characters_fit(pdf: Maker) -> None:
    assert len(LONG.matter) >= 100
    assert "…" not in words(pdf(LONG))
    assert "…" in words(pdf(replace(LONG, matter=LONG.matter * 4)))


def test_nothing_reaches_the_edge_of_the_paper(png: Maker) -> None:
    for poster in (USUAL, LONG, replace(LONG, matter=LONG.matter * 4, bureau="a" * 300)):
        picture = opened(png(poster))
        blank = picture.copy()
        blank.paste("white", (0, 0, *picture.size))
        left, top, right, bottom = ImageChops.difference(picture, blank).getbbox()
        assert min(left, top, picture.width - right, picture.height - bottom) >= 50
        # Type keeps to the width of the band.
        assert left == picture.width - right


@pytest.mark.parametrize(("what", "width", "height"), [("poster", 210, 297), ("sign", 210, 148)])
def test_the_paper_is_a4_upright_and_a5_lying_at_200_dots_to_an_inch(what: str, width: int, height: int) -> None:
    make_pdf, make_png = MAKERS[what]
    document = pypdfium2.PdfDocument(make_pdf(USUAL))
    size = [points / 72 * 25.4 for points in document[0].get_size()]
    document.close()
    assert size == pytest.approx([width, height], abs=0.5)
    picture = opened(make_png(USUAL))
    assert [dots / 200 * 25.4 for dots in picture.size] == pytest.approx([width, height], abs=0.5)


def test_the_code_is_sharp_in_the_png_and_drawn_as_lines_in_the_pdf(pdf: Maker) -> None:
    made = pdf(USUAL)
    document = pypdfium2.PdfDocument(made)
    kinds = {found.type for found in document[0].get_objects()}
    document.close()
    assert kinds == {pypdfium2.raw.FPDF_PAGEOBJ_PATH, pypdfium2.raw.FPDF_PAGEOBJ_TEXT}
    assert made.count(b"/FontFile2") >= 2
    picture = opened(posters.rasterised(made)).convert("L")
    (code,) = zxingcpp.read_barcodes(picture)
    inner = picture.crop((code.position.top_left.x, code.position.top_left.y,
                          code.position.bottom_right.x, code.position.bottom_right.y))  # fmt: skip
    # Modules lie on dots: no grey but what the renderer rounds.
    assert set(inner.tobytes()) <= {0, 1, 2, 253, 254, 255}


@pytest.mark.parametrize("what", MAKERS)
def test_a_poster_made_after_others_is_the_one_that_a_fresh_process_makes(what: made_pictures.What) -> None:
    """reportlab takes a font that it knows by name: the letters of the poster before, and empty boxes for others."""
    make_pdf, _ = MAKERS[what]
    make_pdf(USUAL)
    assert make_pdf(LONG) == made_pictures._draw(what, "pdf", LONG)
    assert make_pdf(USUAL) == made_pictures._draw(what, "pdf", USUAL)


def test_markup_and_control_characters_in_a_name_are_drawn_as_text(pdf: Maker) -> None:
    text = words(pdf(replace(USUAL, matter="<b>甲</b>\x00&amp;\u202e乙")))
    assert "<b>甲</b>&amp;乙" in text


def test_a_character_that_no_font_has_is_refused_by_name(pdf: Maker) -> None:
    with pytest.raises(CharactersMissing, match=r"U\+E000"):
        pdf(replace(USUAL, matter="甲\ue000乙"), Fonts(fonts.SET_UP_FOLDER, fonts.SYSTEM_FOLDERS, fontconfig=False))


def test_without_any_font_the_refusal_says_what_to_install(pdf: Maker, tmp_path: Path) -> None:
    with pytest.raises(FontMissing, match="fonts-noto-cjk"):
        pdf(USUAL, Fonts(tmp_path, [], fontconfig=False))


@pytest.mark.parametrize("postscript", [False, True], ids=["truetype", "postscript"])
def test_a_font_with_either_kind_of_outlines_will_do(pdf: Maker, tmp_path: Path, postscript: bool) -> None:
    ours = "".join((TITLE, INSTRUCTION, SMALL_PRINT, SLOGAN, *WORDS, *LEVELS, "…"))
    given = USUAL.matter + USUAL.bureau + USUAL.window + "".join(map(chr, range(33, 127)))
    write_font(tmp_path / REGULAR, "".join(sorted(set(CHINESE + ours + given) - {" "})), postscript=postscript)
    made = pdf(USUAL, Fonts(tmp_path, [], fontconfig=False))
    assert USUAL.bureau in words(made)
    assert decoded(printed(made)) == ADDRESS
