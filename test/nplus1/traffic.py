"""Traffic whose truth is known: kinds of requests, each played by real clients, statement by statement, sessions in turns.

A kind is a generator: it yields (sql, parameters) and is sent the rows. In its SQL {p}, {c}, {d}, {e} stand for
table aliases that name kind and lane ("lane": client and mode), so that what is found can be told to what was played:
fingerprints do not change with values, comments and placeholders, but with the name before a column.
"""
import asyncio
import ctypes
import ctypes.util
import dataclasses
import itertools
import random
import re
import time
import typing
import uuid

PAUSE_S = 2.5  # between two polls; the detector is told that requests end after less
IDLE_GAP = "2s"

SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL, tenant int NOT NULL);
CREATE TABLE authors (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE posts (id bigint PRIMARY KEY, user_id int NOT NULL REFERENCES users, slug text NOT NULL UNIQUE,
    ref uuid NOT NULL UNIQUE, author_id int REFERENCES authors, has_comments bool NOT NULL, title text NOT NULL);
CREATE TABLE comments (id bigint PRIMARY KEY, post_id bigint NOT NULL REFERENCES posts, slug text NOT NULL, ref uuid NOT NULL,
    body text NOT NULL, score int NOT NULL, written timestamp NOT NULL);
CREATE TABLE replies (id bigint PRIMARY KEY, comment_id bigint NOT NULL REFERENCES comments, body text NOT NULL);
CREATE TABLE audit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text, number int);
INSERT INTO authors SELECT i, 'author ' || i FROM generate_series(1, 12) AS i;
INSERT INTO users SELECT i, 'user' || i || '@example.com', 1 + i % 5 FROM generate_series(1, 40) AS i;
INSERT INTO posts SELECT u.id * 100 + n, u.id, 'post-' || u.id || '-' || n, md5(u.id || ':' || n)::uuid,
    CASE WHEN n % 4 = 0 THEN NULL ELSE 1 + (u.id * 7 + n * 5) % 12 END, n % 3 <> 0, 'Title ' || n
  FROM users AS u, generate_series(1, 8 + u.id % 5) AS n;
INSERT INTO comments SELECT p.id * 10 + n, p.id, p.slug, p.ref, 'körper ' || n, (p.id * n) % 17,
    timestamp '2026-01-01' + p.id * interval '1 minute' + n * interval '1 hour'
  FROM posts AS p, generate_series(1, 3 + p.id::int % 3) AS n;
INSERT INTO replies SELECT c.id * 10 + n, c.id, 'reply' FROM comments AS c, generate_series(1, 2) AS n WHERE c.id % 2 = 0;
CREATE INDEX ON posts (user_id); CREATE INDEX ON comments (post_id); CREATE INDEX ON replies (comment_id);
CREATE INDEX ON comments (slug); CREATE INDEX ON comments (ref);
DO $$ BEGIN FOR i IN 1..5 LOOP
    EXECUTE format('CREATE SCHEMA tenant_%s', i);
    EXECUTE format('CREATE TABLE tenant_%s.orders AS SELECT g AS id, g * 10 AS total FROM generate_series(1, %s) AS g', i, i * 3);
END LOOP; END $$;
ANALYZE;
"""

# -- kinds --------------------------------------------------------------------------------------


@dataclasses.dataclass
class Truth:
    """What has to be found: one finding for each."""
    kind: str  # "n+1", "loop", "duplicate"
    parent: str = ""  # letter of the parent's alias
    key: str = ""  # the parent's column
    children: str = "c"
    also: tuple = ()  # kinds that are as right


@dataclasses.dataclass
class Kind:
    name: str
    group: str  # "n+1", "m×n+1", "loop", "duplicate", "none"
    play: typing.Callable
    truths: tuple = ()
    only: str = ""  # clients that can play it; "": all that speak SQL


KINDS = []


def kind(group, *truths, only=""):
    def add(play):
        KINDS.append(Kind(play.__name__, group, play, truths, only))
        return play
    return add


class Pause:
    """Nothing is asked for a while; in transaction mode the transaction has ended."""


class End:
    """The transaction ends here, and a new one begins with the next statement."""


def posts_of(columns="id, title", more=""):
    return f"SELECT {columns} FROM posts AS {{p}} WHERE {{p}}.user_id = $1 {more} ORDER BY id"


def some_user(chance):
    return chance.randint(1, 40)


@kind("n+1", Truth("n+1", "p", "id"))
def count_each(chance):
    for row in (yield posts_of(), some_user(chance)):
        yield "SELECT count(*) FROM comments AS {c} WHERE {c}.post_id = $1", row[0]


@kind("n+1", Truth("n+1", "p", "id"))
def rows_each(chance):
    for row in (yield posts_of(), some_user(chance)):
        yield "SELECT id, body, written FROM comments AS {c} WHERE {c}.post_id = $1 ORDER BY id", row[0]


@kind("n+1", Truth("n+1", "p", "id"))
def newest_each(chance):
    for row in (yield posts_of("title, id"), some_user(chance)):
        yield "SELECT body, score FROM comments AS {c} WHERE {c}.post_id = $1 ORDER BY written DESC LIMIT 1", row[1]


@kind("n+1", Truth("n+1", "p", "id"))
def sums_each(chance):
    user = some_user(chance)
    for row in (yield posts_of("id, title, user_id"), user):
        yield ("SELECT sum({c}.score), max({c}.written) FROM comments AS {c} JOIN posts AS q ON q.id = {c}.post_id"
               " WHERE q.user_id = $1 AND {c}.post_id = $2", user, row[0])


@kind("n+1", Truth("n+1", "p", "slug"))
def by_text(chance):
    for row in (yield posts_of("title, slug"), some_user(chance)):
        yield "SELECT id, body FROM comments AS {c} WHERE {c}.slug = $1", row[1]


@kind("n+1", Truth("n+1", "p", "ref"))
def by_uuid(chance):
    for row in (yield posts_of("slug, ref"), some_user(chance)):
        yield "SELECT id, score FROM comments AS {c} WHERE {c}.ref = $1::uuid", str(row[1])


@kind("n+1", Truth("n+1", "p", "author_id"))
def nulls_skipped(chance):
    for row in (yield posts_of("title, author_id"), some_user(chance)):
        if row[1] is not None:
            yield "SELECT name FROM authors AS {c} WHERE {c}.id = $1", row[1]


@kind("n+1", Truth("n+1", "p", "author_id"))
def distinct_keys(chance):
    """As an identity map does: each key once, in the order in which they are met."""
    seen = set()
    for row in (yield "SELECT id, author_id FROM posts AS {p} WHERE {p}.user_id <= $1 ORDER BY id LIMIT 12", 3 + some_user(chance)):
        if row[1] is not None and row[1] not in seen:
            seen.add(row[1])
            yield "SELECT id, name FROM authors AS {c} WHERE {c}.id = $1", row[1]


@kind("n+1", Truth("n+1", "p", "id"))
def some_rows_skipped(chance):
    for row in (yield posts_of("id, has_comments"), some_user(chance)):
        if row[1]:
            yield "SELECT body FROM comments AS {c} WHERE {c}.post_id = $1 AND score >= 0", row[0]


@kind("n+1", Truth("n+1", "p", "id"))
def others_before(chance):
    """The parent is not the request's first statement, and something else is asked behind the loop."""
    user = some_user(chance)
    yield "SELECT email FROM users WHERE id = $1", user
    yield "SELECT count(*) FROM posts AS {d} WHERE {d}.user_id = $1", user
    for row in (yield posts_of(), user):
        yield "SELECT min(score) FROM comments AS {c} WHERE {c}.post_id = $1", row[0]
    yield "SELECT tenant FROM users WHERE id = $1", user


@kind("n+1", Truth("n+1", "p", "id"))
def one_between(chance):
    """Something else stands between the parent and its children."""
    user = some_user(chance)
    rows = yield posts_of(), user
    yield "SELECT email, tenant FROM users WHERE id = $1", user
    for row in rows:
        yield "SELECT max(score) FROM comments AS {c} WHERE {c}.post_id = $1", row[0]


@kind("m×n+1", Truth("n+1", "p", "id", "cd"))
def two_each(chance):
    user = some_user(chance)
    for row in (yield posts_of(), user):
        yield "SELECT count(*) FROM comments AS {c} WHERE {c}.post_id = $1", row[0]
        yield "SELECT max(written) FROM comments AS {d} WHERE {d}.post_id = $1", row[0]


@kind("m×n+1", Truth("n+1", "p", "id", "cde"))
def three_each(chance):
    user = some_user(chance)
    for row in (yield posts_of(), user):
        yield "SELECT count(*) FROM comments AS {c} WHERE {c}.post_id = $1 AND score > $2", row[0], 3
        yield "SELECT body FROM comments AS {d} WHERE {d}.post_id = $1 ORDER BY id LIMIT 1", row[0]
        yield "SELECT count(*) FROM replies AS {e} JOIN comments AS q ON q.id = {e}.comment_id WHERE q.post_id = $1", row[0]


@kind("m×n+1", Truth("n+1", "p", "id", "c"), Truth("n+1", "c", "id", "d"))
def nested(chance):
    for row in (yield "SELECT id FROM posts AS {p} WHERE {p}.user_id = $1 ORDER BY id LIMIT 5", some_user(chance)):
        for comment in (yield "SELECT id, body FROM comments AS {c} WHERE {c}.post_id = $1 ORDER BY id", row[0]):
            yield "SELECT body FROM replies AS {d} WHERE {d}.comment_id = $1", comment[0]


@kind("loop", Truth("loop"))
def keys_of_a_file(chance):
    for number in chance.sample(range(100, 4000), 6):
        yield "SELECT title, slug FROM posts AS {c} WHERE {c}.id = $1", number


@kind("loop", Truth("loop"))
def words_of_a_file(chance):
    for _ in range(chance.randint(4, 9)):
        yield "SELECT id FROM users AS {c} WHERE {c}.email = $1", f"user{chance.randint(1, 10 ** 6)}@example.com"


@kind("loop", Truth("loop", also=(Truth("n+1", "p", "id"),)))
def keys_of_another_transaction(chance):
    rows = yield posts_of("id"), some_user(chance)
    yield End()
    for row in rows:
        yield "SELECT avg(score) FROM comments AS {c} WHERE {c}.post_id = $1", row[0]


@kind("duplicate", Truth("duplicate"))
def same_again(chance):
    user = some_user(chance)
    for _ in range(chance.randint(3, 6)):
        yield "SELECT email, tenant FROM users AS {c} WHERE {c}.id = $1", user


@kind("duplicate", Truth("duplicate"))
def same_between_others(chance):
    user = some_user(chance)
    for table in ("posts", "users", "authors", "comments"):
        yield "SELECT tenant FROM users AS {c} WHERE {c}.id = $1", user
        yield f"SELECT count(*) FROM {table} AS {{d}} WHERE {{d}}.id = $1", user


@kind("none")
def batched_any(chance):
    rows = yield posts_of("id"), some_user(chance)
    yield "SELECT post_id, count(*) FROM comments AS {c} WHERE {c}.post_id = ANY($1) GROUP BY post_id", [row[0] for row in rows]


@kind("none")
def batched_in(chance):
    rows = yield posts_of("id"), some_user(chance)
    places = ", ".join(f"${i + 1}" for i in range(len(rows)))
    yield f"SELECT post_id, body FROM comments AS {{c}} WHERE {{c}}.post_id IN ({places})", *(row[0] for row in rows)


@kind("none")
def joined(chance):
    yield ("SELECT {p}.id, count({c}.id) FROM posts AS {p} LEFT JOIN comments AS {c} ON {c}.post_id = {p}.id"
           " WHERE {p}.user_id = $1 GROUP BY {p}.id", some_user(chance))


@kind("none")
def pages_by_offset(chance):
    yield "SELECT count(*) FROM posts AS {p}"
    for page in range(5):
        yield "SELECT id, title FROM posts AS {c} ORDER BY id LIMIT $1 OFFSET $2", 10, page * 10


@kind("none")
def pages_by_key(chance):
    last = chance.randint(0, 1000)
    for _ in range(6):
        rows = yield "SELECT id, title FROM posts AS {c} WHERE {c}.id > $1 ORDER BY id LIMIT 7", last
        last = rows[-1][0] if rows else 0


@kind("none")
def polling(chance):
    for _ in range(3):
        yield "SELECT id, what FROM audit AS {c} WHERE {c}.number = $1 ORDER BY id LIMIT 1", -1
        yield Pause()


@kind("none")
def insert_one_by_one(chance):
    for number in range(8):
        yield "INSERT INTO audit AS {c} (what, number) VALUES ($1, $2)", f"note {chance.randint(1, 99)}", number


@kind("none")
def insert_batches(chance):
    for batch in range(3):
        values = ", ".join(f"(${2 * i + 1}, ${2 * i + 2})" for i in range(5))
        yield (f"INSERT INTO audit AS {{c}} (what, number) VALUES {values}",
               *itertools.chain.from_iterable((f"batch {batch}", 100 * batch + i) for i in range(5)))


@kind("none")
def tenants_by_path(chance):
    for tenant in range(1, 6):
        yield f"SET search_path TO tenant_{tenant}, public"
        yield "SELECT count(*), sum(total) FROM orders AS {c}"
        yield "SELECT id FROM orders AS {d} WHERE {d}.total > $1", 20
    yield "RESET search_path"


@kind("none")
def tenants_by_setting(chance):
    for row in (yield "SELECT DISTINCT tenant FROM users AS {p} ORDER BY tenant"):
        yield "SELECT set_config('app.tenant', $1::text, false)", str(row[0])
        yield "SELECT count(*) FROM users AS {c} WHERE {c}.tenant = current_setting('app.tenant')::int"


@kind("none")
def all_different(chance):
    user = some_user(chance)
    yield "SELECT email FROM users AS {p} WHERE {p}.id = $1", user
    yield "SELECT count(*) FROM posts AS {c} WHERE {c}.user_id = $1", user
    yield "SELECT title FROM posts AS {d} WHERE {d}.user_id = $1 ORDER BY id DESC LIMIT 1", user
    yield "SELECT name FROM authors AS {e} WHERE {e}.id = $1", 3
    yield "SELECT max(score) FROM comments AS {p}", ()
    yield "SELECT sum(number) FROM audit AS {c} WHERE {c}.number < $1", user


@kind("none")
def only_two(chance):
    rows = yield "SELECT id FROM posts AS {p} WHERE {p}.user_id = $1 ORDER BY id LIMIT 2", some_user(chance)
    for row in rows:
        yield "SELECT count(*), min(score) FROM comments AS {c} WHERE {c}.post_id = $1", row[0]


@kind("none")
def cursor(chance):
    yield "BEGIN"
    yield "DECLARE walk CURSOR FOR SELECT id FROM posts AS {p} ORDER BY id"
    for _ in range(5):
        yield "FETCH 10 FROM walk"
    yield "CLOSE walk"
    yield "COMMIT"


@kind("none")
def pings(chance):
    for _ in range(4):
        yield "SELECT 1"
    yield "SELECT email FROM users AS {c} WHERE {c}.id = $1", some_user(chance)


@kind("none", only="psycopg2")
def copied(chance):
    for _ in range(3):
        yield "COPY", "COPY (SELECT id, title FROM posts LIMIT 5) TO STDOUT"
        yield "COPY", "COPY audit (what, number) FROM STDIN"


@kind("none")
def long_transaction(chance):
    """A transaction of many statements, in which some come back twice."""
    user = some_user(chance)
    for turn in (1, 2):
        yield "SELECT count(*) FROM posts AS {p} WHERE {p}.user_id = $1", user + turn
        yield "UPDATE audit AS {c} SET what = what WHERE number = $1", -turn
        yield "SELECT name FROM authors AS {d} WHERE {d}.id = $1", turn
        yield "INSERT INTO audit AS {e} (what, number) VALUES ($1, $2)", "turn", turn
    yield "SELECT max(id) FROM comments AS {p}", ()


# What an ORM does by itself: played by SQLAlchemy only, which makes the statements.


@kind("n+1", Truth("n+1", "p", "author_id"), only="sqlalchemy")
def lazy_many_to_one(orm, chance):
    posts = orm.session.query(orm.Post).filter(orm.Post.user_id == some_user(chance)).order_by(orm.Post.id).all()
    yield
    for post in posts:
        if post.author is not None:
            assert post.author.name
        yield


@kind("n+1", Truth("n+1", "p", "id"), only="sqlalchemy")
def lazy_one_to_many(orm, chance):
    posts = orm.session.query(orm.Post).filter(orm.Post.user_id == some_user(chance)).order_by(orm.Post.id).all()
    yield
    for post in posts:
        assert len(post.comments) >= 0
        yield


@kind("none", only="sqlalchemy")
def eager_select_in(orm, chance):
    from sqlalchemy.orm import selectinload
    query = orm.session.query(orm.Post).options(selectinload(orm.Post.comments))
    for post in query.filter(orm.Post.user_id == some_user(chance)).all():
        assert len(post.comments) >= 0
    yield


LETTERS = "pcde"
ORM_KINDS = {kind.name for kind in KINDS if kind.only == "sqlalchemy"}


def alias(kind_name, lane, letter):
    return f"{kind_name}__{lane}__{letter}"


ALIAS = re.compile(r"\b([a-z_0-9]+?)__([a-z0-9]+)__([pcde])(?![a-z0-9])")


# -- clients ------------------------------------------------------------------------------------


class Psycopg2:
    """The simple protocol: values stand in the text."""
    name = "psycopg2"

    def __init__(self, dsn, is_transaction):
        import psycopg2
        self.connection = psycopg2.connect(dsn)
        self.connection.autocommit = not is_transaction
        self.cursor = self.connection.cursor()

    def ask(self, sql, values):
        if sql == "COPY":
            return self.copy(values[0])
        ordered = [values[int(number) - 1] for number in re.findall(r"\$(\d+)", sql)]
        self.cursor.execute(re.sub(r"\$\d+", "%s", sql.replace("%", "%%")), ordered or None)
        return self.cursor.fetchall() if self.cursor.description else []

    def copy(self, sql):
        import io
        self.cursor.copy_expert(sql, io.StringIO("" if "TO STDOUT" in sql else "copied\t1\ncopied\t2\n"))
        return []

    def end(self):
        if not self.connection.autocommit:
            self.connection.commit()

    def close(self):
        self.connection.close()


class Asyncpg:
    """The extended protocol with prepared statements; values and results are binary."""
    name = "asyncpg"
    loop = None

    def __init__(self, address, is_transaction):
        import asyncpg
        if Asyncpg.loop is None:
            Asyncpg.loop = asyncio.new_event_loop()
        self.is_transaction = is_transaction
        self.transaction = None
        self.connection = self.loop.run_until_complete(asyncpg.connect(
            host=address["host"], port=int(address["port"]), user=address["user"], database=address["dbname"], ssl=False))
        # What it has to know about types takes it long to ask: now, and not while others wait in their requests.
        self.loop.run_until_complete(self.connection.fetch("SELECT $1::int8[], $2::uuid", [1], str(uuid.UUID(int=1))))

    def ask(self, sql, values):
        return self.loop.run_until_complete(self.do(sql, values))

    async def do(self, sql, values):
        if self.is_transaction and self.transaction is None:
            self.transaction = self.connection.transaction()
            await self.transaction.start()
        if not values and sql.split()[0] in ("BEGIN", "COMMIT", "DECLARE", "CLOSE", "SET", "RESET"):
            await self.connection.execute(sql)
            return []
        if sql.startswith("INSERT") or sql.startswith("UPDATE"):
            await self.connection.execute(sql, *values)
            return []
        return [tuple(row) for row in await self.connection.fetch(sql, *values)]

    def end(self):
        if self.transaction is not None:
            self.loop.run_until_complete(self.transaction.commit())
            self.transaction = None

    def close(self):
        self.loop.run_until_complete(self.connection.close())


class Libpq:
    """libpq itself: statements prepared by name, or parsed each time; values as text."""
    name = "libpq"
    library = None
    number = itertools.count(1)

    def __init__(self, dsn, is_transaction):
        if Libpq.library is None:
            Libpq.library = self.load()
        self.pq = Libpq.library
        self.is_transaction, self.is_open = is_transaction, False
        self.prepared = {}
        self.connection = self.pq.PQconnectdb(dsn.encode())
        if self.pq.PQstatus(self.connection) != 0:
            raise RuntimeError(self.pq.PQerrorMessage(self.connection).decode())

    @staticmethod
    def load():
        pq = ctypes.CDLL(ctypes.util.find_library("pq"))
        pointer, text = ctypes.c_void_p, ctypes.c_char_p
        for function, result, arguments in (
                ("PQconnectdb", pointer, [text]), ("PQstatus", ctypes.c_int, [pointer]), ("PQfinish", None, [pointer]),
                ("PQerrorMessage", text, [pointer]), ("PQexec", pointer, [pointer, text]),
                ("PQexecParams", pointer, [pointer, text, ctypes.c_int] + [pointer] * 4 + [ctypes.c_int]),
                ("PQprepare", pointer, [pointer, text, text, ctypes.c_int, pointer]),
                ("PQexecPrepared", pointer, [pointer, text, ctypes.c_int] + [pointer] * 3 + [ctypes.c_int]),
                ("PQresultStatus", ctypes.c_int, [pointer]), ("PQntuples", ctypes.c_int, [pointer]),
                ("PQnfields", ctypes.c_int, [pointer]), ("PQgetvalue", text, [pointer, ctypes.c_int, ctypes.c_int]),
                ("PQgetisnull", ctypes.c_int, [pointer, ctypes.c_int, ctypes.c_int]),
                ("PQftype", ctypes.c_uint, [pointer, ctypes.c_int]), ("PQclear", None, [pointer])):
            entry = getattr(pq, function)
            entry.restype, entry.argtypes = result, arguments
        return pq

    @staticmethod
    def text_of(value):
        if isinstance(value, list):
            return "{" + ",".join(str(item) for item in value) + "}"
        return str(value)

    def ask(self, sql, values):
        if self.is_transaction and not self.is_open:
            self.take(self.pq.PQexec(self.connection, b"BEGIN"))
            self.is_open = True
        if not values:
            return self.take(self.pq.PQexec(self.connection, sql.encode()))
        given = (ctypes.c_char_p * len(values))(*(self.text_of(value).encode() for value in values))
        if len(self.prepared) % 2 == 0 and sql not in self.prepared and len(values) > 1:
            return self.take(self.pq.PQexecParams(self.connection, sql.encode(), len(values), None, given, None, None, 0))
        if sql not in self.prepared:
            self.prepared[sql] = f"s{next(self.number)}".encode()
            self.take(self.pq.PQprepare(self.connection, self.prepared[sql], sql.encode(), 0, None))
        return self.take(self.pq.PQexecPrepared(self.connection, self.prepared[sql], len(values), given, None, None, 0))

    def take(self, result):
        pq = self.pq
        if pq.PQresultStatus(result) not in (1, 2):
            raise RuntimeError(pq.PQerrorMessage(self.connection).decode())
        numbers = {20, 21, 23}
        rows = [tuple(None if pq.PQgetisnull(result, i, j) else
                      int(pq.PQgetvalue(result, i, j)) if pq.PQftype(result, j) in numbers else
                      pq.PQgetvalue(result, i, j).decode() for j in range(pq.PQnfields(result)))
                for i in range(pq.PQntuples(result))]
        pq.PQclear(result)
        return rows

    def end(self):
        if self.is_open:
            self.take(self.pq.PQexec(self.connection, b"COMMIT"))
            self.is_open = False

    def close(self):
        self.pq.PQfinish(self.connection)


class SqlAlchemy:
    """Its ORM with lazy loading; classes of each lane are mapped to views of their own."""
    name = "sqlalchemy"

    def __init__(self, url, is_transaction, lane):
        import sqlalchemy
        from sqlalchemy.orm import Session
        from sqlalchemy.pool import NullPool
        level = {} if is_transaction else {"isolation_level": "AUTOCOMMIT"}
        self.engine = sqlalchemy.create_engine(url, poolclass=NullPool, **level)
        self.connection = self.engine.connect()
        self.make = lambda: Session(bind=self.connection)
        self.session = self.make()
        self.classes = {name: self.map(name, lane) for name in ORM_KINDS}

    @staticmethod
    def map(kind_name, lane):
        from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String
        from sqlalchemy.orm import declarative_base, relationship
        base = declarative_base()
        # In a many-to-one the authors are the children, in a one-to-many the comments.
        one, many = ("c", "d") if kind_name == "lazy_many_to_one" else ("d", "c")

        class Author(base):
            __tablename__ = alias(kind_name, lane, one)
            id = Column(Integer, primary_key=True)
            name = Column(String)

        class Comment(base):
            __tablename__ = alias(kind_name, lane, many)
            id = Column(BigInteger, primary_key=True)
            post_id = Column(BigInteger, ForeignKey(alias(kind_name, lane, "p") + ".id"))
            body = Column(String)

        class Post(base):
            __tablename__ = alias(kind_name, lane, "p")
            id = Column(BigInteger, primary_key=True)
            user_id = Column(Integer)
            author_id = Column(Integer, ForeignKey(alias(kind_name, lane, one) + ".id"))
            title = Column(String)
            author = relationship(Author)
            comments = relationship(Comment)
        return Post

    def orm(self, kind_name):
        self.session.expunge_all()
        self.Post = self.classes[kind_name]
        return self

    def end(self):
        self.session.commit()

    def close(self):
        self.session.close()
        self.connection.close()
        self.engine.dispose()

    @staticmethod
    def views(lane):
        for name in sorted(ORM_KINDS):
            one, many = ("c", "d") if name == "lazy_many_to_one" else ("d", "c")
            yield f"CREATE VIEW {alias(name, lane, 'p')} AS SELECT id, user_id, author_id, title FROM posts;"
            yield f"CREATE VIEW {alias(name, lane, one)} AS SELECT id, name FROM authors;"
            yield f"CREATE VIEW {alias(name, lane, many)} AS SELECT id, post_id, body FROM comments;"


# -- playing ------------------------------------------------------------------------------------


@dataclasses.dataclass
class Lane:
    """A client in a mode; sessions connections play the requests, one behind the other on each."""
    name: str
    client: str
    is_transaction: bool = False
    is_tagged: bool = False
    sessions: int = 2


LANES = [
    Lane("pgauto", "psycopg2"), Lane("pgtx", "psycopg2", True), Lane("pgtag", "psycopg2", is_tagged=True),
    Lane("apgauto", "asyncpg"), Lane("apgtx", "asyncpg", True),
    Lane("lpqauto", "libpq"), Lane("lpqtx", "libpq", True),
    Lane("saauto", "sqlalchemy"), Lane("satx", "sqlalchemy", True),
]

CLIENTS = {"psycopg2": Psycopg2, "asyncpg": Asyncpg, "libpq": Libpq}


def kinds_of(lane):
    return [kind for kind in KINDS if kind.only == lane.client or (not kind.only and lane.client != "sqlalchemy")]


def make_client(lane, address):
    """address: {"host", "port", "user", "dbname"}"""
    if lane.client == "sqlalchemy":
        url = f"postgresql://{address['user']}@/{address['dbname']}?host={address['host']}&port={address['port']}"
        return SqlAlchemy(url, lane.is_transaction, lane.name)
    if lane.client not in ("psycopg2", "libpq"):
        return CLIENTS[lane.client](address, lane.is_transaction)
    dsn = " ".join(f"{key}={value}" for key, value in address.items())
    return CLIENTS[lane.client](dsn, lane.is_transaction)


def order_of(kinds, rounds, chance):
    """Each kind so many times, no two of one kind in a row: two loops behind one another are one loop to who looks on."""
    order = []
    for _ in range(rounds):
        turn = kinds[:]
        chance.shuffle(turn)
        if order and turn[0] is order[-1] and len(turn) > 1:
            turn[0], turn[1] = turn[1], turn[0]
        order += turn
    return order


def text_of(kind, lane, sql, request):
    for letter in LETTERS:
        sql = sql.replace("{" + letter + "}", alias(kind.name, lane.name, letter))
    if lane.is_tagged and not sql.startswith(("COPY", "FETCH", "BEGIN", "COMMIT")):
        sql += f" /*route='/{kind.name}',traceparent='00-{request}-{request[:16]}-01'*/"
    return sql


def new_id(chance):
    return uuid.UUID(int=chance.getrandbits(128)).hex


def play_request(kind, lane, client, chance):
    """Yields after each statement; a number is how long nothing is asked."""
    request = new_id(chance)
    if kind.only == "sqlalchemy":
        yield from kind.play(client.orm(kind.name), chance)
        client.end()
        return
    steps = kind.play(chance)
    rows = None
    while True:
        try:
            step = steps.send(rows)
        except StopIteration:
            break
        rows = None
        if isinstance(step, (Pause, End)):
            client.end()
            if isinstance(step, Pause):
                request = new_id(chance)
                yield PAUSE_S
            continue
        sql, *values = step if isinstance(step, tuple) else (step,)
        if sql in ("BEGIN", "COMMIT") and lane.is_transaction:
            continue  # it is in one
        values = [value for value in values if value != ()]
        rows = client.ask(text_of(kind, lane, sql, request), values)
        yield 0
    client.end()


def play_session(lane, client, order, chance):
    for kind in order:
        yield from play_request(kind, lane, client, chance)


def play(lanes, rounds, address, seed=1):
    """Plays all lanes, their sessions in turns; how often each (lane, kind) was played."""
    played = {}
    sessions = []
    clients = []
    for lane in lanes:
        for number in range(lane.sessions):
            chance = random.Random(f"{seed} {lane.name} {number}")
            order = order_of(kinds_of(lane), rounds, chance)
            for kind in order:
                played[lane.name, kind.name] = played.get((lane.name, kind.name), 0) + 1
            clients.append(make_client(lane, address))
            sessions.append([0, play_session(lane, clients[-1], order, chance)])
    while sessions:
        now = time.monotonic()
        due = [session for session in sessions if session[0] <= now]
        if not due:
            time.sleep(max(0, min(session[0] for session in sessions) - now))
        for session in due:
            try:
                session[0] = now + (next(session[1]) or 0)
            except StopIteration:
                sessions.remove(session)
    for client in clients:
        client.close()
    return played


# -- judging ------------------------------------------------------------------------------------


def marks(text):
    """{(kind, lane, letter)} of the aliases in a statement."""
    return set(ALIAS.findall(text or ""))


@dataclasses.dataclass
class Score:
    group: str
    played: int = 0
    found: int = 0  # requests, at most as many as were played
    extra: int = 0  # requests beyond those
    notes: list = dataclasses.field(default_factory=list)

    @property
    def recall(self):
        return self.found / self.played if self.played else 1.0


def fits(finding, truth, kind_name, lane):
    """Whether the finding says what is true."""
    children = set().union(*(marks(child["text"]) for child in finding["children"]))
    if finding["kind"] != truth.kind or children != {(kind_name, lane, letter) for letter in truth.children}:
        return False
    if not truth.parent:
        return not finding.get("parent")
    parent = finding.get("parent")
    return bool(parent and (kind_name, lane, truth.parent) in marks(parent["text"]) and re.fullmatch(f"(.*__p_)?{truth.key}", parent["key_name"] or ""))


def judge(findings, played):
    """({(lane, kind): Score}, [findings that say what is not true])"""
    kinds = {kind.name: kind for kind in KINDS}
    scores = {}
    used = set()
    for (lane, name), count in played.items():
        kind = kinds[name]
        score = scores[lane, name] = Score(kind.group)
        for truth in kind.truths:
            right = [finding for finding in findings
                     if any(fits(finding, one, name, lane) for one in (truth, *truth.also))]
            used.update(finding["id"] for finding in right)
            requests = sum(finding["requests"] for finding in right)
            score.played += count
            score.found += min(requests, count)
            if name != "nested":  # whose inner loop runs several times a request
                score.extra += max(0, requests - count)
    wrong = [finding for finding in findings if finding["id"] not in used]
    for finding in wrong:
        for mark in sorted(set().union(*(marks(child["text"]) for child in finding["children"]))):
            if (mark[1], mark[0]) in scores:
                scores[mark[1], mark[0]].notes.append(finding)
                break
    return scores, wrong
