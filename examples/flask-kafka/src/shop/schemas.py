"""What travels over HTTP."""

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from .models import OrderStatus

# The range of the database's INTEGER.
MAX_INTEGER = 2**31 - 1
MAX_EMAIL = 254


def _email(value: str) -> str:
    # In lower case, some letters are two.
    if len(value) > MAX_EMAIL:
        raise PydanticCustomError("email", "An email address is shorter")
    # Only a message that arrives proves an address, so this asks for little.
    if not re.fullmatch(r"[^@\s\0]+@[^@\s\0]+\.[^@\s\0]+", value):
        raise PydanticCustomError("email", "This is not an email address")
    return value


Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True),
    AfterValidator(_email),
    Field(json_schema_extra={"format": "email", "maxLength": MAX_EMAIL}),
]
NewPassword = Annotated[str, Field(min_length=8, max_length=128, repr=False)]
# Without NUL, which PostgreSQL's text cannot hold.
Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00]+$",
    ),
]
Sku = Annotated[
    str,
    StringConstraints(
        to_upper=True,
        max_length=64,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$",
    ),
]
Id = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
Cents = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Stock = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Quantity = Annotated[int, Field(ge=1, le=MAX_INTEGER)]


class Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Output(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ErrorDetail(BaseModel):
    detail: str


class NewUser(Input):
    email: Email
    password: NewPassword


class UserOut(Output):
    id: int
    email: str
    created_at: datetime


class Credentials(Input):
    email: Email
    password: Annotated[str, Field(max_length=128, repr=False)]


class Token(Output):
    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the word is no secret


class NewProduct(Input):
    sku: Sku
    name: Name
    price_cents: Cents
    stock: Stock = 0


class ProductChanges(Input):
    """What is left out, or null, stays as it is."""

    name: Name | None = None
    price_cents: Cents | None = None
    stock: Stock | None = None


class ProductOut(Output):
    id: int
    sku: str
    name: str
    price_cents: int
    stock: int


class PriceQuery(Input):
    currency: Annotated[str, StringConstraints(to_upper=True, pattern=r"^[A-Za-z]{3}$")]


class Price(Output):
    currency: str
    price_cents: int


class NewOrderLine(Input):
    product_id: Id
    quantity: Quantity


class NewOrder(Input):
    lines: Annotated[list[NewOrderLine], Field(min_length=1, max_length=100)]


class OrderLineOut(Output):
    product_id: int
    quantity: int
    unit_price_cents: int


class OrderOut(Output):
    id: int
    user_id: int
    status: OrderStatus
    lines: list[OrderLineOut]
    total_cents: int
    created_at: datetime


CheckResult = Literal["ok", "error"]


class Health(Output):
    status: CheckResult
    checks: dict[str, CheckResult]
