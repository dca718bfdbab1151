from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from core.actor import Scope
from core.database.name_search import bigrams
from core.database.paging import Page, PageRequest
from core.db import Database
from core.identifiers import make_uscc
from enterprise import queries
from enterprise.models import Enterprise, EnterpriseBigram, EnterpriseProduct
from enterprise.operations import EnterpriseFacts, Outcome
from enterprise.products import DEFAULT_PRODUCT, PRODUCTS, REGULATION_TYPES, product_code
from tests.register import put_enterprises

COUNTRY = Scope(national=True, areas=())
TIANNING = Scope(national=False, areas=((3, "320402"),))
CHANGZHOU = Scope(national=False, areas=((2, "320400"),))
JIANGSU = Scope(national=False, areas=((1, "320000"),))
TWO_PROVINCES = Scope(national=False, areas=((1, "320000"), (2, "441900")))


LIMITED = {
    "常州红星电缆有限公司",
    "南京鼓楼水泥有限公司",
    "东莞红星门业有限公司",
    "ABC Cable（常州）有限公司",
}


def uscc(number: int) -> str:
    return make_uscc(f"91320400MA1{number:06d}")


def facts(number: int, name: str, region: str = "320402", *products: str) -> EnterpriseFacts:
    return {"uscc": uscc(number), "name": name, "region_code": region, "product_codes": list(products)}


def put(database: Database, *batch: EnterpriseFacts) -> list[Outcome]:
    with database.write() as session:
        return put_enterprises(session, *batch)


def found(database: Database, scope: Scope = COUNTRY, **filters: Any) -> list[str]:
    with database.read() as session:
        return [enterprise.name for enterprise in queries.search(session, scope, **filters).items]


def pairs_of(session: Session, uscc: str) -> set[str]:
    statement = select(EnterpriseBigram.bigram).join(Enterprise, Enterprise.id == EnterpriseBigram.enterprise_id)
    return set(session.scalars(statement.where(Enterprise.uscc == uscc)))


def products_of(session: Session, uscc: str) -> list[tuple[Any, ...]]:
    statement = select(EnterpriseProduct.product_code, EnterpriseProduct.area2, EnterpriseProduct.area3).join(
        Enterprise, Enterprise.id == EnterpriseProduct.enterprise_id
    )
    return [tuple(row) for row in session.execute(statement.where(Enterprise.uscc == uscc).order_by("product_code"))]


def test_the_catalogue_has_13_products_and_one_default() -> None:
    assert list(PRODUCTS) == [f"{number:02d}" for number in range(1, 14)]
    assert [product.name for product in PRODUCTS.values() if product.default] == ["电线电缆"]
    assert DEFAULT_PRODUCT == "06"
    assert {kind for product in PRODUCTS.values() for kind in product.regulation_types} == set(REGULATION_TYPES)
    assert [product_code(text) for text in ("06", "6", "电线电缆", "14", "电缆", "")] == [
        "06", "06", "06", None, None, None,
    ]  # fmt: skip


def test_an_enterprise_is_found_by_its_code_however_it_is_typed(register_db: Database) -> None:
    put(register_db, facts(1, "常州某某电缆有限公司"))
    with register_db.read() as session:
        found = queries.by_uscc(session, f" {uscc(1).lower()} ")
        assert found is not None and found.name == "常州某某电缆有限公司"
        assert (found.area1, found.area2, found.area3) == ("320000", "320400", "320402")
        assert (found.status, found.source) == ("active", "imported")
        assert queries.by_uscc(session, uscc(2)) is None


def test_putting_the_same_again_changes_nothing(register_db: Database) -> None:
    batch = [facts(number, f"企业{number}", "320402", "06") for number in range(3)]
    assert put(register_db, *batch) == [Outcome.CREATED] * 3
    assert put(register_db, *batch) == [Outcome.UNCHANGED] * 3
    with register_db.read() as session:
        assert len(session.scalars(select(Enterprise)).all()) == 3


def test_pairs_and_products_follow_a_change_of_name_region_and_products(register_db: Database) -> None:
    put(register_db, facts(1, "天宁电缆厂", "320402", "06", "05"), facts(2, "别的企业", "320402", "06"))
    with register_db.read() as session:
        assert pairs_of(session, uscc(1)) == bigrams("天宁电缆厂")
        assert products_of(session, uscc(1)) == [("05", "320400", "320402"), ("06", "320400", "320402")]
        before = session.scalars(select(Enterprise.id).where(Enterprise.uscc == uscc(1))).one()
    assert put(register_db, facts(1, "钟楼门业", "320404", "13")) == [Outcome.UPDATED]
    with register_db.read() as session:
        assert pairs_of(session, uscc(1)) == bigrams("钟楼门业")
        assert products_of(session, uscc(1)) == [("13", "320400", "320404")]
        assert session.scalars(select(Enterprise.id).where(Enterprise.uscc == uscc(1))).one() == before
        assert products_of(session, uscc(2)) == [("06", "320400", "320402")]
    put(register_db, facts(1, "钟楼门业", "441900", "13"))
    with register_db.read() as session:
        assert set(session.scalars(select(EnterpriseBigram.area1))) == {"440000", "320000"}
        assert products_of(session, uscc(1)) == [("13", "441900", None)]


def test_what_is_not_given_stays_as_it_is_and_the_first_source_is_kept(register_db: Database) -> None:
    full: EnterpriseFacts = {**facts(1, "甲企业", "320402", "06"), "address": "某路1号", "scale": "small"}
    put(register_db, full)
    with register_db.write() as session:
        bare: EnterpriseFacts = {"uscc": uscc(1), "name": "乙企业", "region_code": "320402"}
        assert put_enterprises(session, bare, source="inspector_entered") == [Outcome.UPDATED]
    with register_db.read() as session:
        stored = queries.by_uscc(session, uscc(1))
        assert stored is not None
        assert (stored.name, stored.address, stored.scale) == ("乙企业", "某路1号", "small")
        assert (stored.source, stored.product_codes) == ("imported", ["06"])


def test_an_unknown_region_or_a_code_given_twice_writes_nothing(register_db: Database) -> None:
    for batch in ([facts(1, "甲", "999999")], [facts(1, "甲"), facts(1, "乙")]):
        with pytest.raises(ValueError):
            put(register_db, *batch)
    assert found(register_db) == []


def test_two_imports_of_the_same_at_once_store_it_once(register_db: Database) -> None:
    names = ("天宁电缆厂", "天宁电线厂")
    batches = [[facts(number, name, "320402", "06") for number in range(200)] for name in names]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda batch: put(register_db, *batch), [*batches, *map(list, map(reversed, batches))]))
    with register_db.read() as session:
        stored = session.scalars(select(Enterprise)).all()
        assert len(stored) == 200
        assert all(pairs_of(session, row.uscc) == bigrams(row.name) for row in stored)


@pytest.fixture
def filled(register_db: Database) -> Database:
    put(
        register_db,
        facts(1, "常州红星电缆有限公司", "320402", "06"),
        facts(2, "常州东方电线电缆厂", "320404", "06", "05"),
        facts(3, "南京鼓楼水泥有限公司", "320106", "05"),
        facts(4, "东莞红星门业有限公司", "441900", "13"),
        facts(5, "常州100%_棉纺厂", "320402", "08"),
        facts(6, "ABC Cable（常州）有限公司", "320402", "06"),
        facts(7, "电气公司缆车厂", "320402"),
    )
    return register_db


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("电缆", {"常州红星电缆有限公司", "常州东方电线电缆厂"}),
        ("电线电缆", {"常州东方电线电缆厂"}),
        ("缆", {"常州红星电缆有限公司", "常州东方电线电缆厂", "电气公司缆车厂"}),
        ("限公司", LIMITED),
        ("有限公司", LIMITED),
        ("abc c", {"ABC Cable（常州）有限公司"}),
        ("(常州)", {"ABC Cable（常州）有限公司"}),
        ("0%_", {"常州100%_棉纺厂"}),
        ("%", {"常州100%_棉纺厂"}),
        ("_", {"常州100%_棉纺厂"}),
        ("%_", {"常州100%_棉纺厂"}),
        ("缆车", {"电气公司缆车厂"}),
        ("电车", set()),
        ("飞船", set()),
        ("红星飞船", set()),
        ("电_电", set()),
        ("\\", set()),
    ],
)  # fmt: skip
def test_a_search_finds_the_names_that_contain_the_fragment(filled: Database, q: str, names: set[str]) -> None:
    assert set(found(filled, q=q)) == names
    with filled.read() as session:
        assert queries.search(session, COUNTRY, q=q).total == len(names)


@pytest.mark.parametrize("common", [0, 5_000])
def test_a_search_stays_within_the_reach(filled: Database, common: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "_COMMON", common)
    assert found(filled, TIANNING, q="电缆") == ["常州红星电缆有限公司"]
    assert set(found(filled, CHANGZHOU, q="电缆")) == {"常州红星电缆有限公司", "常州东方电线电缆厂"}
    assert found(filled, JIANGSU, q="红星") == ["常州红星电缆有限公司"]
    both = Scope(national=False, areas=((2, "441900"), (3, "320402")))
    assert set(found(filled, both, q="红星")) == {"常州红星电缆有限公司", "东莞红星门业有限公司"}
    assert found(filled, Scope(national=False, areas=()), q="红星") == []
    assert found(filled, TIANNING, q="水泥") == []
    assert found(filled, TIANNING, q="泥") == []


def test_without_a_fragment_the_list_has_the_whole_reach(filled: Database) -> None:
    assert len(found(filled, COUNTRY)) == 7
    assert len(found(filled, TIANNING, q=" ")) == 4
    assert found(filled, Scope(national=False, areas=())) == []


@pytest.mark.parametrize("q", [None, "电", "电缆", "有限公司"])
def test_a_product_narrows_the_list(filled: Database, q: str | None) -> None:
    names = found(filled, CHANGZHOU, q=q, product_code="06")
    assert names and set(names) <= {
        "常州红星电缆有限公司", "常州东方电线电缆厂", "ABC Cable（常州）有限公司",
    }  # fmt: skip
    assert found(filled, TIANNING, q=q, product_code="05") == []


def pages(database: Database, q: str | None) -> list[Page]:
    with database.read() as session:
        return [
            queries.search(session, JIANGSU, q=q, request=PageRequest(page=page, page_size=10)) for page in (1, 2, 3, 4)
        ]


@pytest.mark.parametrize("q", [None, "同", "同名", "同名企业"])
def test_pages_follow_each_other_without_gap_or_repetition(register_db: Database, q: str | None) -> None:
    put(register_db, *(facts(number, "同名企业") for number in range(25)))
    ids = [[enterprise.id for enterprise in page.items] for page in pages(register_db, q)]
    assert [len(page) for page in ids] == [10, 10, 5, 0]
    assert len({identity for page in ids for identity in page}) == 25
    assert {(page.total, page.total_is_exact) for page in pages(register_db, q)} == {(25, True)}


def plan(database: Database, scope: Scope, q: str) -> str:
    """The plan of every statement that a search sends."""
    sent: list[tuple[str, Any]] = []

    def note(_c: Any, _u: Any, statement: str, parameters: Any, _x: Any, _many: bool) -> None:
        sent.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        with database.read() as session:
            queries.search(session, scope, q=q)
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    lines: list[str] = []
    with database.engine.connect() as connection:
        if database.engine.dialect.name == "postgresql":
            connection.execute(text("SET enable_seqscan = off"))
        for statement, parameters in sent:
            explain = "EXPLAIN QUERY PLAN " if database.engine.dialect.name == "sqlite" else "EXPLAIN "
            rows = connection.exec_driver_sql(explain + statement, parameters)
            lines.extend(str(row[-1]) for row in rows)
    return "\n".join(lines)


@pytest.mark.parametrize("scope", [COUNTRY, JIANGSU, CHANGZHOU, TIANNING, TWO_PROVINCES])
@pytest.mark.parametrize("q", ["电缆", "有限公司", "飞船"])
def test_a_search_is_driven_by_the_index_of_pairs(filled: Database, scope: Scope, q: str) -> None:
    shown = plan(filled, scope, q)
    if filled.engine.dialect.name == "sqlite":
        assert "SEARCH enterprise_bigrams USING" in shown and "bigram=?" in shown
    else:
        assert "pk_enterprise_bigrams" in shown
    assert "SCAN enterprise" not in shown and "Seq Scan on enterprises" not in shown


def test_a_common_fragment_and_a_single_character_walk_the_area_in_order(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_COMMON", 0)
    for q in ("有限", "缆"):
        shown = plan(filled, TIANNING, q)
        assert "ix_enterprises_area3" in shown
        if filled.engine.dialect.name == "sqlite":
            assert "SEARCH enterprises USING INDEX ix_enterprises_area3 (area3=?)" in shown
