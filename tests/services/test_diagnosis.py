"""What a run tells: of a test that fails, of its queries, and of the services."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from .conftest import MakeRepository, Repository, Result

WITH_SQLALCHEMY = """\
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from .support.statements import assert_max_queries

pytestmark = pytest.mark.anyio

COLUMNS = "(sku, name, price_cents, stock)"
INSERT = text(f"INSERT INTO products {COLUMNS} VALUES (:s, '', 1, 1)")


async def test_passes(db_session):
    await db_session.execute(text("SELECT 'of another test'"))


async def test_many(db_session):
    for number in range(40):
        await db_session.execute(text("SELECT :number"), {"number": number})
    pytest.fail("on purpose", pytrace=False)


async def test_refused(db_session):
    long = text("SELECT :long, 'x'  ,\\n  'y'")
    await db_session.execute(long, {"long": "z" * 200})
    await db_session.execute(INSERT, {"s": "tea"})
    with pytest.raises(IntegrityError):
        await db_session.execute(INSERT, {"s": "tea"})
    await db_session.rollback()
    assert "on" == "purpose"


async def test_few_enough(db_session):
    with assert_max_queries(2):
        for number in range(2):
            await db_session.execute(text("SELECT 1"))
            await db_session.commit()


async def test_too_many(db_session):
    with assert_max_queries(2):
        for number in range(3):
            await db_session.execute(text("SELECT :counted"), {"counted": number})
"""
WITH_DJANGO = """\
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction

from .support.statements import assert_max_queries

COLUMNS = "(sku, name, price_cents, stock)"
INSERT = f"INSERT INTO shop_product {COLUMNS} VALUES (%s, '', 1, 1)"


def execute(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_passes(db):
    execute("SELECT 'of another test'")


def test_many(db):
    for number in range(40):
        execute("SELECT %s", number)
    pytest.fail("on purpose", pytrace=False)


def test_refused(db):
    execute("SELECT %s, 'x'  ,\\n  'y'", "z" * 200)
    execute(INSERT, "tea")
    with pytest.raises(IntegrityError), transaction.atomic():
        execute(INSERT, "tea")
    assert "on" == "purpose"


@pytest.mark.commits
def test_thread(db):
    def look():
        execute("SELECT 'in a thread'")
        connection.close()

    with ThreadPoolExecutor() as threads:
        threads.submit(look).result()
    pytest.fail("on purpose")


def test_few_enough(db):
    with assert_max_queries(2):
        for number in range(2):
            with transaction.atomic():
                execute("SELECT 1")


def test_too_many(db):
    with assert_max_queries(2):
        for number in range(3):
            execute("SELECT %s", number)
"""


def in_sync_words(body: str) -> str:
    return (
        body.replace("async def", "def")
        .replace("await ", "")
        .replace("pytestmark = pytest.mark.anyio\n", "")
    )


def failures(repository: Repository, result: Result) -> dict[str, str]:
    """What the JUnit report tells of each failed test; the terminal shows it, too."""
    report = ElementTree.parse(repository.path / "junit.xml")
    told = {
        str(case.get("name")): problem.text or ""
        for case in report.iter("testcase")
        for problem in (*case.iter("failure"), *case.iter("error"))
    }
    for text in told.values():
        for line in text.splitlines():
            assert line.rstrip() in result.output
    return told


@pytest.mark.parametrize(
    "answers",
    [
        {"framework": "fastapi", "database": "postgres"},
        {"framework": "fastapi", "database": "mysql", "database_access": "sync"},
        {"framework": "flask", "database": "postgres"},
        {"framework": "django", "database": "mysql"},
        {"framework": "django", "database": "postgres"},
    ],
    ids=lambda answers: "-".join(answers.values()),
)
def test_a_failed_test_shows_the_sql_that_it_ran(
    make_repository: MakeRepository, answers: dict[str, str]
) -> None:
    repository = make_repository(cache="none", broker="none", **answers)
    body = WITH_DJANGO if answers["framework"] == "django" else WITH_SQLALCHEMY
    if answers.get("database_access") == "sync" or answers["framework"] == "flask":
        body = in_sync_words(body)
    module = repository.add_test("sql", body)

    result = repository.pytest(module, "--junit-xml=junit.xml", "-p", "no:randomly")

    told = failures(repository, result)
    assert result.counts["passed"] == 2, result.output
    assert "of another test" not in result.output
    assert "CREATE TABLE" not in result.output  # of migrations

    many = told["test_many"]
    assert re.search(r"SQL, the last 30 of 4[0-2] statements", many)
    assert many.count("SELECT %") == 30
    assert "39" in many.splitlines()[-1]

    refused = told["test_refused"]
    assert re.search(r"\d\.\d ms  SELECT .*, 'x' , 'y'", refused)
    assert "zzz...zzz" in refused
    assert "z" * 100 not in refused
    assert re.search(r"(IntegrityError|UniqueViolation): .*(sku|1062)", refused)

    too_many = told["test_too_many"]
    assert "3 statements were run, where 2 were to be enough" in too_many
    if answers["framework"] == "django":
        assert "in a thread" in told["test_thread"]


LOCKS = {
    "postgres": """\
from .support.postgres import connect


def run(connection, statement):
    connection.execute(statement)


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


def is_waiting(connection):
    return connection.execute(WAITING).fetchone() == (1,)
""",
    "mysql": """\
from .support.mysql import connect, query as run

WAITING = "SELECT count(*) FROM performance_schema.data_lock_waits"


def is_waiting(connection):
    return run(connection, WAITING) == [(1,)]
""",
}
TEST_LOCKS = """

from concurrent.futures import ThreadPoolExecutor

import pytest

from .support.waiting import wait_until


@pytest.fixture
def jobs(database):
    with connect(database) as connection:
        run(connection, "CREATE TABLE jobs (id int PRIMARY KEY)")
        run(connection, "INSERT INTO jobs VALUES (1)")
        yield
        run(connection, "DROP TABLE jobs")


def test_alone(jobs, database):
    with connect(database) as connection:
        run(connection, "BEGIN")
        run(connection, "SELECT * FROM jobs")
        pytest.fail("on purpose")


# The report is made after a test, and before its fixtures end.
@pytest.fixture
def blocked(jobs, database):
    with connect(database) as holder, connect(database) as waiter:
        with connect(database) as observer, ThreadPoolExecutor() as threads:
            run(holder, "BEGIN")
            run(holder, "UPDATE jobs SET id = 2")
            blocked = threads.submit(run, waiter, "UPDATE jobs  SET id = 3")
            try:
                wait_until(lambda: is_waiting(observer), what="the second to wait")
                yield
            finally:
                run(holder, "ROLLBACK")
                blocked.result()


def test_blocked(blocked):
    pytest.fail("on purpose")
"""


@pytest.mark.parametrize("database", LOCKS)
def test_a_failed_test_shows_who_waits_for_whose_lock(
    make_repository: MakeRepository, database: str
) -> None:
    repository = make_repository(
        framework="flask", database=database, cache="none", broker="none"
    )
    module = repository.add_test("locks", LOCKS[database] + TEST_LOCKS)

    result = repository.pytest(module, "--junit-xml=junit.xml")

    told = failures(repository, result)
    assert "as the test failed" not in told["test_alone"]
    sessions = re.findall(r"^session (\d+): (.*)", told["test_blocked"], re.MULTILINE)
    assert len(sessions) == 2, result.output
    ((holder, held), (_, waited)) = sessions
    assert "idle in transaction" in held
    assert held.endswith("after: UPDATE jobs SET id = 2")
    assert f"waits for a lock of session {holder}, at: UPDATE jobs SET id = 3" in waited


QUEUES_OF_RABBITMQ = """\
import pytest


def test_queues(rabbitmq_channel):
    rabbitmq_channel.queue_declare("jobs", durable=True)
    rabbitmq_channel.queue_declare("own", exclusive=True)
    for _ in range(3):
        rabbitmq_channel.basic_publish("", "jobs", b"job")
    rabbitmq_channel.basic_get("jobs")
    pytest.fail("on purpose")
"""
TOPICS = """\
import pytest
from {client} import Consumer

from .support.kafka import settings


def test_topic(kafka_topic):
    kafka_topic.produce(b"1", b"2", b"3")
    own = {{"group.id": kafka_topic.group, "auto.offset.reset": "earliest"}}
    with Consumer(settings(kafka_topic.broker) | own) as consumer:
        consumer.subscribe([kafka_topic.name])
        message = consumer.poll(30)
        consumer.commit(message, asynchronous=False)
        pytest.fail("on purpose")
""".format(client="confluent_kafka")
IN_ASYNC = {
    "rabbitmq": """\
import aio_pika
import pytest


@pytest.mark.anyio
async def test_queues(rabbitmq_channel):
    await rabbitmq_channel.set_qos(prefetch_count=1)
    queue = await rabbitmq_channel.declare_queue("jobs", durable=True)
    await rabbitmq_channel.declare_queue("own", exclusive=True)
    for _ in range(3):
        message = aio_pika.Message(b"job")
        await rabbitmq_channel.default_exchange.publish(message, "jobs")
    await queue.get()
    pytest.fail("on purpose")
""",
    "kafka": """\
import pytest
from aiokafka import AIOKafkaConsumer

from .support.kafka import servers


@pytest.mark.anyio
async def test_topic(kafka_topic):
    await kafka_topic.produce(b"1", b"2", b"3")
    async with AIOKafkaConsumer(
        kafka_topic.name,
        bootstrap_servers=servers(kafka_topic.broker),
        group_id=kafka_topic.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    ) as consumer:
        await consumer.getone()
        await consumer.commit()
        pytest.fail("on purpose")
""",
}
IN_SYNC = {"rabbitmq": QUEUES_OF_RABBITMQ, "kafka": TOPICS}
TOLD = {
    "rabbitmq": [
        "queue jobs: 2 ready, 1 not acknowledged, 0 consumers",
        "queue own: 0 ready, 0 not acknowledged, unknown consumers",
    ],
    "kafka": [
        r"topic test_\S+, partition 0: 3 messages, ends at offset 3",
        r"group test_\S+.group: 2 behind in test_\S+, partition 0",
    ],
}


@pytest.mark.parametrize("access", ["async", "sync"])
@pytest.mark.parametrize("broker", TOLD)
def test_a_failed_test_shows_what_waits_in_the_broker(
    make_repository: MakeRepository, broker: str, access: str
) -> None:
    repository = make_repository(database_access=access, cache="none", broker=broker)
    body = (IN_ASYNC if access == "async" else IN_SYNC)[broker]
    module = repository.add_test("broker", body)

    result = repository.pytest(module, "--junit-xml=junit.xml")

    (text,) = failures(repository, result).values()
    for line in TOLD[broker]:
        assert re.search(line, text), result.output


def test_a_server_that_hangs_does_not_hang_the_report(
    make_repository: MakeRepository,
) -> None:
    repository = make_repository(framework="flask", cache="none", broker="none")
    body = """\
import subprocess

import pytest

from .support import diagnostics

diagnostics.ANSWERS_WITHIN = 1.0


def hang(endpoint):
    subprocess.run(["sleep", "60"])


def fail(endpoint):
    raise OSError("the server is away")


@pytest.mark.parametrize("activity", [hang, fail])
def test_fails(database, activity, request):
    services = request.getfixturevalue("services")
    services.uses[database.service.name].activity = activity
    pytest.fail("on purpose")
"""
    module = repository.add_test("hangs", body)
    result = repository.pytest(module, "--junit-xml=junit.xml")
    told = failures(repository, result)
    assert "(no answer within 1 s)" in told["test_fails[hang]"]
    assert "(no answer: the server is away)" in told["test_fails[fail]"]


HEADER = re.compile(r"^testbed: .*PostgreSQL .*, started on demand", re.MULTILINE)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_one_line_says_which_services_there_are(
    make_repository: MakeRepository, workers: str
) -> None:
    """Whether pytest knows the folder in time, as from `testpaths`, or not."""
    repository = make_repository(framework="flask", cache="none", broker="none")
    answers = repository.path / ".copier-answers.yml"
    answers.write_text(f"_commit: v1.2.3\n{answers.read_text()}")
    known = repository.pytest("--collect-only")
    assert "testbed: v1.2.3; PostgreSQL" in known.output
    module = "tests/integration/test_isolation.py"
    for arguments in (
        [module],
        ["-c", "/dev/null", "--rootdir", ".", "-k", "isolation"],
    ):
        result = repository.pytest(*arguments, "-n", workers)
        assert result.code == 0, result.output
        assert len(HEADER.findall(result.output)) == 1, result.output
    elsewhere = repository.pytest("--collect-only", TEST_POSTGRES_HOST="db.example.com")
    assert "testbed: v1.2.3; PostgreSQL at db.example.com, as TEST_" in elsewhere.output


@pytest.mark.parametrize("workers", ["0", "3"])
def test_a_table_tells_of_the_services_that_were_used(
    make_repository: MakeRepository, workers: str
) -> None:
    repository = make_repository(framework="flask", broker="none")
    redis = "tests/integration/test_redis.py"
    arguments = ("-n", workers, "tests/integration/test_postgres.py", redis)
    result = repository.pytest(*arguments, TEST_SERVICES_REPORT="1")

    assert result.output.count("testbed: services") == 1, result.output
    table = result.output.partition("testbed: services\n")[2].splitlines()
    assert table[0].split()[:4] == ["service", "image", "version", "address"]
    assert len({line.index("started in") for line in table[1:3]}) == 1
    rows = {line.split()[0]: line for line in table[1:3]}
    assert re.search(r" 18\.\d.* 127\.0\.0\.1:\d+ +test +test_", rows["PostgreSQL"])
    assert re.search(r"started in \d+\.\d s +\d+\.\d\d s +3$", rows["PostgreSQL"])
    assert "password" not in "".join(table)
    assert "test:test" not in "".join(table)


def test_nothing_is_asked_for_tests_that_pass(make_repository: MakeRepository) -> None:
    repository = make_repository(framework="flask", cache="none", broker="none")
    diagnostics = repository.path / "tests/integration/support/diagnostics.py"
    text = diagnostics.read_text()
    assert "def _findings(" in text
    diagnostics.write_text(text.replace("def _findings(", "def _gone("))
    result = repository.pytest("tests/integration/test_isolation.py")
    assert result.code == 0, result.output
