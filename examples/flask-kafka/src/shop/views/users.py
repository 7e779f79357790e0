from http import HTTPStatus

from flask import Blueprint, Response
from sqlalchemy.exc import IntegrityError

from ..database import db
from ..dependencies import read_body, require_user, respond
from ..errors import ConflictError
from ..models import User
from ..schemas import NewUser, UserOut
from ..security import hash_password

blueprint = Blueprint("users", __name__, url_prefix="/users")


@blueprint.post("")
def register() -> Response:
    new = read_body(NewUser)
    user = User(email=new.email, password_hash=hash_password(new.password))
    db.session.add(user)
    try:
        db.session.commit()
    except IntegrityError as error:
        raise ConflictError(f"{new.email} is already registered.") from error
    return respond(UserOut.model_validate(user), HTTPStatus.CREATED)


@blueprint.get("/me")
def show_me() -> Response:
    return respond(UserOut.model_validate(require_user()))
