"""What the API says of itself, as generators of clients and their users read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hub import Hub
from hypothesis import given
from hypothesis import strategies as st

from mash.api.client import person
from mash.api.routes.cases import brief, whole
from mash.api.schemas.answers import CaseBrief, CaseDetail
from mash.api.schemas.codes import FLAGS, OF_SUBJECTS, WORDS
from mash.api.schemas.contact import Submission
from mash.api.schemas.intake import contact_of
from mash.flows.store.reads.look import look_at
from mash.flows.store.store import Store
from mash.states.errors import NothingToActOn

OF_OTHERS = ("/metrics", "/health", "/cases/{reference}/meeting.ics", "/status", "/alerts/{token}", "/status/disagreements")
"""What is answered in other forms than JSON, or described beside the parts that it is about."""


@pytest.fixture(scope="module")
def described(hub: Hub) -> dict[str, Any]:
    return dict(hub.http.get("/openapi.json").json())


def operations(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for operation in methods.values():
            yield path, operation


def test_every_operation_documents_what_any_of_them_may_answer(described: dict[str, Any]) -> None:
    for path, operation in operations(described):
        assert {"400", "408", "413", "429", "431", "500", "503"} <= operation["responses"].keys(), path
        problems = [answer for status, answer in operation["responses"].items() if status[0] in "45"]
        for answer in problems:
            (kind, *_), schema = answer["content"].keys(), next(iter(answer["content"].values()))["schema"]
            assert path == "/health" or (kind, schema) == ("application/problem+json", {"$ref": "#/components/schemas/Problem"})


def test_what_an_address_may_hold_is_described_so_that_nothing_described_is_malformed(described: dict[str, Any]) -> None:
    """No address has a zero byte, whatever stands in it: a text of which nothing is said would promise one."""
    for path, operation in operations(described):
        for each in operation.get("parameters", ()):
            texts = [of for of in each["schema"].get("anyOf", [each["schema"]]) if of.get("type") == "string"]
            assert all(of.keys() & {"pattern", "format", "enum"} for of in texts), (path, each["name"])


def test_what_is_wrong_with_a_page_is_told_in_a_page_and_is_described_so(hub: Hub, described: dict[str, Any]) -> None:
    pages = [(path, of) for path, of in operations(described) if "text/html" in of["responses"].get("200", {}).get("content", {})]
    assert {path for path, _ in pages} >= {"/alerts/{token}", "/status", "/status/disagreements"}
    for path, operation in pages:
        problems = {status: answer["content"].keys() for status, answer in operation["responses"].items() if status[0] in "45"}
        assert all({"text/html", "application/problem+json"} <= kinds for kinds in problems.values()), path
    for ask in (hub.http.get, hub.http.post):
        answer = ask("/alerts/%C2%84")
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (400, "text/html")


def test_every_answer_is_a_model_with_a_name_and_every_operation_has_a_name_of_its_own(described: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(described)]
    assert len(set(names)) == len(names)
    for path, operation in operations(described):
        if path in OF_OTHERS:
            continue
        (answer,) = [each for status, each in operation["responses"].items() if status[0] == "2"]
        schema = answer["content"]["application/json"]["schema"]
        model = described["components"]["schemas"][schema.get("items", schema)["$ref"].rpartition("/")[2]]
        assert model["properties"] and model["required"], path


def test_no_field_has_a_default_and_nothing_names_itself(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    for name, schema in schemas.items():
        assert f'"#/components/schemas/{name}"' not in json.dumps(schema), name
        assert all("default" not in field for field in schema.get("properties", {}).values()), name


LISTS = {
    "SourceGiven.code": "2A",
    "SourceGiven.agency": "education",
    "SubjectGiven.cohort": "unborn",
    "SubjectGiven.sex": "F",
    "SubjectGiven.ethnicity": "WBRI",
    "SubjectGiven.disability": "MOB",
    "ConcernGiven.primary_need": "N3",
    "ConcernGiven.factors": "7A",
    "ConcernGiven.categories": "missing",
    "Submission.kind": "police_notification",
    "ReferralReceived.flags": "unknown_field",
    "ReferralReceived.status": "not_taken",
    "CaseDetail.stage": "mash_meeting",
    "CaseDetail.possible": "rate_referral",
    "CommandResult.events": "referral_rated",
}


@pytest.mark.parametrize("field", LISTS)
def test_every_code_has_its_list_of_words_for_people_and_for_programs(described: dict[str, Any], hub: Hub, field: str) -> None:
    model, name = field.split(".")
    of = described["components"]["schemas"][model]["properties"][name]
    assert LISTS[field] in of[WORDS] and f"`{LISTS[field]}`" in of["description"]
    assert "enum" not in of, "a client loses a whole answer to a word that is new to it"
    assert of["description"] in hub.http.get("/docs").text.replace("&#39;", "'").replace("&amp;", "&").replace("&#34;", '"')


ODD = st.none() | st.text(max_size=8) | st.sampled_from(["child", "kid", "2A", "N1", "education", "a@b.example", "2015-12-20"])


@given(
    st.dictionaries(st.sampled_from(["kind", "place", "reported_at", "own"]), ODD),
    st.dictionaries(
        st.sampled_from(
            ["cohort", "sex", "upn", "nhs_number", "date_of_birth", "ethnicity", "disability", "upn_unknown", "died_on", "x"]
        ),
        ODD,
    ),
    st.dictionaries(st.sampled_from(["code", "agency", "email", "name", "y"]), ODD),
)
def test_every_flag_that_a_contact_can_have_is_documented(top: Any, subject: Any, source: Any) -> None:
    try:
        given = Submission.model_validate({**top, "source": source, "subjects": [subject], "concern": {"summary": "Worried."}})
        command, _ = contact_of(given, date(2026, 6, 1))
    except (NothingToActOn, ValueError):
        return
    assert {flag.removeprefix("S1_") for flag in command.flags} <= {*FLAGS, *OF_SUBJECTS}


def test_what_a_case_is_answered_with_is_all_described(hub: Hub) -> None:
    reference = hub.referral()

    async def look(store: Store) -> tuple[set[str], set[str]]:
        by = person("duty_manager")
        case = await look_at(store, reference, by, "read_case")
        return set(brief(case, store.rules(case.referral))), set(await whole(store, case, by))

    on_a_board, whole_ = hub.stored(look)
    assert (on_a_board, whole_) == (set(CaseBrief.model_fields), set(CaseDetail.model_fields))
