"""An inspector's check on the phone, from home to 已提交: presses, conditions, faults, drafts, forms of any length."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.app import Bureau, build_if_stale, violations
from tests.browser.checks import PRODUCTION_NO, SALES, at_home, begin, records, submit, visited
from tests.browser.inspector import COUNTY, Inspector, shop
from tests.demo_folder import demo_folder
from tests.rounds import others_in_rounds
from tests.servers import running_server

Phone = Callable[..., Page]
LOOKS = ("light", "dark", "light, 关怀版", "dark, 关怀版")


@pytest.fixture(scope="module")
def bureau(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    build_if_stale()
    data_dir = demo_folder(tmp_path_factory, "bureau")
    with running_server(data_dir, DEMO="1") as base:
        yield Bureau(base, data_dir)


@pytest.mark.only_in_rounds
def test_a_known_shop_without_problems_takes_fourteen_presses_and_nothing_typed(bureau: Bureau, phone: Phone) -> None:
    known = shop(bureau, 0)
    visited(bureau, "sales", known, ["李敏", "王强"])
    inspector = at_home(bureau, phone(height=812))
    begin(inspector, "销售企业检查", known)
    for no, word in SALES.items():
        inspector.answer(no, word)
    expect(inspector.item("1.1")).to_contain_text("上次（")
    inspector.button("去核对")
    submit(inspector)
    assert inspector.presses == 14
    (record,) = records(bureau, known)
    assert record["problems_found"] is False


@pytest.mark.only_in_rounds
def test_three_signatures_and_a_photo_make_twenty_four_presses(bureau: Bureau, phone: Phone) -> None:
    known = shop(bureau, 1)
    visited(bureau, "sales", known, ["李敏", "王强", "赵六"])
    inspector = at_home(bureau, phone(height=812))
    begin(inspector, "销售企业检查", known)
    for no, word in SALES.items():
        inspector.answer(no, word)
    inspector.photograph()
    expect(inspector.page.get_by_role("button", name="第 1 张照片")).to_be_visible()
    inspector.button("去核对")
    inspector.sign(3)
    expect(inspector.page.locator(".app-main")).to_contain_text("照片 1 张，签名 3 人")
    submit(inspector)
    assert inspector.presses == 24
    (record,) = records(bureau, known)
    full = bureau.call(COUNTY, "GET", f"/inspections/{record['id']}")
    assert (len(full["photos"]), len(full["signatures"])) == (1, 3)


@pytest.mark.only_in_rounds
def test_after_a_quick_stroke_of_a_finger_the_first_tap_on_the_button_counts(bureau: Bureau, phone: Phone) -> None:
    known = shop(bureau, 3)
    visited(bureau, "sales", known, ["李敏", "王强"])
    inspector = at_home(bureau, phone(height=812))
    begin(inspector, "销售企业检查", known)
    for no, word in SALES.items():
        inspector.answer(no, word)
    inspector.button("去核对")
    inspector.button("签名")
    page = inspector.page
    devtools = page.context.new_cdp_session(page)

    def touch(kind: str, *at: float) -> None:
        points = [{"x": at[0], "y": at[1]}] if at else []
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    for _ in range(2):
        pad = page.locator(".pad-canvas")
        whose, box = str(pad.get_attribute("aria-label")), pad.bounding_box()
        foot = page.locator(".pad-foot .solid-button").bounding_box()
        assert box is not None and foot is not None
        touch("touchStart", box["x"] + 40, box["y"] + 60)
        for step in range(1, 5):
            touch("touchMove", box["x"] + 40 + 50 * step, box["y"] + 60 + 40 * step)
        touch("touchEnd")
        touch("touchStart", foot["x"] + foot["width"] / 2, foot["y"] + foot["height"] / 2)
        touch("touchEnd")
        expect(page.get_by_role("img", name=whose)).to_have_count(0)


@pytest.mark.only_in_rounds
def test_a_production_check_takes_twenty_three_presses(bureau: Bureau, phone: Phone) -> None:
    known = shop(bureau, 2)
    visited(bureau, "production", known, ["李敏", "王强"])
    inspector = at_home(bureau, phone(height=812))
    begin(inspector, "生产企业检查", known)
    definition = bureau.call(COUNTY, "GET", "/forms/gpc-production")
    for section in definition["sections"]:
        for item in section["items"]:
            if item.get("no") == "4.1.methods":
                inspector.press(inspector.page.get_by_role("checkbox", name="自检"))
            elif "no" in item and item["type"] == "choice":
                inspector.answer(item["no"], "否" if item["no"] in PRODUCTION_NO else "是")
    inspector.button("去核对")
    submit(inspector)
    assert inspector.presses == 23


def test_a_problem_opens_its_text_and_the_disposals_and_what_is_open_is_counted(bureau: Bureau, phone: Phone) -> None:
    known = shop(bureau, 3)
    visited(bureau, "sales", known, ["李敏", "王强"])
    inspector = at_home(bureau, phone(height=812))
    page = inspector.page
    begin(inspector, "销售企业检查", known)
    expect(page.locator("#at-disposals-4_2e1")).to_have_count(0)
    inspector.answer("1.3", "否")
    expect(inspector.item("1.3")).to_contain_text("记为问题")
    expect(inspector.item("1.3")).to_contain_text("，与本次不同")
    expect(page.locator("[role=status].only-read-aloud")).to_contain_text("记为问题，新增 3 项")
    expect(page.locator("#at-disposals-4_2e1")).to_have_count(1)
    page.locator("#at-answers-1_2e3_2eproblem textarea").fill("近三个月无进货记录")
    page.get_by_role("button", name="目录 1/11").tap()
    page.get_by_role("dialog").get_by_role("button", name="去核对").tap()
    expect(page.get_by_role("heading", name="还有 10 处需要处理")).to_be_visible()
    expect(page).to_have_title("还有 10 处 · 销售企业检查")
    page.get_by_role("link", name="4.2 请选择“是否立案查处”").tap()
    expect(page.locator("#at-disposals-4_2e2")).to_be_in_viewport()
    for no, word in SALES.items():
        if no != "1.3":
            inspector.answer(no, word)
    inspector.answer("4.1", "办理中", "disposals")
    inspector.answer("4.2", "不适用", "disposals")
    expect(page.get_by_role("alert")).to_have_count(0)
    inspector.button("去核对")
    main = page.locator(".app-main")
    expect(main).to_contain_text("可以提交")
    expect(main).to_contain_text("近三个月无进货记录")
    expect(main).to_contain_text("是 → 否")
    submit(inspector)
    expect(main).to_contain_text("办结后，请在“信息查看”打开这条记录，点“更新处置”")


def test_a_draft_is_there_again_after_the_page_was_closed_in_the_middle_of_a_word(bureau: Bureau, phone: Phone) -> None:
    known = shop(bureau, 4)
    visited(bureau, "sales", known, ["李敏", "王强"])
    inspector = at_home(bureau, phone(height=812))
    page = inspector.page
    begin(inspector, "销售企业检查", known)
    inspector.answer("1.1", "是")
    inspector.answer("1.2", "否")
    page.locator("#at-answers-1_2e2_2eproblem textarea").fill("没有验收记")
    expect(page.locator(".entry-saved")).to_contain_text("已存手机")
    page.reload()
    expect(inspector.item("1.1").get_by_role("radio", name="是")).to_have_attribute("aria-checked", "true")
    expect(page.locator("#at-answers-1_2e2_2eproblem textarea")).to_have_value("没有验收记")
    assert records(bureau, known) == []


@pytest.mark.only_in_rounds
def test_what_is_typed_right_after_the_page_moved_is_kept(bureau: Bureau, phone: Phone) -> None:
    known = shop(bureau, 5)
    visited(bureau, "sales", known, ["李敏", "王强"])
    inspector = at_home(bureau, phone(height=420))
    page = inspector.page
    begin(inspector, "销售企业检查", known)
    inspector.answer("1.2", "否")
    page.evaluate(
        "for (const set of [setTimeout]) window.setTimeout = (f, ms, ...a) => (ms === 300 ? 0 : set(f, ms, ...a))"
    )
    inspector.answer("2.1", "是")
    too_soon = inspector.item("1.1").get_by_role("radio", name="是", exact=True)
    too_soon.dispatch_event("click")
    expect(too_soon).to_have_attribute("aria-checked", "false")
    page.locator("#at-answers-1_2e2_2eproblem textarea").fill("没有验收记录")
    expect(page.locator(".entry-saved")).to_contain_text("已存手机")
    page.reload()
    expect(page.locator("#at-answers-1_2e2_2eproblem textarea")).to_have_value("没有验收记录")


@pytest.mark.only_in_rounds
def test_without_a_network_a_check_is_begun_filled_in_and_waits(bureau: Bureau, phone: Phone) -> None:
    known = shop(bureau, 5)
    visited(bureau, "sales", known, ["李敏", "王强"])
    inspector = at_home(bureau, phone(height=812, service_workers="allow"))
    page = inspector.page
    # The app's own files are kept as well; from then on the browser asks no server for them.
    page.wait_for_function("navigator.serviceWorker.ready.then(kept => kept.active?.state === 'activated')")
    page.reload()
    page.goto(f"{bureau.base}/app/#/pages/entry/start?form=gpc-sales")
    inspector.scan(known["uscc"])
    expect(page.get_by_role("button", name="核对无误，继续")).to_be_visible()
    page.context.set_offline(True)
    inspector.button("核对无误，继续")
    for no, word in SALES.items():
        inspector.answer(no, word)
    inspector.button("去核对")
    inspector.button("提交")
    expect(page.locator(".app-main")).to_contain_text("可以去下一家，联网后自动提交。")
    page.context.set_offline(False)
    expect(page.get_by_role("heading", name="已提交")).to_be_visible()
    assert len(records(bureau, known)) == 1


@pytest.mark.only_in_rounds
def test_a_code_without_a_credit_code_says_so_and_opens_typing(bureau: Bureau, phone: Phone) -> None:
    page = phone(height=812)
    inspector = Inspector(bureau, page)
    inspector.open("/pages/entry/start?form=gpc-sales")
    inspector.scan("NOTHING")
    expect(page.get_by_text("这个二维码里没有信用代码。请输入执照上的 18 位代码，或按名称查找。")).to_be_visible()
    expect(page.locator("#enterprise-input")).to_be_focused()


@pytest.mark.only_in_rounds
def test_what_cannot_be_inspected_needs_a_reason_alone(bureau: Bureau, phone: Phone) -> None:
    known = shop(bureau, 6)
    visited(bureau, "sales", known, ["李敏", "王强"])
    inspector = at_home(bureau, phone(height=812))
    page = inspector.page
    page.goto(f"{bureau.base}/app/#/pages/entry/start?form=gpc-sales")
    inspector.scan(known["uscc"])
    page.locator("#at-unable").get_by_role("radio", name="是", exact=True).tap()
    page.get_by_role("radio", name="企业拒绝检查").tap()
    inspector.button("去核对")
    submit(inspector)
    (record,) = records(bureau, known)
    assert record["unable"] is True


@pytest.mark.only_in_rounds
def test_the_same_check_again_is_asked_about_before_it_is_sent(bureau: Bureau, phone: Phone) -> None:
    known = shop(bureau, 7)
    visited(bureau, "sales", known, ["李敏", "王强"])
    page = phone(height=812)
    for round_ in (1, 2):
        inspector = Inspector(bureau, page)
        inspector.open("/pages/entry/start?form=gpc-sales") if round_ == 1 else inspector.button("再查一家")
        inspector.scan(known["uscc"])
        if round_ == 2:
            expect(page.locator(".app-main")).to_contain_text("这家企业今天已有一条销售企业检查")
        inspector.button("核对无误，继续")
        for no, word in SALES.items():
            inspector.answer(no, word)
        inspector.button("去核对")
        if round_ == 2:
            inspector.button("提交")
            expect(page.get_by_role("alert")).to_contain_text("请先回答上面的问题，再提交")
            inspector.button("仍然提交")
        submit(inspector)
    assert len(records(bureau, known)) == 2


def long_form(count: int) -> dict[str, Any]:
    """A form of many questions, as any server may offer one."""
    yes_no = [{"value": "yes", "label": "是"}, {"value": "no", "label": "否"}]
    head = [
        {"field": "uscc", "text": "统一社会信用代码", "type": "uscc"},
        {"field": "org_name", "text": "企业名称", "type": "text", "required": True},
    ]
    return {
        "code": "gpc-sales", "version": 2, "title": "很长的检查表", "kind": "sales",
        "sections": [
            {"code": "enterprise", "title": "企业", "items": head},
            *(
                {"code": str(part), "title": f"第{part}部分", "items": [
                    {"no": f"{part}.{one}", "text": f"第 {part}.{one} 问是否符合要求", "type": "choice",
                     "required": True, "problem_when": ["no"], "options": yes_no}
                    for one in range(1, 11)
                ]}
                for part in range(1, count // 10 + 1)
            ),
        ],
    }  # fmt: skip


def serve_form(page: Page, definition: dict[str, Any]) -> None:
    """The server offers this form instead of its own."""

    def answer(route: Route) -> None:
        route.fulfill(status=200, content_type="application/json", body=json.dumps(definition))

    page.route("**/api/v1/forms/gpc-sales*", answer)


@pytest.mark.only_in_rounds
def test_in_a_form_of_sixty_items_an_answer_draws_its_own_item_alone(bureau: Bureau, phone: Phone) -> None:
    page = phone(height=812)
    serve_form(page, long_form(60))
    inspector = Inspector(bureau, page)
    inspector.open("/pages/entry/start?form=gpc-sales")
    inspector.scan(shop(bureau, 8)["uscc"])
    inspector.button("核对无误，继续")
    expect(page.locator(".form-item")).to_have_count(60)
    page.evaluate(
        """() => {
          window.drawn = new Set()
          const note = changes => changes.forEach(({target}) => {
            const item = (target.nodeType === 1 ? target : target.parentElement)?.closest('.form-item')
            if (item) window.drawn.add(item.id)
          })
          new MutationObserver(note).observe(document.body,
            {subtree: true, childList: true, characterData: true, attributes: true})
        }"""
    )
    inspector.answer("3.5", "是")
    expect(page.get_by_role("button", name="目录 1/60")).to_be_visible()
    assert page.evaluate("() => [...window.drawn]") == ["at-answers-3_2e5"]
    page.locator(".app-foot .solid-button").tap()
    expect(inspector.item("3.6")).to_be_in_viewport(ratio=1)


@pytest.mark.only_in_rounds
def test_after_an_answer_the_next_item_comes_into_sight_and_the_head_covers_nothing(
    bureau: Bureau, phone: Phone
) -> None:
    page = phone(height=700)
    serve_form(page, long_form(20))
    inspector = Inspector(bureau, page)
    inspector.open("/pages/entry/start?form=gpc-sales")
    inspector.scan(shop(bureau, 9)["uscc"])
    inspector.button("核对无误，继续")
    for one in range(1, 10):
        inspector.answer(f"1.{one}", "是")
        following = inspector.item(f"1.{one + 1}")
        expect(following).to_be_in_viewport(ratio=1)
    box, head = inspector.item("1.10").bounding_box(), page.locator(".app-head").bounding_box()
    assert box and head and box["y"] >= head["height"]
    assert head["height"] <= 122


def test_with_the_keyboard_arrows_move_space_chooses_and_the_page_stands_still(bureau: Bureau, phone: Phone) -> None:
    page = phone(height=700)
    serve_form(page, long_form(20))
    inspector = Inspector(bureau, page)
    inspector.open("/pages/entry/start?form=gpc-sales")
    inspector.scan(shop(bureau, 9)["uscc"])
    expect(page.get_by_role("button", name="核对无误，继续")).to_be_visible()
    inspector.button("核对无误，继续")
    choice = inspector.item("1.3").get_by_role("radio", name="是", exact=True)
    choice.focus()
    page.keyboard.press("ArrowRight")
    other = inspector.item("1.3").get_by_role("radio", name="否", exact=True)
    expect(other).to_be_focused()
    expect(other).to_have_attribute("aria-checked", "false")
    before = page.evaluate("scrollY")
    page.keyboard.press("Space")
    expect(other).to_have_attribute("aria-checked", "true")
    expect(other).to_be_focused()
    assert page.evaluate("scrollY") == before
    assert page.get_by_role("radiogroup", name="1.3 第 1.3 问是否符合要求").count() == 1


def test_a_spot_check_with_verdicts_and_an_added_test_item_goes_through_the_same_pages(
    bureau: Bureau, phone: Phone
) -> None:
    page = phone(height=812)
    inspector = Inspector(bureau, page)
    inspector.open("/pages/entry/start?form=gpc-spot-check")
    expect(page.get_by_role("heading", name="被抽样单位")).to_be_visible()
    inspector.scan(shop(bureau, 10)["uscc"])
    page.locator("#at-field_5fkind").get_by_role("radio", name="生产").tap()
    page.locator("#at-samplers-input").fill("李敏、王强")
    page.locator("#at-sheet_5fno-input").fill("CJ-2026-0001")
    inspector.button("核对无误，继续")
    for name, text in {
        "sample_5fname": "电线",
        "spec_5fmodel": "BV 2.5",
        "sampling_5fbase": "100",
        "sample_5fqty": "3",
    }.items():
        page.locator(f"#at-{name}-input").fill(text)
    page.locator("#at-sampling_5fplace").get_by_role("radio", name="成品仓库").tap()
    inspector.button("选择检验项目")
    sheet = page.get_by_role("dialog", name="检验项目")
    # Over the whole window, not inside the card that opened it.
    shade = page.locator(".sheet-shade").bounding_box()
    assert shade and (shade["width"], shade["height"]) == (375, 812)
    sheet.get_by_role("checkbox").first.tap()
    sheet.get_by_role("button", name="＋ 列表里没有，新增").tap()
    sheet.get_by_label("新增的名称").fill("端子温升")
    sheet.get_by_role("button", name="添加").tap()
    expect(sheet.get_by_role("checkbox", name="端子温升", exact=False)).to_have_attribute("aria-checked", "true")
    sheet.get_by_role("button", name="完成").tap()
    page.locator("#at-items-0").get_by_role("radio", name="合格", exact=True).tap()
    page.locator("#at-items-1").get_by_role("radio", name="不合格", exact=True).tap()
    page.locator("#at-items-1 .group-head").tap()
    page.locator("#at-items-1-measured-input").fill("78 K")
    inspector.button("完成")
    expect(page.locator("#at-items-1 .group-head")).to_contain_text("端子温升")  # a word that was added just now
    expect(page.locator("#at-items-1 .group-head")).to_contain_text("!")
    expect(page.locator("#at-items-0 .group-head")).to_contain_text("✓")
    # What will be demanded is counted before somebody goes to the review.
    expect(page.get_by_role("button", name="目录 10/11")).to_be_visible()
    inspector.button("下一处未答 批号")
    page.locator("#at-batch_5fno-input").fill("B1")
    expect(page.get_by_role("button", name="目录 11/11")).to_be_visible()
    inspector.button("去核对")
    main = page.locator(".app-main")
    expect(main).to_contain_text("端子温升：不合格")
    expect(main).to_contain_text("实测值：78 K")
    expect(main).to_contain_text("BV 2.5")
    submit(inspector)
    expect(main).to_contain_text("检验结论为不合格，已列入本单位“待办”。下一步：")
    expect(inspector.foot()).to_have_text("再抽查一家")
    found = (
        bureau.call(COUNTY, "GET", "/spot-checks?status=submitted&q=CJ-2026-0001")["items"]
        or bureau.call(COUNTY, "GET", "/spot-checks?status=submitted")["items"]
    )
    record = bureau.call(COUNTY, "GET", f"/spot-checks/{found[0]['id']}")
    assert [row["verdict"] for row in record["items"]] == ["pass", "fail"]
    assert record["items"][1]["measured"] == "78 K"


@pytest.mark.parametrize("look", others_in_rounds(LOOKS, "dark, 关怀版"))
def test_the_pages_of_a_check_are_accessible(bureau: Bureau, phone: Phone, look: str) -> None:
    care = "关怀版" in look
    page = phone(320 if care else 375, color_scheme=look.partition(",")[0])
    if care:
        page.add_init_script("localStorage.setItem('care', JSON.stringify({type: 'string', data: 'on'}))")
    known = shop(bureau, 11)
    visited(bureau, "sales", known, ["李敏", "王强"])
    inspector = Inspector(bureau, page)
    inspector.open("/pages/entry/start?form=gpc-sales")
    page.locator("#enterprise-input").fill(known["name"][:4])
    expect(page.get_by_role("link", name=known["name"], exact=False)).to_be_visible()
    assert violations(page) == []
    inspector.scan(known["uscc"])
    expect(page.get_by_role("button", name="核对无误，继续")).to_be_visible()
    assert violations(page) == []
    inspector.button("核对无误，继续")
    inspector.answer("1.3", "否")
    inspector.answer("1.1", "是")
    assert violations(page) == []
    page.get_by_role("button", name="目录 2/11").tap()
    assert violations(page) == []
    page.get_by_role("dialog").get_by_role("button", name="去核对").tap()
    expect(page.get_by_role("alert")).to_be_visible()
    assert violations(page) == []
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0
