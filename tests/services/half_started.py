"""Servers that are up but not ready, of every service, and how they are made so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class HalfStarted:
    """A server that is up but not ready, and how it is made so.

    Commands are those of a shell in its container. The first of `naive` is fooled; what
    the others say is for the table. `begin` is repeated until it succeeds. Without
    `finish` the server can never become ready.
    """

    state: str
    service: str
    naive: tuple[str, ...]
    finish: str = ""
    begin: str = "true"
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    answers: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.service}, {self.state}"


def rdb(keys: int) -> bytes:
    """A file that Redis loads when it starts, with that many keys."""

    def text(content: str) -> bytes:
        return bytes([len(content)]) + content.encode()

    pairs = (b"\x00" + text(f"key:{n}") + text("v" * 40) for n in range(keys))
    no_checksum = bytes(8)
    return b"REDIS0009\xfe\x00" + b"".join(pairs) + b"\xff" + no_checksum


# As root before the server has made its cookie, a command of RabbitMQ would stop it.
HAS_COOKIE = "test -s /var/lib/rabbitmq/.erlang.cookie"

# An Erlang node that has not started its broker: `rabbitmqctl start_app` does that.
NODE_ONLY = {
    "RABBITMQ_NODE_ONLY": "true",
    "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-sname rabbit",
}

# Within milliseconds of the start of the AMQP listener, so that no check passes before.
START_AND_SUSPEND = """\
spawn(rabbit, start, []),
(fun Wait() ->
    case catch lists:keymember(amqp, 3, rabbit_networking:node_listeners(node())) of
        true -> ok = rabbit_maintenance:suspend_all_client_listeners();
        _ -> timer:sleep(1), Wait()
    end
end)()."""

KAFKA_BIN = "/opt/kafka/bin"
KAFKA_LISTENS = "bash -c '</dev/tcp/127.0.0.1/9092'"
KAFKA_PROCESS = "$(pidof java)"

# A further service is some more entries here, and one in LOG_IN.
HALF_STARTED = [
    HalfStarted(
        "first start, on its socket only",
        "postgres",
        files={
            "/docker-entrypoint-initdb.d/wait.sh": (
                b"until [ -e /tmp/finish ]; do sleep 0.1; done\n"
            )
        },
        begin="psql -U test -d test -c 'SELECT 1'",
        naive=(
            "pg_isready -U test -d test",
            "psql -U test -d test -c 'SELECT 1'",
            "pg_isready -h 127.0.0.1 -U test -d test",
        ),
        finish="touch /tmp/finish",
    ),
    HalfStarted(
        "its role is missing",
        "postgres",
        environment={"POSTGRES_USER": "admin"},
        naive=("pg_isready -h 127.0.0.1 -U test -d test",),
        finish=(
            "psql -h 127.0.0.1 -U admin test"
            """ -c "CREATE ROLE test LOGIN PASSWORD 'test'" """
        ),
    ),
    HalfStarted(
        "its database is missing",
        "postgres",
        environment={"POSTGRES_DB": "other"},
        naive=("pg_isready -h 127.0.0.1 -U test -d test",),
        finish="createdb -h 127.0.0.1 -U test test",
    ),
    HalfStarted(
        "first start, on its socket only",
        "mysql",
        answers={"database": "mysql"},
        files={
            "/docker-entrypoint-initdb.d/wait.sh": (
                b"until [ -e /tmp/finish ]; do sleep 0.1; done\n"
            )
        },
        begin="mysql -uroot -ptest -e 'SELECT 1' test",
        naive=(
            "mysqladmin ping",
            "mysqladmin ping -h localhost -uroot -ptest",
            "mysql -uroot -ptest -e 'SELECT 1' test",
            "mysqladmin ping -h 127.0.0.1 -uroot -ptest",
        ),
        finish="touch /tmp/finish",
    ),
    HalfStarted(
        "its password is another one",
        "mysql",
        answers={"database": "mysql"},
        environment={"MYSQL_ROOT_PASSWORD": "other"},
        naive=("mysqladmin ping -h 127.0.0.1 -uroot -ptest",),
        finish=(
            "mysql -h 127.0.0.1 -uroot -pother"
            """ -e "ALTER USER 'root'@'%' IDENTIFIED BY 'test'" """
        ),
    ),
    HalfStarted(
        "its database is missing",
        "mysql",
        answers={"database": "mysql"},
        environment={"MYSQL_DATABASE": "other"},
        naive=(
            "mysqladmin ping -h 127.0.0.1 -uroot -ptest",
            "mysql -h 127.0.0.1 -uroot -ptest -e 'SELECT 1'",
        ),
        finish="mysql -h 127.0.0.1 -uroot -ptest -e 'CREATE DATABASE test'",
    ),
    HalfStarted(
        "wants a password",
        "redis",
        arguments=("--requirepass", "secret"),
        naive=("redis-cli ping", "redis-cli ping | grep PONG"),
        finish="redis-cli -a secret config set requirepass ''",
    ),
    HalfStarted(
        "loads its data",
        "redis",
        files={"/preloaded/dump.rdb": rdb(20_000)},
        # For a minute, unless it is told to hurry; it still answers, between the keys.
        arguments=(
            *("--dir", "/preloaded", "--key-load-delay", "3000"),
            *("--loading-process-events-interval-bytes", "1024"),
        ),
        naive=("redis-cli ping", "redis-cli ping | grep PONG"),
        finish="redis-cli config set key-load-delay 0",
    ),
    HalfStarted(
        "wants a password",
        "valkey",
        answers={"cache": "valkey"},
        arguments=("--requirepass", "secret"),
        naive=("valkey-cli ping", "valkey-cli ping | grep PONG"),
        finish="valkey-cli -a secret config set requirepass ''",
    ),
    HalfStarted(
        "loads its data",
        "valkey",
        answers={"cache": "valkey"},
        files={"/preloaded/dump.rdb": rdb(20_000)},
        # As Redis does.
        arguments=(
            *("--dir", "/preloaded", "--key-load-delay", "3000"),
            *("--loading-process-events-interval-bytes", "1024"),
        ),
        naive=("valkey-cli ping", "valkey-cli ping | grep PONG"),
        finish="valkey-cli config set key-load-delay 0",
    ),
    HalfStarted(
        "its node is up, its broker is not",
        "rabbitmq",
        environment=NODE_ONLY,
        begin=f"{HAS_COOKIE} && rabbitmq-diagnostics -q ping",
        naive=(
            "rabbitmq-diagnostics -q ping",
            "rabbitmqctl status",
            "rabbitmq-diagnostics -q check_running",
        ),
        finish="rabbitmqctl start_app",
    ),
    HalfStarted(
        "its listeners are suspended",
        "rabbitmq",
        environment=NODE_ONLY,
        begin=f"{HAS_COOKIE} && rabbitmqctl eval '{START_AND_SUSPEND}'",
        naive=(
            "rabbitmq-diagnostics -q check_running",
            "rabbitmq-diagnostics -q ping",
            "rabbitmqctl status",
        ),
        finish="rabbitmqctl resume_listeners",
    ),
    HalfStarted(
        "listens, but does not answer",
        "kafka",
        answers={"broker": "kafka"},
        # At once, before any Java virtual machine of a check can have started.
        begin=f"{KAFKA_LISTENS} && kill -STOP {KAFKA_PROCESS}",
        naive=(KAFKA_LISTENS,),
        finish=f"kill -CONT {KAFKA_PROCESS}",
    ),
    HalfStarted(
        "advertises a wrong address",
        "kafka",
        answers={"broker": "kafka"},
        environment={
            "KAFKA_ADVERTISED_LISTENERS": (
                "HOST://127.0.0.1:9099,CONTAINERS://kafka:19092"
            )
        },
        naive=(
            f"{KAFKA_BIN}/kafka-topics.sh --bootstrap-server kafka:19092 --list",
            f"{KAFKA_BIN}/kafka-broker-api-versions.sh --bootstrap-server kafka:19092",
            KAFKA_LISTENS,
        ),
    ),
]
