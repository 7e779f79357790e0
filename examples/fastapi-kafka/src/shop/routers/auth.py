import asyncio

from fastapi import APIRouter
from sqlalchemy import select

from ..dependencies import SessionDep, SettingsDep
from ..errors import NotAuthenticatedError
from ..models import User
from ..schemas import Credentials, Token
from ..security import create_access_token, verify_password

router = APIRouter(prefix="/auth", tags=["auth"])


@router.post("/token")
async def create_token(
    credentials: Credentials,
    session: SessionDep,
    settings: SettingsDep,
) -> Token:
    user = await session.scalar(select(User).where(User.email == credentials.email))
    password_hash = user.password_hash if user else None
    # Hashing is slow on purpose; in a thread it does not stop the other requests.
    matches = await asyncio.to_thread(
        verify_password, credentials.password, password_hash
    )
    if user is None or not matches:
        raise NotAuthenticatedError("The email address or the password is wrong.")
    return Token(access_token=create_access_token(user.id, settings))
