"""The base of your factories: they write as the application does.

Managed by Testbed: updates change this file. Your factories go in ../factories/.
"""

from __future__ import annotations

from typing import TypeVar

from factory.django import DjangoModelFactory

T = TypeVar("T")


class ModelFactory(DjangoModelFactory[T]):
    """Makes rows. `ProductFactory.create(stock=1)`; `build()` needs no database."""

    class Meta:
        abstract = True
        skip_postgeneration_save = True
