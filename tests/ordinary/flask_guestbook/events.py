import json
import os

import pika

QUEUE = "guestbook"


def publish(kind, data):
    url = os.environ.get("AMQP_URL", "amqp://guest:guest@mq.invalid/")
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare(QUEUE, durable=True)
    body = json.dumps({"kind": kind, **data})
    channel.basic_publish("", QUEUE, body.encode())
    connection.close()
