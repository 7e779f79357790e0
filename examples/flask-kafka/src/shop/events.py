"""What the application tells others."""

from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID, uuid4

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class OrderCreated(BaseModel):
    """An order was stored; its stock is taken."""

    # Fields that a newer publisher adds are ignored, not refused.
    model_config = ConfigDict(frozen=True, extra="ignore")

    name: ClassVar[str] = "order_created"

    id: UUID = Field(default_factory=uuid4)
    occurred_at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    order_id: int
    user_id: int
    total_cents: int
