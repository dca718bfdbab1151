"""The password policy (spec/common §3.3): eight characters of two classes, none of the common ones."""

import pytest
from flask.testing import FlaskClient
from pypinyin import lazy_pinyin

from accounts.models import RegionLevel
from accounts.regions.loading import area_rows
from accounts.sign_in import passwords
from accounts.sign_in.common_passwords import is_guessed
from enterprise.products import PRODUCTS
from tests.newcomers import application_body
from tests.people import PASSWORD, Person, faults
from tests.problems import ONE_DATABASE


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("Ab-1234", "8 位"),
        ("", "8 位"),
        ("a1" * 65, "128 位"),
        ("abcdefghijkl", "两类"),
        ("135790864213", "两类"),
        ("passw0rd", "常见"),
        ("P@ssw0rd", "常见"),
        ("Password1", "常见"),
        ("admin@123", "常见"),
        ("Woaini1314", "常见"),
        ("1qaz2wsx", "常见"),
    ],
)
def test_a_weak_or_common_password_is_refused_with_the_reason(password: str, word: str) -> None:
    assert word in (passwords.password_fault(password, "zhang") or "")


@pytest.mark.parametrize("password", ["xZhangSan-77", "zhangsan2026!", "77-ZHANGSAN"])
def test_a_password_that_contains_the_user_name_is_refused_in_any_case(password: str) -> None:
    assert "用户名" in (passwords.password_fault(password, "ZhangSan") or "")


OF_THE_DAY = """
    Aa123456! P@ssw0rd1 Password@123 changzhou123 Gongpin@123 Pa$$w0rd! G0ngp1n!23 $hanghai2026 pässwörd1
    passw\u043erd-1 ｇｏｎｇｐｉｎ@２０２６ 常州2026!! Changzhou2026! Chang-Zhou-2026 Jiangsu@2024 gongpin#gongpin1
    ChangzhouGongpin1 Dian-Lan-2026 1qaz@WSX !QAZ2wsx Aa!@#$%^ 123456Aa@ Qwer1234! woaini1314! p.a.s.s.w.o.r.d.1
    Password123456 Shichangjianguan1 Admin@2026 Zhang19900101 1111aaaa
"""


@pytest.mark.parametrize("password", OF_THE_DAY.split())
def test_passwords_of_the_day_are_refused_in_whatever_spelling(password: str) -> None:
    assert "容易被猜中" in (passwords.password_fault(password, "county_user") or "")


@pytest.mark.parametrize("password", ["Tian-Ning-2026", "天宁区2026!", "Zhang.San.77", "zh4ngs4n!!", "张三1-2026"])
def test_the_own_name_and_place_are_refused_and_only_to_whom_they_belong(password: str) -> None:
    assert "容易被猜中" in (passwords.password_fault(password, "user_77", ["张三", "天宁区"]) or "")
    assert passwords.password_fault(password, "user_77", ["李四", "钟楼区"]) is None


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery", "changzhou rains 40 days", "my password is a long sentence", "我在常州吃了3碗面",
        "tea at 4 in Nanjing?", "wang7391846205", "mK4-tulpe-Regal", "Another-One-7", "brown-fox-7-runs", "Kq7vTz2m",
    ],
)  # fmt: skip
def test_a_sentence_may_hold_common_words_and_a_word_may_stand_beside_what_nobody_guesses(password: str) -> None:
    assert passwords.password_fault(password, "zhangsan", ["张三", "天宁区", "常州市天宁区市场监督管理局"]) is None


def test_every_product_and_city_is_refused_as_a_password() -> None:
    names = [product.name for product in PRODUCTS.values()]
    names += [row.name for row in area_rows() if row.level == RegionLevel.CITY]
    assert len(names) > 300
    for name in names:
        assert is_guessed("".join(lazy_pinyin(name)) + "2026!"), name


@ONE_DATABASE
def test_places_and_names_of_the_own_account_are_no_password(client: FlaskClient, county_inspector: Person) -> None:
    for weak in ("Tian-Ning-2026", "Tianningqu@1", "Changzhou-123"):
        change = {"old_password": PASSWORD, "new_password": weak}
        assert faults(county_inspector.put("/me/password", change)) == {"/new_password": "weak_password"}
    for weak in ("Zhonglou2026!", "Li-Si-Li-Si-1", "zhonglouqu.123"):
        answer = client.post("/api/v1/account-applications", json=application_body(password=weak))
        assert faults(answer) == {"/password": "weak_password"}, weak


@pytest.mark.parametrize("password", ["Tian-Ning-2026", "correct horse battery", "天宁区检查一二三a", "x" * 127 + "1"])
def test_a_password_of_two_classes_and_some_length_will_do(password: str) -> None:
    assert passwords.password_fault(password, "zhangsan") is None


def test_a_stored_password_is_argon2id_salted_and_does_not_contain_it() -> None:
    first, second = passwords.hash_password("Tian-Ning-2026"), passwords.hash_password("Tian-Ning-2026")
    assert first != second
    assert first.startswith("$argon2id$") and "Tian-Ning-2026" not in first
    assert passwords.verify_password(first, "Tian-Ning-2026")
    assert not passwords.verify_password(first, "tian-ning-2026")


def test_no_password_fits_where_there_is_no_user_or_the_stored_hash_is_rubbish() -> None:
    assert not passwords.verify_password(None, "Tian-Ning-2026")
    assert not passwords.verify_password("rubbish", "Tian-Ning-2026")


def test_one_time_passwords_differ_and_satisfy_the_policy() -> None:
    made = {passwords.one_time_password() for _ in range(200)}
    assert len(made) == 200
    assert all(passwords.password_fault(password, "somebody") is None for password in made)
    assert not set("lIOo01") & set("".join(made))
