"""Every framework's example application speaks the same HTTP.

All get the same requests, and have to answer as FastAPI's does in async code.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from .conftest import MakeRepository


@dataclass(frozen=True)
class Framework:
    """How a test asks an application, in the words of its framework's own client."""

    framework: str
    database_access: str
    request: str
    body: str = "answer.content"
    # What it answers differently.
    unlike: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return f"{self.framework}-{self.database_access}"


EMPTY = "empty"
OF_A_VENDOR = "of a vendor"
NO_METHOD = "no such method, no token"
WIDE_ID = "an id of more than 32 bits"
VENDORS_JSON = "application/vnd.shop+json; charset=utf-8"

REFERENCE = Framework(
    *("fastapi", "async"),
    "await client.request(method, path, content=body, headers=headers)",
)
OTHERS = [
    Framework(
        *("fastapi", "sync"),
        "client.request(method, path, content=body, headers=headers)",
    ),
    Framework(
        *("flask", "sync"),
        "client.open(path, method=method, data=body, headers=headers)",
        "answer.data",
    ),
    Framework(
        *("django", "sync"),
        "client.generic(method, path, body, headers.pop('Content-Type'),"
        " headers=headers)",
        # Django REST framework takes no body for an empty object, reads one kind of
        # them, and asks for a token before it looks for a method. Django's ids have 64
        # bits.
        unlike=frozenset({EMPTY, OF_A_VENDOR, NO_METHOD, WIDE_ID}),
    ),
]


@dataclass(frozen=True)
class Request:
    """A request. `<tea>` in it is what was answered to the one that is called so."""

    method: str
    path: str
    # JSON, or a text as it is.
    body: Any = ""
    token: str = "Bearer <ada>"
    content_type: str = "application/json"
    # What others call the id, or the token, in the answer; or what is special here.
    name: str = ""

    def as_sent(self) -> dict[str, object]:
        body = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return {**asdict(self), "body": body}


ADA = {"email": "ada@example.com", "password": "correct horse"}
BOB = {"email": "bob@example.com", "password": "correct horse"}
TEA = {"sku": "TEA-1", "name": "Tea", "price_cents": 450, "stock": 5}
CUP = {"sku": "CUP-1", "name": "Cup", "price_cents": 1290}
TOO_BIG = 2**31
UNKNOWN = 2_000_000_000
# The API of exchange rates is away.
STATUSES = {200, 201, 204, 400, 401, 404, 405, 409, 422, 503}


def order(product: str, quantity: object = 1) -> str:
    """The body of an order; `product` may stand for an id that is not known yet."""
    return f'{{"lines": [{{"product_id": {product}, "quantity": {quantity}}}]}}'


REQUESTS = [
    Request("GET", "/health", token=""),
    # Users and their tokens.
    Request("POST", "/users", ADA, ""),
    Request("POST", "/users", ADA, ""),
    Request("POST", "/users", {**ADA, "email": " ADA@Example.com"}, ""),
    Request("POST", "/users", BOB, ""),
    Request("POST", "/users", {"email": "ada@example.com"}, ""),
    Request("POST", "/users", {**ADA, "email": "ada"}, ""),
    Request("POST", "/users", {**ADA, "email": 7}, ""),
    Request("POST", "/users", {**ADA, "email": "a" * 250 + "@b.example"}, ""),
    Request("POST", "/users", {**ADA, "password": "short"}, ""),
    Request("POST", "/users", {**ADA, "password": "x" * 129}, ""),
    Request("POST", "/users", {**ADA, "is_admin": True}, ""),
    Request("POST", "/users", {}, ""),
    Request("POST", "/users", [], ""),
    Request("POST", "/users", "null", ""),
    Request("POST", "/users", "", "", name=EMPTY),
    Request("POST", "/users", "{", ""),
    Request("POST", "/users", ADA, "", "text/plain"),
    Request("POST", "/users", ADA, "", VENDORS_JSON, name=OF_A_VENDOR),
    Request("POST", "/auth/token", {**ADA, "email": "ADA@example.com"}, "", name="ada"),
    Request("POST", "/auth/token", BOB, "", name="bob"),
    Request("POST", "/auth/token", {**ADA, "password": "not it"}, ""),
    Request("POST", "/auth/token", {**ADA, "email": "nobody@example.com"}, ""),
    Request("POST", "/auth/token", {**ADA, "password": ""}, ""),
    Request("POST", "/auth/token", {"email": "ada@example.com"}, ""),
    Request("GET", "/users/me"),
    Request("GET", "/users/me", token="bearer <ada>"),
    Request("GET", "/users/me", token=""),
    Request("GET", "/users/me", token="Bearer"),
    Request("GET", "/users/me", token="Bearer nonsense"),
    Request("GET", "/users/me", token="Bearer <ada>x"),
    Request("GET", "/users/me", token="Basic YWRhOmhvcnNl"),
    Request("GET", "/users/me", token="<ada>"),
    # Products.
    Request("GET", "/products", token=""),
    Request("POST", "/products", TEA, ""),
    Request("POST", "/products", {}, "Bearer nonsense"),
    Request("POST", "/products", TEA, name="tea"),
    Request("POST", "/products", {**TEA, "sku": "tea-1"}),
    Request("POST", "/products", CUP, name="cup"),
    Request("POST", "/products", {**TEA, "sku": "all-1", "name": " ü "}, name="all"),
    Request("POST", "/products", {**TEA, "sku": "BIG", "price_cents": TOO_BIG - 1}),
    Request("POST", "/products", {**TEA, "sku": "TEXT", "price_cents": "12"}),
    Request("POST", "/products", {**TEA, "price_cents": TOO_BIG}),
    Request("POST", "/products", {**TEA, "price_cents": -1}),
    Request("POST", "/products", {**TEA, "price_cents": 1.5}),
    Request("POST", "/products", {**TEA, "price_cents": None}),
    Request("POST", "/products", {**TEA, "stock": "many", "name": None}),
    Request("POST", "/products", {**TEA, "sku": ""}),
    Request("POST", "/products", {**TEA, "sku": "-TEA"}),
    Request("POST", "/products", {**TEA, "sku": "T" * 65}),
    Request("POST", "/products", {**TEA, "name": "  "}),
    Request("POST", "/products", {**TEA, "name": "nul\0"}),
    Request("POST", "/products", {**TEA, "name": "\ud800"}),
    Request("POST", "/products", {**TEA, "name": "T" * 201}),
    Request("POST", "/products", {**TEA, "id": 1}),
    Request("POST", "/products", "{"),
    Request("GET", "/products/<tea>", token=""),
    Request("GET", f"/products/{UNKNOWN}", token=""),
    Request("GET", f"/products/{TOO_BIG}", token="", name=WIDE_ID),
    Request("GET", "/products/0", token=""),
    Request("GET", "/products/-1", token=""),
    Request("GET", "/products/1.5", token=""),
    Request("GET", "/products/tea", token=""),
    Request("GET", "/products/" + "9" * 30, token=""),
    Request("GET", "/products/<tea>/price?currency=eur", token=""),
    Request("GET", f"/products/{UNKNOWN}/price?currency=EUR", token=""),
    Request("GET", "/products/tea/price?currency=EUR", token=""),
    Request("GET", "/products/<tea>/price?currency=euro", token=""),
    Request("GET", "/products/<tea>/price?currency=", token=""),
    Request("GET", "/products/<tea>/price", token=""),
    Request("POST", "/products/<tea>/price?currency=EUR"),
    Request("PATCH", "/products/<tea>", {"stock": 3}),
    Request("PATCH", "/products/<tea>", {"name": "Green tea", "stock": None}),
    Request("PATCH", "/products/<tea>", {}),
    Request("PATCH", "/products/<tea>", {"sku": "NEW"}),
    Request("PATCH", "/products/<tea>", {"stock": -1}),
    Request("PATCH", "/products/<tea>", {"stock": 1}, ""),
    Request("PATCH", f"/products/{UNKNOWN}", {"stock": 1}),
    Request("PATCH", "/products/tea", {"stock": 1}),
    Request("DELETE", "/products/<all>", token=""),
    Request("DELETE", "/products/<all>"),
    Request("DELETE", "/products/<all>"),
    Request("DELETE", "/products/tea"),
    # Pages.
    Request("GET", "/products?page=1&size=2", token=""),
    Request("GET", "/products?page=2&size=2", token=""),
    Request("GET", "/products?page=9&size=2", token=""),
    Request("GET", "/products?page=1000000&size=100", token=""),
    Request("GET", "/products?page=0", token=""),
    Request("GET", "/products?page=1000001", token=""),
    Request("GET", "/products?size=101&page=one", token=""),
    Request("GET", "/products?size=", token=""),
    Request("GET", "/products?colour=red", token=""),
    # Orders.
    Request("POST", "/orders", order("<tea>", 2), name="order"),
    Request("POST", "/orders", order("<tea>", 2)),
    Request("POST", "/orders", order("<tea>", 0)),
    Request("POST", "/orders", order("<tea>", '"many"')),
    Request("POST", "/orders", order(str(UNKNOWN))),
    Request("POST", "/orders", order(str(TOO_BIG)), name=WIDE_ID),
    Request("POST", "/orders", order("0")),
    Request("POST", "/orders", {"lines": []}),
    Request("POST", "/orders", {"lines": [{}]}),
    Request("POST", "/orders", {"lines": {"product_id": 1, "quantity": 1}}),
    Request("POST", "/orders", {"lines": [{"product_id": 1, "quantity": 1}] * 2}),
    Request("POST", "/orders", {"lines": [{"product_id": 1, "quantity": 1}] * 101}),
    Request("POST", "/orders", order("<tea>"), ""),
    Request("POST", "/orders", order("<tea>"), "Bearer <bob>", name="theirs"),
    Request("GET", "/orders/<order>"),
    Request("GET", "/orders/<order>"),
    Request("GET", "/orders/<theirs>"),
    Request("GET", "/orders/<order>", token=""),
    Request("GET", "/orders/one"),
    Request("GET", f"/orders/{UNKNOWN}"),
    Request("GET", "/orders"),
    Request("GET", "/orders?size=1"),
    Request("GET", "/orders?size=0"),
    Request("GET", "/orders", token=""),
    Request("DELETE", "/products/<tea>"),
    # What there is not.
    Request("GET", "/", token=""),
    Request("GET", "/nowhere", token=""),
    Request("GET", "/products/<tea>/reviews", token=""),
    Request("DELETE", "/products", token="", name=NO_METHOD),
    Request("PUT", "/products/<tea>", TEA),
    Request("GET", "/users"),
    Request("GET", "/auth/token", token=""),
    Request("POST", "/health", token=""),
    Request("DELETE", "/orders/<order>"),
]

NOTE_ANSWERS = """\
import json
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.filterwarnings("default")
HERE = Path(__file__).parent


@pytest.mark.anyio
async def test_answers(client):
    known = {{}}

    def fill(text):
        return re.sub(r"<(\\w+)>", lambda match: known[match[1]], text)

    answers = []
    for request in json.loads((HERE / "requests.json").read_text()):
        method, path = request["method"], fill(request["path"])
        body = fill(request["body"])
        headers = {{"Content-Type": request["content_type"]}}
        if request["token"]:
            headers["Authorization"] = fill(request["token"])
        answer = {request}
        text = {body}.decode()
        if request["name"] and answer.status_code < 300:
            found = json.loads(text)
            known[request["name"]] = str(found.get("access_token") or found["id"])
        challenge = answer.headers.get("WWW-Authenticate")
        kind = answer.headers.get("Content-Type") if text else None
        answers.append([answer.status_code, challenge, kind, text])
    (HERE / "answers.json").write_text(json.dumps(answers))
"""


def answers(
    make_repository: MakeRepository, framework: Framework
) -> list[tuple[object, ...]]:
    """What the application answers to each of the REQUESTS."""
    repository = make_repository(
        framework.name,
        framework=framework.framework,
        database_access=framework.database_access,
        broker="none",
    )
    code = NOTE_ANSWERS.format(request=framework.request, body=framework.body)
    if framework.database_access == "sync":
        code = code.replace("async def", "def").replace("@pytest.mark.anyio\n", "")
    test = repository.add_test("contract", code)
    folder = (repository.path / test).parent
    sent = [request.as_sent() for request in REQUESTS]
    (folder / "requests.json").write_text(json.dumps(sent))
    result = repository.pytest(test)
    assert result.code == 0, result.output
    return [
        (status, challenge, kind, comparable(json.loads(text)) if text else text)
        for status, challenge, kind, text in json.loads(
            (folder / "answers.json").read_text()
        )
    ]


def comparable(body: Any) -> Any:
    """A body without what differs from run to run, or tells the same in other words."""
    if isinstance(body, list):
        return [comparable(item) for item in body]
    if not isinstance(body, dict):
        return body
    body = {key: comparable(value) for key, value in body.items()}
    if "id" in body:  # a rolled-back row may have taken one
        body["id"] = type(body["id"]).__name__
    if "created_at" in body:
        body["created_at"] = re.sub(r"\d", "0", body["created_at"])
    if "access_token" in body:
        body["access_token"] = body["access_token"].count(".")
    if "detail" in body:
        # With which fields something is wrong. With JSON it is at a place of the body.
        fields = re.findall(r"((?:body|path|query)[\w.]*): ", body["detail"])
        body["detail"] = sorted(re.sub(r"\.\d+$", "", field) for field in fields)
    return body


def test_all_answer_as_the_reference_does(make_repository: MakeRepository) -> None:
    expected = answers(make_repository, REFERENCE)
    assert {status for status, *_ in expected} == STATUSES
    differences = [
        (framework.name, request, answer, found)
        for framework in OTHERS
        for request, answer, found in zip(
            REQUESTS, expected, answers(make_repository, framework), strict=True
        )
        if answer != found and request.name not in framework.unlike
    ]
    assert not differences
