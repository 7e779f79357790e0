"""python manage.py confirm_orders"""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from shop import consumer


class Command(BaseCommand):
    help = "Confirms orders, until it is stopped by SIGTERM or Ctrl-C."

    def handle(self, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        consumer.run(stop=stop)
