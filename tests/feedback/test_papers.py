"""Posters and table signs: read by phones, in good type, nothing upon anything else, however long the names are."""

import functools
import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from PIL import ImageChops

from assets.files.storage import open_storage
from assets.paper import compile_worker, fonts
from assets.paper.fonts import CharactersMissing, FontMissing, Fonts, Weight
from assets.paper.limits import Form
from assets.paper.made_pictures import MadePictures
from core.config import Settings
from feedback.codes import pictures
from feedback.codes.catalogue import LEVELS
from feedback.codes.operations import LENGTHS
from feedback.codes.pictures import PAPERS, paper_data
from feedback.models import RatingCode
from tests.assets.qr_pictures import ADDRESS, decoded, halved, opened, printed, smudged
from tests.assets.small_fonts import CHINESE, REGULAR, write_font
from tests.rounds import others_in_rounds

Data = dict[str, Any]

TITLE, INSTRUCTION = "政务服务“好差评”", "请使用微信、支付宝或手机浏览器扫一扫，对本次服务作出评价"
SMALL_PRINT = "同一手机号5天内只能填报一次"
USUAL = paper_data(ADDRESS, "食品相关产品生产许可证核发（新办）", "合肥市市场监督管理局", "政务服务中心三楼 12 号窗口")
MATTER = (
    "工业产品生产许可证（食品相关产品）新办、变更、延续，以及“迁址”办理与检验检测机构资质认定、特种设备使用登记、"
    "承装（修、试）电力设施许可、强制性产品认证免办等事项的综合受理、咨询、补正、送达与打印服务；"
)
OFFICE = (
    "新疆维吾尔自治区克孜勒苏柯尔克孜自治州阿克陶县市场监督管理局"
    "（知识产权局、食品安全委员会办公室）综合行政执法大队第三中队"
)
WINDOW = "阿克陶县政务服务中心一楼综合服务大厅东侧“一件事一次办”专区第 12 号窗口"
LONG = paper_data(ADDRESS, (MATTER * 3)[: LENGTHS["matter_name"]], OFFICE, WINDOW)
LONGEST = paper_data(
    ADDRESS, (MATTER * 3)[: LENGTHS["matter_name"]], (OFFICE * 2)[:100], (WINDOW * 2)[: LENGTHS["window"]]
)
BEYOND = paper_data(ADDRESS, MATTER * 5, "a" * 300, WINDOW * 3)
BARE = paper_data(ADDRESS, "", "", "12 号窗口")
PLAIN = paper_data(ADDRESS, "营业执照办理", "合肥市市场监督管理局", "")
ALL = {"usual": USUAL, "long": LONG, "longest": LONGEST, "beyond": BEYOND, "bare": BARE, "plain": PLAIN}
PAPER = ("poster", "sign")


def made(what: str, data: Data, form: Form = "pdf") -> bytes:
    return made_once(what, json.dumps(data), form)


@functools.cache
def made_once(what: str, data: str, form: Form) -> bytes:
    return made_with(fonts.installed(), what, json.loads(data), form)


def made_with(of: Fonts, what: str, data: Data, form: Form = "pdf") -> bytes:
    """Compiled in this process, as the child process does it."""
    template, shaped = PAPERS / f"{what}.typ", compile_worker.printable(data)
    faces = compile_worker.needed_faces(template, shaped, of)
    return compile_worker.compiled(template, shaped, form, faces)


@pytest.fixture(autouse=True)
def _a_font() -> None:
    try:
        fonts.load(Weight.REGULAR)
    except FontMissing:
        pytest.skip("no Chinese font on this machine: python -m assets.paper.fetch_fonts")


@pytest.fixture(params=PAPER)
def what(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("name", others_in_rounds(["usual", "longest", "bare"], "longest"))
def test_the_code_is_read_from_png_and_pdf_also_at_half_size_and_smudged(what: str, name: str) -> None:
    for picture in (opened(made(what, ALL[name], "png")), printed(made(what, ALL[name]), 150)):
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


@pytest.mark.parametrize("name", ["usual", "long", "longest", "plain", "bare"])
def test_everything_stands_on_it_in_full_and_can_be_copied(what: str, name: str) -> None:
    data, text = ALL[name], words(made(what, ALL[name]))
    named = (data["matter"], data["bureau"], data["window"], TITLE, INSTRUCTION, SMALL_PRINT)
    for part in (*named, *LEVELS.values()):
        assert part.replace(" ", "") in text
    assert "…" not in text


def test_what_has_no_room_even_in_the_smallest_type_ends_in_an_ellipsis(what: str) -> None:
    text = words(made(what, BEYOND))
    assert text.count("…") >= 2 and MATTER[:80] in text and INSTRUCTION in text


Box = tuple[float, float, float, float]


def lines_of(pdf: bytes) -> list[tuple[str, Box]]:
    """Each line with the box of its ink, in points from the lower left corner: letters side by side of one height."""
    document = pypdfium2.PdfDocument(pdf)
    lines: list[tuple[str, Box]] = []
    try:
        page = document[0].get_textpage()
        for number in range(page.count_chars()):
            letter, (left, low, right, high) = page.get_text_range(number, 1), page.get_charbox(number)
            if letter.isspace() or not letter:
                continue
            if lines:
                text, box = lines[-1]
                beside = -1 <= left - box[2] < 3 * (high - low + 4)
                if beside and min(high, box[3]) - max(low, box[1]) > -4:
                    lines[-1] = text + letter, (box[0], min(low, box[1]), right, max(high, box[3]))
                    continue
            lines.append((letter, (left, low, right, high)))
    finally:
        document.close()
    return lines


def code_box(pdf: bytes) -> Box:
    """The frame of the code: the largest square path, in points from the lower left corner."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        squares = []
        for found in document[0].get_objects([pypdfium2.raw.FPDF_PAGEOBJ_PATH]):
            left, low, right, high = found.get_bounds()
            if abs((right - left) - (high - low)) < 1:
                squares.append((left, low, right, high))
        return max(squares, key=lambda box: box[2] - box[0])
    finally:
        document.close()


def overlap(one: Box, other: Box) -> bool:
    return min(one[2], other[2]) - max(one[0], other[0]) > 0.1 and min(one[3], other[3]) - max(one[1], other[1]) > 0.1


@pytest.mark.parametrize("name", ALL)
def test_no_text_stands_upon_another_or_upon_the_code(what: str, name: str) -> None:
    pdf = made(what, ALL[name])
    lines = lines_of(pdf)
    assert len(lines) >= 9
    assert [(a[0], b[0]) for a, b in combinations(lines, 2) if overlap(a[1], b[1])] == []
    code = code_box(pdf)
    assert code[2] - code[0] > (200 if what == "poster" else 180)
    assert [text for text, box in lines if overlap(box, code)] == []


@pytest.mark.parametrize("name", ["usual", "long", "longest", "beyond"])
def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one(what: str, name: str) -> None:
    for text, _ in lines_of(made(what, ALL[name])):
        assert text[0] not in "、，。；：？！）】》”…" and text[-1] not in "（【《“", text


def test_lines_break_at_punctuation_and_no_single_character_is_left_over(what: str) -> None:
    texts = [text for text, _ in lines_of(made(what, USUAL))]
    assert {"食品相关产品生产许可证核发", "（新办）"} < set(texts)
    assert {"请使用微信、支付宝或手机浏览器扫一扫，", "对本次服务作出评价"} < set(texts)
    many = paper_data(ADDRESS, "特种设备使用登记证以及压力容器使用登记证", "", "")
    heading = [text for text, _ in lines_of(made("sign", many)) if text in many["matter"]]
    assert len(heading) == 2 and abs(len(heading[0]) - len(heading[1])) <= 2


def test_nothing_reaches_the_edge_of_the_paper(what: str) -> None:
    for data in ALL.values():
        picture = opened(made(what, data, "png"))
        blank = picture.copy()
        blank.paste("white", (0, 0, *picture.size))
        left, top, right, bottom = ImageChops.difference(picture, blank).getbbox()
        assert min(left, top, picture.width - right, picture.height - bottom) >= 50
        # Type keeps to the width of the band.
        assert abs(left - (picture.width - right)) <= 1


@pytest.mark.parametrize(
    ("what", "millimetres", "dots"), [("poster", (210, 297), (1654, 2339)), ("sign", (210, 148), (1654, 1166))]
)
def test_the_paper_is_a4_upright_and_a5_lying_at_200_dots_to_an_inch(
    what: str, millimetres: tuple[int, int], dots: tuple[int, int]
) -> None:
    document = pypdfium2.PdfDocument(made(what, USUAL))
    size = [points / 72 * 25.4 for points in document[0].get_size()]
    document.close()
    assert size == pytest.approx(millimetres, abs=0.5)
    assert opened(made(what, USUAL, "png")).size == dots


@pytest.mark.parametrize("name", ALL)
def test_the_code_is_sharp_in_the_png_and_drawn_as_lines_in_the_pdf(what: str, name: str) -> None:
    document = pypdfium2.PdfDocument(made(what, ALL[name]))
    kinds = {found.type for found in document[0].get_objects()}
    document.close()
    assert kinds <= {pypdfium2.raw.FPDF_PAGEOBJ_PATH, pypdfium2.raw.FPDF_PAGEOBJ_TEXT}
    picture = opened(made(what, ALL[name], "png")).convert("L")
    (code,) = zxingcpp.read_barcodes(picture)
    inner = picture.crop((code.position.top_left.x, code.position.top_left.y,
                          code.position.bottom_right.x, code.position.bottom_right.y))  # fmt: skip
    # Modules are whole dots at whole dots: there is no grey.
    assert set(inner.tobytes()) == {0, 255}


def test_markup_and_control_characters_in_a_name_are_drawn_as_text(what: str) -> None:
    text = words(made(what, paper_data(ADDRESS, "<b>甲</b>\x00&amp;\u202e#乙*丙*", "", "")))
    assert "<b>甲</b>&amp;#乙*丙*" in text


def test_rare_characters_of_names_are_drawn(what: str) -> None:
    assert "张䶮李𬭊" in words(made(what, paper_data(ADDRESS, "张䶮李𬭊", "", "")))


def test_a_character_that_no_font_has_is_refused_by_name(what: str) -> None:
    with pytest.raises(CharactersMissing, match=r"U\+E000"):
        made_with(Fonts(fonts.SET_UP_FOLDER, [], fontconfig=False), what, USUAL | {"matter": "甲\ue000乙"})


def test_without_any_font_the_refusal_says_what_to_install(what: str, tmp_path: Path) -> None:
    with pytest.raises(FontMissing, match="fonts-noto-cjk"):
        made_with(Fonts(tmp_path, [], fontconfig=False), what, USUAL)


@pytest.mark.parametrize("postscript", [False, True], ids=["truetype", "postscript"])
def test_a_font_with_either_kind_of_outlines_will_do(what: str, tmp_path: Path, postscript: bool) -> None:
    ours = "".join(c for path in PAPERS.glob("*.typ") for c in path.read_text("utf-8") if c > "\x7f")
    given = "".join([USUAL["matter"], USUAL["bureau"], USUAL["window"], *LEVELS.values(), *map(chr, range(33, 127))])
    write_font(tmp_path / REGULAR, "".join(sorted(set(CHINESE + ours + given))), postscript=postscript)
    pdf = made_with(Fonts(tmp_path, [], fontconfig=False), what, USUAL)
    assert USUAL["bureau"] in words(pdf)
    assert decoded(printed(pdf)) == ADDRESS


# The code with a caption, and what the endpoints ask for.


@pytest.fixture
def kept(tmp_path: Path) -> MadePictures:
    return MadePictures(open_storage(Settings(data_dir=tmp_path)), tmp_path / "incoming")


def code_of(matter: str) -> RatingCode:
    return RatingCode(matter_name=matter, org_name="合肥市市场监督管理局", window=None)


@pytest.mark.parametrize("size", [120, 333, 400, 1001])
def test_a_caption_stands_below_the_code(kept: MadePictures, size: int) -> None:
    plain = opened(kept.qr_png(ADDRESS, size=size))
    named = opened(pictures.captioned_code(kept, code_of("食品相关产品生产许可证核发\n（新办）"), ADDRESS, size))
    assert named.crop((0, 0, size, size)).tobytes() == plain.tobytes()
    assert named.width == size < named.height
    ink = named.crop((0, size, size, named.height)).convert("L").point(lambda value: 255 - value).getbbox()
    assert ink is not None
    assert min(ink[0], size - ink[2], named.height - size - ink[3]) >= 3
    assert decoded(named) == ADDRESS


def test_of_a_long_caption_three_lines_are_shown(kept: MadePictures) -> None:
    named = opened(pictures.captioned_code(kept, code_of(MATTER * 3), ADDRESS, 400))
    assert named.height < 400 + 4 * 1.4 * 22 + 40 and decoded(named) == ADDRESS


def test_the_papers_of_a_code_are_made_in_a_child_process_and_kept(kept: MadePictures) -> None:
    code = code_of("食品经营许可")
    for what in PAPER:
        png, pdf = (pictures.paper(kept, code, ADDRESS, what, form) for form in ("png", "pdf"))
        assert decoded(opened(png)) == decoded(printed(pdf)) == ADDRESS
        data = paper_data(ADDRESS, "食品经营许可", "合肥市市场监督管理局", "")
        assert (png, pdf) == (made(what, data, "png"), made(what, data, "pdf"))
        assert pictures.paper(kept, code, ADDRESS, what, "png") is png
