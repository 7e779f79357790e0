import os

from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, scoped_session, sessionmaker

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite://"))
db_session = scoped_session(sessionmaker(autoflush=False, bind=engine))


class Base(DeclarativeBase):
    query = db_session.query_property()


def init_db():
    import models  # noqa: F401

    Base.metadata.create_all(bind=engine)
