from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import PAGE_SIZE
from app.db import SessionLocal, Task, engine, get_db


@asynccontextmanager
async def lifespan(app):
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
Db = Annotated[AsyncSession, Depends(get_db)]


class TaskIn(BaseModel):
    title: str


@app.post('/tasks', status_code=201)
async def create_task(body: TaskIn, db: Db):
    task = Task(title=body.title)
    db.add(task)
    try:
        await db.commit()
    except IntegrityError:
        await db.rollback()
        raise HTTPException(409, 'a task has that title already') from None
    return {'id': task.id, 'title': task.title}


@app.get('/tasks')
async def list_tasks(db: Db):
    tasks = await db.scalars(select(Task).order_by(Task.id).limit(PAGE_SIZE))
    return [{'id': task.id, 'title': task.title} for task in tasks]


@app.get('/count')
async def count_tasks():
    # Not through the dependency: a session straight from the module's factory.
    async with SessionLocal() as session:
        return len((await session.scalars(select(Task))).all())
