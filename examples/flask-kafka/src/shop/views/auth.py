from flask import Blueprint, Response
from sqlalchemy import select

from ..database import db
from ..dependencies import get_settings, read_body, respond
from ..errors import NotAuthenticatedError
from ..models import User
from ..schemas import Credentials, Token
from ..security import create_access_token, verify_password

blueprint = Blueprint("auth", __name__, url_prefix="/auth")


@blueprint.post("/token")
def create_token() -> Response:
    credentials = read_body(Credentials)
    user = db.session.scalar(select(User).where(User.email == credentials.email))
    password_hash = user.password_hash if user else None
    matches = verify_password(credentials.password, password_hash)
    if user is None or not matches:
        raise NotAuthenticatedError("The email address or the password is wrong.")
    return respond(Token(access_token=create_access_token(user.id, get_settings())))
