"""The stacks that copier.yml offers: all of them, and few that cover every pair."""

from __future__ import annotations

import itertools
from pathlib import Path

import yaml

QUESTIONS = ("framework", "database_access", "database", "cache", "broker", "starter")

Stack = dict[str, object]
Pair = frozenset[tuple[str, object]]

# What a test bed without the example application finds: Django has to have settings.
DJANGO_SETTINGS = """\
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3"}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"}}
SECRET_KEY = "insecure"
USE_TZ = True
"""
DJANGO_ON_MYSQL = """\
import pymysql

pymysql.install_as_MySQLdb()
"""


def name(stack: Stack) -> str:
    """What a test of it is called: `fastapi-async-postgres-redis-kafka-True`."""
    return "-".join(str(answer) for answer in stack.values())


def every_stack() -> list[Stack]:
    """Every combination of answers that the menu lets pass."""
    text = (Path(__file__).parents[1] / "copier.yml").read_text(encoding="utf-8")
    questions = yaml.safe_load(text)
    choices = [
        list(questions[question].get("choices", {True: True, False: False}).values())
        for question in QUESTIONS
    ]
    stacks = [
        dict(zip(QUESTIONS, answers, strict=True))
        for answers in itertools.product(*choices)
    ]
    return [
        stack
        for stack in stacks
        # FastAPI alone is at home in both.
        if stack["framework"] == "fastapi" or stack["database_access"] == "sync"
    ]


def pairs(stack: Stack) -> set[Pair]:
    """What comes together in a stack: each two of its answers."""
    return {frozenset(pair) for pair in itertools.combinations(stack.items(), 2)}


def covering_stacks() -> list[Stack]:
    """Few stacks in which any two answers that can come together do."""
    stacks = every_stack()
    missing = set[Pair]().union(*map(pairs, stacks))
    chosen = []
    while missing:
        best = max(stacks, key=lambda stack: len(pairs(stack) & missing))
        missing -= pairs(best)
        chosen.append(best)
    return chosen


def write_django_project(repository: Path, stack: Stack) -> None:
    """The least that is a project of Django, where the stack has no application."""
    if stack.get("framework") != "django" or stack.get("starter", True):
        return
    package = repository / "src" / "shop"
    package.mkdir(parents=True)
    (package / "settings.py").write_text(DJANGO_SETTINGS)
    on_mysql = stack.get("database") == "mysql"
    (package / "__init__.py").write_text(DJANGO_ON_MYSQL if on_mysql else "")
