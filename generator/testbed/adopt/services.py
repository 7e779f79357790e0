"""Which services an application talks to, by its clients, addresses and images."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .dependencies import Dependency, dependencies
from .facts import Evidence, Fact, agreed, found, unknown
from .repository import Module, Repository

# What says which server is there: packages as they are imported, or their extras.
CLIENTS = {
    "database": {
        "postgres": "asyncpg psycopg psycopg2 psycopg2cffi pg8000 aiopg"
        " tortoise-orm[asyncpg] databases[postgresql] databases[asyncpg]",
        "cockroachdb": "sqlalchemy_cockroachdb django_cockroachdb",
        "mysql": "pymysql MySQLdb aiomysql asyncmy mysql databases[mysql]",
        "mariadb": "mariadb",
        "mongodb": "pymongo motor beanie mongoengine flask_pymongo",
        "oracle": "oracledb cx_Oracle",
        "mssql": "pyodbc pymssql mssql",
    },
    "cache": {
        "redis": "redis aioredis aredis coredis walrus django_redis flask_redis"
        " redis_om fastapi_limiter fastapi_cache[redis] aiocache[redis]",
        "valkey": "valkey glide django_valkey",
        "memcached": "pymemcache memcache pylibmc aiomcache bmemcached",
    },
    "broker": {
        "rabbitmq": "pika aio_pika aiormq amqpstorm aioamqp rabbitpy faststream[rabbit]"
        " dramatiq[rabbitmq] taskiq_aio_pika",
        "kafka": "confluent_kafka kafka aiokafka faust pykafka quixstreams"
        " faststream[kafka] faststream[confluent]",
        "nats": "nats faststream[nats]",
        "pulsar": "pulsar",
        "sqs": "celery[sqs] kombu[sqs]",
    },
}
# What could use one of them, and says not which; `amqp` comes with kombu.
QUEUES = {
    "celery",
    "kombu",
    "amqp",
    "dramatiq",
    "huey",
    "taskiq",
    "nameko",
    "django_q2",
}
# What runs on Redis alone.
_QUEUES_ON_REDIS = {"rq", "arq", "saq", "channels_redis", "django_rq", "flask_rq2"}

# The packages whose names are not those that are imported.
_IMPORTED_AS = {
    "psycopg2-binary": "psycopg2",
    "psycopg-binary": "psycopg",
    "psycopg-c": "psycopg",
    "mysqlclient": "MySQLdb",
    "mysql-connector-python": "mysql",
    "cx-oracle": "cx_Oracle",
    "mssql-django": "mssql",
    "fastapi-cache2": "fastapi_cache",
    "valkey-glide": "glide",
    "python-memcached": "memcache",
    "python-binary-memcached": "bmemcached",
    "kafka-python": "kafka",
    "kafka-python-ng": "kafka",
    "faust-streaming": "faust",
    "nats-py": "nats",
    "pulsar-client": "pulsar",
    "channels-redis": "channels_redis",
    "tortoise-orm": "tortoise-orm",
    "fastapi-slim": "fastapi",
}

# What extras of any package tell; that of Redis may be for a queue alone.
_EXTRAS = [
    (r"postgres.*|asyncpg|psycopg.*", "database postgres"),
    (r".*mysql|asyncmy", "database mysql"),
    (r"rabbit(mq)?", "broker rabbitmq"),
    (r"kafka|confluent", "broker kafka"),
    (r"(hi)?redis", ""),
]

_SCHEMES = {
    "postgres": "database postgres",
    "postgresql": "database postgres",
    "mysql": "database mysql",
    "mariadb": "database mariadb",
    "cockroachdb": "database cockroachdb",
    "mongodb": "database mongodb",
    "oracle": "database oracle",
    "mssql": "database mssql",
    "postgis": "database postgis",
    "redis": "cache redis",
    "rediss": "cache redis",
    "valkey": "cache valkey",
    "amqp": "broker rabbitmq",
    "amqps": "broker rabbitmq",
    "pyamqp": "broker rabbitmq",
    "kafka": "broker kafka",
    "nats": "broker nats",
    "sqs": "broker sqs",
}
_ADDRESS = re.compile(
    rf"\b({'|'.join(_SCHEMES)})(\+[a-z0-9]+)?://"
    rf"|^({'|'.join(_SCHEMES)})\+[a-z0-9]+$"
)
# What settings of Django name.
_BACKENDS = {
    "django.db.backends.postgresql": "database postgres",
    "django.db.backends.postgresql_psycopg2": "database postgres",
    "django.db.backends.mysql": "database mysql",
    "django.db.backends.oracle": "database oracle",
    # The image of the bed has no PostGIS.
    "django.contrib.gis.db.backends.postgis": "database postgis",
    "django.contrib.gis.db.backends.mysql": "database mysql",
    "mssql": "database mssql",
    "django.core.cache.backends.redis.RedisCache": "cache redis",
    "django_redis.cache.RedisCache": "cache redis",
    "django_valkey.cache.ValkeyCache": "cache valkey",
    "django.core.cache.backends.memcached.PyMemcacheCache": "cache memcached",
    "django.core.cache.backends.memcached.PyLibMCCache": "cache memcached",
}
_IMAGES = [
    (r"cockroach", "database cockroachdb"),
    (r"postgis", "database postgis"),
    (r"postgres(ql)?|timescaledb|pgvector", "database postgres"),
    (r"mysql|percona", "database mysql"),
    (r"mariadb", "database mariadb"),
    (r"mongo", "database mongodb"),
    (r"valkey", "cache valkey"),
    (r"redis", "cache redis"),
    (r"memcached", "cache memcached"),
    (r"rabbitmq", "broker rabbitmq"),
    (r"redpanda", "broker redpanda"),
    (r"kafka", "broker kafka"),
    (r"nats", "broker nats"),
]
_COMPOSE = r"(.*/)?(docker-)?compose[\w.-]*\.ya?ml|\.github/workflows/[^/]+\.ya?ml"
_GITLAB = r"\.gitlab-ci\.yml"
_IMAGE = r"[\"']?([^\s\"'#]+)[\"']?\s*(?:#.*)?$"
_ENVIRONMENT = r"(.*/)?(\.env[.-]\w+|\w+\.env|\.flaskenv|Dockerfile.*)|" + _COMPOSE

Places = dict[str, list[Evidence]]


class Services:
    """What is seen of services in a repository.

    `packages` maps what is imported, or could be, to where; an extra is written after
    it, `celery[redis]`. `settings` and `images` map "role kind" to where. `indirect` is
    what no list names, though it is imported, or what a tool may have listed. All names
    that are listed are in `listed`; if people wrote such a list, it `declares`.
    """

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.packages: Places = {}
        self.indirect: Places = {}
        self.settings: Places = {}
        self.images: Places = {}
        self.declares = False
        self.listed: set[str] = set()
        for dependency in dependencies(repository):
            name = dependency.name
            name = _IMPORTED_AS.get(name, name.replace("-", "_"))
            names = [name, *(f"{name}[{extra}]" for extra in dependency.extras)]
            seen = self.indirect if dependency.is_indirect else self.packages
            self.listed |= {name}
            for each in names:
                seen.setdefault(each, []).append(dependency.evidence)
            self._read_extras(dependency)
            self.declares |= not dependency.is_indirect
        for module in repository.modules:
            for imported, evidence in _imported(module):
                is_declared = not self.declares or imported in self.packages
                seen = self.packages if is_declared else self.indirect
                seen.setdefault(imported, []).append(evidence)
            for kind, evidence in _in_strings(module):
                self.settings.setdefault(kind, []).append(evidence)
        self._read_environment()

    def _read_extras(self, dependency: Dependency) -> None:
        for extra in dependency.extras:
            for pattern, kind in _EXTRAS:
                if re.fullmatch(pattern, extra.lower()):
                    if kind and not dependency.is_indirect:
                        self.settings.setdefault(kind, []).append(dependency.evidence)
                    else:
                        self.indirect.setdefault("redis", []).append(
                            dependency.evidence
                        )
                    break

    def _read_environment(self) -> None:
        for match, path in self.repository.matches(_ENVIRONMENT, _ADDRESS.pattern):
            scheme = match[1] or match[3]
            evidence = self.repository.at(path, match.start(), f"{scheme}://")
            self.settings.setdefault(_SCHEMES[scheme], []).append(evidence)
        images = [*self.repository.matches(_COMPOSE, r"^\s*-?\s*image:\s*" + _IMAGE)]
        images += self.repository.matches(_GITLAB, r"^\s*-\s*(?:name:\s*)?" + _IMAGE)
        for match, path in images:
            # `${IMAGE:-name:1}` has a default; without a mirror's host and the tag.
            image = re.sub(r"\$\{\w+:?-([^}]*)\}", r"\1", match[1])
            image = re.split("[:@]", image.rsplit("/", 1)[-1])[0]
            for pattern, kind in _IMAGES:
                # What is made for a server has its name, too: an exporter, a UI.
                if re.fullmatch(
                    rf"({pattern})(-?ha|-?server|-alpine|)|cp-kafka", image
                ):
                    evidence = self.repository.at(path, match.start(1), image)
                    self.images.setdefault(kind, []).append(evidence)
                    break

    def clients(self, role: str) -> Places:
        """The kinds of servers that a client or a setting is there for."""
        seen: Places = {}
        for kind, packages in CLIENTS[role].items():
            for package in packages.split():
                if package in self.packages:
                    seen.setdefault(kind, []).extend(self.packages[package])
        for kind, places in _of_role(self.settings, role).items():
            # The same protocol: it says nothing of the server.
            if kind == "redis" and "valkey" in seen:
                continue
            if kind in seen or not self._is_address_alone(role, places):
                seen.setdefault(kind, []).extend(places)
        return seen

    def _is_address_alone(self, role: str, places: list[Evidence]) -> bool:
        """Whether no client is listed: it may be another program's, or be refused."""
        if not self.declares or (role == "broker" and self.queues()):
            return False
        return all(place.words.endswith("://") for place in places)

    def hints(self, role: str) -> Places:
        """What else could tell of a server, and is too weak for an answer."""
        seen = _of_role(self.images, role)
        for kind, places in _of_role(self.settings, role).items():
            if self._is_address_alone(role, places):
                seen.setdefault(kind, []).extend(places)
        for kind, packages in CLIENTS[role].items():
            for package in packages.split():
                if package in self.indirect:
                    seen.setdefault(kind, []).extend(self.indirect[package])
        return seen

    def queues(self, libraries: set[str] = QUEUES) -> list[Evidence]:
        """The libraries that could use a broker, or Redis in place of one."""
        return [
            evidence
            for seen in (self.packages, self.indirect)
            for package, places in seen.items()
            if package.split("[")[0] in libraries
            for evidence in places
        ]

    def database(self) -> Fact:
        name = "database"
        clients, images = self.clients(name), _of_role(self.images, name)
        return self._decide(name, clients, images, self.hints(name))

    def cache(self) -> Fact:
        name = "cache"
        clients, images = self.clients(name), _of_role(self.images, name)
        queues = self.queues(QUEUES | _QUEUES_ON_REDIS)
        if queues and not self._caches():
            # It may be the queue's alone: a server there is, a cache perhaps not.
            hints = clients | self.hints(name)
            if not hints and not self.broker().is_found:
                hints = {"redis": queues}
            if hints:
                return unknown(name, "it may serve the task queue alone", hints)
        if set(clients) == {"redis"} and set(images) == {"valkey"}:
            # Clients of Redis speak to Valkey, too: the image says which it is.
            return found(name, "valkey", images["valkey"] + clients["redis"])
        return self._decide(name, clients, images, self.hints(name))

    def _caches(self) -> bool:
        """Whether code of the application itself uses one."""
        return any(
            evidence.path.endswith(".py")
            and evidence.path != "setup.py"
            and not evidence.words.endswith("://")
            for places in self.clients("cache").values()
            for evidence in places
        )

    def broker(self) -> Fact:
        name = "broker"
        clients, images = self.clients(name), _of_role(self.images, name)
        hints = self.hints(name)
        if not clients and (queues := self.queues()):
            if set(images) == {"rabbitmq"}:
                return found(name, "rabbitmq", images["rabbitmq"] + queues)
            return unknown(
                name,
                "the task queue does not say what it runs on",
                hints or {"rabbitmq": queues, "none": queues},
            )
        return self._decide(name, clients, images, hints)

    def _decide(
        self, name: str, clients: Places, images: Places, hints: Places
    ) -> Fact:
        known = {"database": {"postgres", "mysql"}, "cache": {"redis", "valkey"}}
        choices = known.get(name, {"rabbitmq", "kafka"})
        if not clients:
            if hints:
                return unknown(
                    name, "nothing shows that the application uses it", hints
                )
            if name == "database":
                return unknown(name, "no driver and no address of one is there")
            if not self.declares:
                return unknown(name, "no list of dependencies is there")
            listed = next(
                place
                for places in self.packages.values()
                for place in places
                if not place.path.endswith(".py") or place.path == "setup.py"
            )
            words = "no client of one among the dependencies"
            return found(name, "none", [Evidence(listed.path, 0, words)])
        if images and not (images.keys() & clients.keys()):
            return unknown(name, "client and image disagree", clients | images)
        fact = agreed(name, clients, "")
        if fact.is_found and fact.value not in choices:
            return unknown(name, f"the bed has no {fact.value}", clients)
        if fact.is_found and name == "cache" and len(images) > 1:
            return unknown(name, "more than one is there", images)
        evidence = (*fact.evidence, *images.get(str(fact.value), []))
        return Fact(**{**fact.__dict__, "evidence": evidence})


def _of_role(seen: Places, role: str) -> Places:
    return {
        kind.split()[1]: list(places)
        for kind, places in seen.items()
        if kind.startswith(f"{role} ")
    }


def _imported(module: Module) -> Iterator[tuple[str, Evidence]]:
    for node in ast.walk(module.tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        for name in names:
            yield name.split(".")[0], module.at(node, f"import {name}")


def _strings(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """The texts in the code of a module, without its docstrings."""
    prose = {
        id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)
    }
    for node in ast.walk(module.tree):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, str) and id(node) not in prose:
            yield node, value


def _in_strings(module: Module) -> Iterator[tuple[str, Evidence]]:
    for node, text in _strings(module):
        if text in _BACKENDS:
            yield _BACKENDS[text], module.at(node, text)
        elif match := _ADDRESS.match(text):  # not what a sentence mentions
            # Never the address itself: it may have a password.
            scheme = match[1] or match[3]
            yield _SCHEMES[scheme], module.at(node, f"{scheme}://")
