"""The publisher of events that all requests of a process share."""

import atexit
from functools import cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from .messaging import Publisher


@cache
def get_publisher() -> Publisher:
    """The only one of this process, made for who first asks."""
    return Publisher(settings.BROKER_URL)


@atexit.register
def close_publisher() -> None:
    """Close its connection, if there is one; the next to ask gets a new publisher."""
    if get_publisher.cache_info().currsize:
        get_publisher().close()
        get_publisher.cache_clear()


@receiver(setting_changed)
def follow_setting(*, setting: str, **_: Any) -> None:
    """Tests change settings while the process runs."""
    if setting == "BROKER_URL":
        close_publisher()
