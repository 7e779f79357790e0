"""The tables."""

from typing import Annotated, Any, Literal

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Identity, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .database import Base
from .timestamps import CreatedAt

OrderStatus = Literal["pending", "confirmed"]

PrimaryKey = Annotated[int, mapped_column(Identity(), primary_key=True)]


class User(Base):
    __tablename__ = "users"

    id: Mapped[PrimaryKey]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[CreatedAt]


class Product(Base):
    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("price_cents >= 0", name="price_not_negative"),
        CheckConstraint("stock >= 0", name="stock_not_negative"),
    )

    id: Mapped[PrimaryKey]
    sku: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    price_cents: Mapped[int]
    stock: Mapped[int]


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    status: Mapped[OrderStatus] = mapped_column(default="pending")
    created_at: Mapped[CreatedAt]
    lines: Mapped[list["OrderLine"]] = relationship(
        cascade="all, delete-orphan",
        lazy="selectin",
        order_by="OrderLine.product_id",
    )

    @property
    def total_cents(self) -> int:
        return sum(line.quantity * line.unit_price_cents for line in self.lines)


class OrderLine(Base):
    __tablename__ = "order_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_positive"),)

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(
        ForeignKey("products.id"),
        primary_key=True,
        index=True,
    )
    quantity: Mapped[int]
    # The price when it was ordered; the product's may change.
    unit_price_cents: Mapped[int]


class OutboxEvent(Base):
    """An event that the broker has not confirmed yet."""

    __tablename__ = "outbox"

    id: Mapped[PrimaryKey]
    event: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[CreatedAt]
