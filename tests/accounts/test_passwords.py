"""The password policy (spec/common §3.3): eight characters of two classes, none of the common ones."""

import pytest

from accounts.sign_in import passwords


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
