from tests.people import Person, new_id, production


def test_a_submitted_check_is_seen_by_the_city(county_inspector: Person, city_reviewer: Person) -> None:
    record = new_id()
    assert county_inspector.put(f"/inspections/{record}/submission", production()).status_code == 201
    listed = city_reviewer.get("/inspections").json
    assert [item["id"] for item in listed["items"]] == [record]
