"""The code of a print whose record lost a person by law: the page answers, and tells nothing of them."""

from flask.testing import FlaskClient

from tests.drawn_papers import codes
from tests.persons.test_persons import erase
from tests.persons.town import ZHANG, Town


def test_the_code_of_a_print_answers_after_an_erasure_and_tells_nothing_of_the_person(town: Town) -> None:
    record = town.ids[ZHANG.name, "inspection"]
    printed = town.sign_in("county_inspector").get(f"/inspections/{record}/record.pdf")
    assert printed.status_code == 200
    (url,) = codes(printed.data)
    path = url.split("/v/")[1]
    client: FlaskClient = town.application.test_client()
    before = client.get(f"/v/{path}")
    erase(town, ZHANG)
    after = client.get(f"/v/{path}")
    said = after.get_data(as_text=True)
    assert (before.status_code, after.status_code) == (200, 200)
    assert "内容是最新的" in before.get_data(as_text=True) and "内容已更新" in said
    assert not any(word in said for word in ZHANG.told)
    assert town.sign_in("county_inspector").get(f"/inspections/{record}/record.pdf").status_code == 200
