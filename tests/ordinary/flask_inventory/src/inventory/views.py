from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, request
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from inventory.extensions import db
from inventory.models import Part, Shelf

blueprint = Blueprint("inventory", __name__)


@blueprint.get("/shelves")
def list_shelves() -> list[dict[str, Any]]:
    shelves = db.session.scalars(select(Shelf).order_by(Shelf.name))
    return [{"name": s.name, "parts": [part.number for part in s.parts]} for s in shelves]


@blueprint.post("/shelves/<name>/parts")
def store(name: str) -> tuple[dict[str, Any], int]:
    shelf = db.session.scalar(select(Shelf).where(Shelf.name == name))
    if shelf is None:
        abort(404)
    db.session.add(Part(number=request.get_json()["number"], shelf=shelf))
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        return {"error": "that part is stored already"}, 409
    return {"shelf": name}, 201
