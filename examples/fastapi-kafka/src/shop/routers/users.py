import asyncio
from http import HTTPStatus

from fastapi import APIRouter
from sqlalchemy.exc import IntegrityError

from ..dependencies import CurrentUser, SessionDep
from ..errors import ConflictError
from ..models import User
from ..schemas import NewUser, UserOut
from ..security import hash_password

router = APIRouter(prefix="/users", tags=["users"])


@router.post("", status_code=HTTPStatus.CREATED)
async def register(new: NewUser, session: SessionDep) -> UserOut:
    password_hash = await asyncio.to_thread(hash_password, new.password)
    user = User(email=new.email, password_hash=password_hash)
    session.add(user)
    try:
        await session.commit()
    except IntegrityError as error:
        raise ConflictError(f"{new.email} is already registered.") from error
    return UserOut.model_validate(user)


@router.get("/me")
async def show_me(user: CurrentUser) -> UserOut:
    return UserOut.model_validate(user)
