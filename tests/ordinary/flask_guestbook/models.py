from sqlalchemy import Column, Integer, String, Text

from database import Base


class Entry(Base):
    __tablename__ = "entries"

    id = Column(Integer, primary_key=True)
    author = Column(String(80), nullable=False)
    text = Column(Text, nullable=False)
