"""POST /assistants/{id}/search: right answers, the same from both variants; vectors from a service that misbehaves.

Usage: search.py      prints TAP

What is right is worked out here from distances and ranks that PostgreSQL computed, by the published formulas.
"""
import json
import os
import struct

import apitest
from apitest import check, same, wait_until
from embedding_stub import Stub, embedding

MODES = ("fast", "balanced", "accurate", "multi_stage", "hybrid")
TEXT = "Сколько стоит доставка и как оформить возврат?"


def vector_text(numbers):
    return "[" + ",".join(repr(number) for number in numbers) + "]"


def single(number):
    return struct.unpack("<f", struct.pack("<f", number))[0]


class Oracle:
    """The chunks of an assistant with all that a ranking needs, from PostgreSQL itself."""

    def __init__(self, base, user, assistant, numbers, text):
        vector = "NULL::vector" if numbers is None else f"'{vector_text(numbers)}'::vector"
        words = f"""(SELECT string_agg(quote_literal(lexeme), ' | ')::tsquery
                       FROM unnest(to_tsvector('russian', {apitest_quote(text)})))"""
        self.rows = base.rows(f"""
            SELECT k.id, k.chunk_text, k.importance, k.doc_type, k.embedding <=> {vector} AS distance,
                   to_tsvector('russian', k.chunk_text) @@ {words} AS has_words,
                   ts_rank(to_tsvector('russian', k.chunk_text), {words}, 1) AS rank
              FROM knowledge_embeddings AS k WHERE k.assistant_id = {assistant} AND k.user_id = {user}""")
        self.has_vector = numbers is not None

    @staticmethod
    def near(row):
        return (float("inf") if row["distance"] == "NaN" else row["distance"], row["id"])

    def answer(self, row, score):
        return {"chunk_text": row["chunk_text"], "distance": row["distance"], "importance": row["importance"],
                "doc_type": row["doc_type"], "score": score}

    @staticmethod
    def similarity(row):
        return None if row["distance"] == "NaN" else 1 - row["distance"]

    def by_distance(self, limit):
        return [self.answer(row, self.similarity(row)) for row in sorted(self.rows, key=self.near)[:limit]]

    def by_stages(self, limit):
        def score(row):
            found = self.similarity(row)
            return None if found is None else (
                0.6 * found + 0.3 * row["importance"] / 10 + (0 if row["doc_type"] is None else 0.1))
        nearest = sorted(self.rows, key=self.near)[:5 * limit]
        best = sorted(nearest, key=lambda row: (score(row) is None, -(score(row) or 0), *self.near(row)))[:limit]
        return [self.answer(row, score(row)) for row in best]

    def by_both(self, limit):
        """Reciprocal rank fusion, k = 60."""
        scores = {}
        sides = [sorted((row for row in self.rows if row["has_words"]), key=lambda row: (-row["rank"], row["id"]))]
        if self.has_vector:
            sides.insert(0, sorted((row for row in self.rows if row["distance"] != "NaN"), key=self.near))
        for side in sides:
            for place, row in enumerate(side[:max(50, limit)], 1):
                scores[row["id"]] = scores.get(row["id"], 0) + 1 / (60 + place)
        rows = {row["id"]: row for row in self.rows}
        order = sorted(scores, key=lambda id: (-scores[id], self.near(rows[id]) if self.has_vector else (0, id)))
        return [self.answer(rows[id], scores[id]) for id in order[:limit]]

    def of(self, mode, limit):
        if mode == "hybrid" or not self.has_vector:
            return self.by_both(limit)
        return self.by_stages(limit) if mode == "multi_stage" else self.by_distance(limit)


def apitest_quote(text):
    return "'" + text.replace("'", "''") + "'"


def is_same(found, expected):
    """The same rows in the same order; numbers to the last digits that two ways of adding leave."""
    def close(a, b):
        if isinstance(a, float) and isinstance(b, (int, float)):
            return abs(a - b) <= 1e-12
        return a == b
    return len(found) == len(expected) and all(
        list(a) == list(b) and all(close(a[key], b[key]) for key in b) for a, b in zip(found, expected))


# -- corner cases -------------------------------------------------------------------------------


def plant(base):
    """Copies, a vector of length zero, texts that are hard to print."""
    user, assistant, other = base.sql("""
        SELECT a.user_id, a.id, (SELECT min(u.id) FROM users AS u WHERE u.id <> a.user_id)
          FROM assistants AS a JOIN knowledge_embeddings AS k ON k.assistant_id = a.id AND k.user_id = a.user_id
         GROUP BY 1, 2 ORDER BY count(*) DESC, 2 LIMIT 1""").split("|")
    columns = "user_id, assistant_id, doc_id, chunk_index, chunk_text, embedding, doc_type, importance"
    base.sql(f"""
        INSERT INTO knowledge_embeddings ({columns})
        SELECT user_id, assistant_id, doc_id, n, 'copy ' || n, embedding, NULL, 10 - n % 3
          FROM (SELECT * FROM knowledge_embeddings WHERE assistant_id = {assistant} ORDER BY id LIMIT 1) AS k,
               generate_series(1, 15) AS n;
        INSERT INTO knowledge_embeddings ({columns})
        SELECT user_id, assistant_id, doc_id, 99, t.text, CASE WHEN t.text LIKE 'zero%' THEN
                   ('[' || array_to_string(array_fill(0, ARRAY[1536]), ',') || ']')::vector ELSE embedding END, 'note', 1
          FROM (SELECT * FROM knowledge_embeddings WHERE assistant_id = {assistant} ORDER BY id DESC LIMIT 1) AS k,
               unnest(ARRAY['zero ''length'' \\доставка', E'tab\\t "quoted" \\u0001 \\\\ 😀 доставка', '']) AS t (text);
        INSERT INTO assistants (user_id, name, system_prompt) VALUES ({user}, 'knows nothing', '')""")
    return int(user), int(assistant), int(other)


def assistants_with_chunks(base, most):
    rows = base.sql(f"""
        SELECT a.user_id, a.id FROM assistants AS a JOIN knowledge_embeddings AS k ON k.assistant_id = a.id
         GROUP BY 1, 2 ORDER BY count(*) DESC, 2 LIMIT {most}""")
    return [tuple(int(cell) for cell in row.split("|")) for row in rows.split("\n")]


def compare(base, servers, pairs):
    """Both variants against the oracle and against each other, byte by byte."""
    different, wrong = [], []
    for number, (user, assistant) in enumerate(pairs):
        numbers = [single(value) for value in embedding(f"question {number}")]
        if number % 3 == 0:  # the vector of one of its chunks: distances that are nearly 0
            numbers = json.loads(base.value(f"SELECT embedding FROM knowledge_embeddings WHERE assistant_id = {assistant}"
                                            " AND vector_norm(embedding) > 0 ORDER BY id LIMIT 1"))
        oracle = Oracle(base, user, assistant, numbers, TEXT)
        for mode in MODES:
            limit = 3 if number % 2 else 10
            body = {"embedding": numbers, "text": TEXT, "mode": mode, "limit": limit}
            found = [server.post(f"/assistants/{assistant}/search", body, user) for server in servers]
            if {answer.status for answer in found} != {200} or found[0].body != found[1].body:
                different.append((user, assistant, mode, found))
            elif not is_same(found[0].json(), oracle.of(mode, limit)):
                wrong.append((user, assistant, mode, found[0].json(), oracle.of(mode, limit)))
    check(not different, f"both variants give the same bytes: {len(pairs)} assistants, {len(MODES)} modes",
          different[:1])
    check(not wrong, "and they are what the formulas give", wrong[:1])


def plant_secret(base, planted):
    """A chunk of somebody else in the assistant, which no program would write."""
    _, assistant, other = planted
    base.sql(f"""
        INSERT INTO knowledge_embeddings (user_id, assistant_id, doc_id, chunk_index, chunk_text, embedding, importance)
        SELECT {other}, {assistant}, doc_id, 7, 'secret of another user: доставка', embedding, 10
          FROM (SELECT * FROM knowledge_embeddings WHERE assistant_id = {assistant} ORDER BY id LIMIT 1) AS k""")


def check_tenants(base, servers, planted):
    user, assistant, other = planted
    plant_secret(base, planted)
    body = {"embedding": embedding("x"), "text": "доставка", "limit": 100}
    for server, name in zip(servers, ("naive", "optimised")):
        statuses = {mode: server.post(f"/assistants/{assistant}/search", {**body, "mode": mode}, other).status
                    for mode in MODES}
        same(set(statuses.values()), {404}, f"{name}: the assistant of another user is not there")
        same(server.post("/assistants/2147483647/search", body, user).status, 404, f"{name}: nor is one that nobody has")
        same(server.post(f"/assistants/{assistant}/search", body).status, 401, f"{name}: who has not signed in is told so")
        found = [server.post(f"/assistants/{assistant}/search", {**body, "mode": mode}, user) for mode in MODES]
        check(all(answer.status == 200 and "secret of another" not in answer.body.decode() for answer in found),
              f"{name}: another user's chunk in one's own assistant stays his", found)
        empty = base.value("SELECT id FROM assistants WHERE name = 'knows nothing'")
        same(server.post(f"/assistants/{empty}/search", body, user).body, b"[]", f"{name}: who knows nothing answers []")
    check(base.value("SELECT count(*) FROM knowledge_embeddings WHERE chunk_text LIKE 'secret of%'") == "1",
          "that chunk was really there")


def check_direct(base, planted):
    """The function that stands behind it gives a role that is not the user nothing."""
    user, assistant, _ = planted
    try_it = f"SELECT replyx_api.search_chunks({user}, {assistant}, NULL, 'доставка', 5, 'hybrid')"
    refused = apitest.subprocess.run(["psql", "-XqAt", "-d", base.url(), "-c", try_it], capture_output=True, text=True,
                                     check=False)
    check("for himself" in refused.stderr, "search_chunks() refuses who is not signed in as the owner", refused)


# -- bad input ----------------------------------------------------------------------------------


def bad_bodies():
    good = [0.25] * 1536
    def with_number(text, place=7):
        numbers = ["0.25"] * 1536
        numbers[place] = text
        return '{"embedding": [' + ",".join(numbers) + "]}"
    yield "too few numbers", {"embedding": good[:-1]}, "1535 numbers"
    yield "too many numbers", {"embedding": good + [1]}, "more than 1536"
    yield "very many numbers", '{"embedding": [' + "1," * 200000 + "1]}", "more than 1536"
    yield "none", {"embedding": []}, "0 numbers"
    for text in ("NaN", "Infinity", "-Infinity", "null", '"1"', "[1]", "true", "0x10", "1.", ".5", "01", "+1", "1e", "--1"):
        yield text, with_number(text), "embedding[7]"
    yield "beyond four bytes", with_number("1e39"), "embedding[7] is too large"
    yield "far beyond", with_number("-1e999999", 1535), "embedding[1535] is too large"
    yield "many digits", with_number("9" * 400), "embedding[7] is too large"
    yield "length zero", {"embedding": [0] * 1536}, "length zero"
    yield "length nearly zero", {"embedding": [1e-30] * 1536}, "length"
    yield "length beyond what can be squared", {"embedding": [1e30] * 1536}, "length"
    yield "a text as vector", {"embedding": "[1,2,3]"}, "list of 1536 numbers"
    yield "an object as vector", {"embedding": {"0": 1}}, "list of 1536 numbers"
    yield "a name written otherwise", '{"\\u0065mbedding": [1,2]}', "list of 1536 numbers"
    yield "two vectors", '{"embedding": %s, "embedding": %s}' % (good, good), "duplicate"
    yield "it does not end", '{"embedding": [1,2', "embedding[1]"
    yield "a gap", '{"embedding": [1,,2]}', "embedding[1]"
    yield "neither vector nor text", {"limit": 5}, "embedding or a text"
    yield "a text without letters", {"text": " \n\t"}, "embedding or a text"
    yield "hybrid without a text", {"embedding": good, "mode": "hybrid"}, "needs a text"
    yield "a mode that there is not", {"text": "a", "mode": "exact"}, "mode has to be"
    yield "a mode that is no text", {"text": "a", "mode": 1}, "mode has to be"
    for limit in (0, 101, -1, 1.5, "10", 10**30, True):
        yield f"limit {limit!r}", json.dumps({"text": "a", "limit": limit}), "limit" if limit != 10**30 else "JSON"
    yield "a text that is none", {"text": ["a"]}, "text has to be"
    yield "a text too long", {"text": "я" * 8001}, "8001 letters"
    yield "NUL", '{"text": "a\\u0000b"}', "has \\u0000 in it"
    yield "no UTF-8", b'{"text": "\xff\xfe"}', "JSON"
    yield "a surrogate alone", '{"text": "\\ud800"}', "JSON"
    yield "an unknown member", {"text": "a", "vector": good}, "not known"
    yield "a list", "[]", "not an object"
    yield "nothing", "", "empty"
    yield "no JSON", "embedding=1", "JSON"
    yield "nested deep", '{"text": ' + "[" * 100000 + "]" * 100000 + "}", "deeper than 32"
    yield "nested a little too deep", '{"text": ' + "[" * 32 + "]" * 32 + "}", "deeper than 32"
    yield "nested as deep as it may be", '{"text": ' + "[" * 31 + "]" * 31 + "}", "text has to be"
    yield "nothing but brackets", "[" * 100000, "deeper than 32"


def check_bad(servers, planted):
    user, assistant, _ = planted
    for server, name in zip(servers, ("naive", "optimised")):
        wrong = []
        for what, body, wanted in bad_bodies():
            answer = server.post(f"/assistants/{assistant}/search", body, user)
            try:
                message = answer.json()["error"]["message"]
            except (ValueError, KeyError):
                message = None
            if answer.status != 400 or message is None or wanted not in message:
                wrong.append((what, answer.status, message))
        check(not wrong, f"{name}: bad bodies get 400 and the place", wrong)
        good = '{ "limit" : 2 , "embedding" : [ ' + " ,\n".join(["1", "-0.5e-3", "0", "2E+1"] * 384) + ' ] , "text":null}'
        answer = server.post(f"/assistants/{assistant}/search", good, user)
        check(answer.status == 200 and len(answer.json()) == 2, f"{name}: all ways to write a number are read", answer)


# -- the service --------------------------------------------------------------------------------


def ask(server, planted, text, mode="balanced"):
    user, assistant, _ = planted
    return server.post(f"/assistants/{assistant}/search", {"text": text, "mode": mode, "limit": 5}, user)


def check_service(base, server, stub, planted):
    user, assistant, _ = planted
    cached = "SELECT count(*) FROM query_embeddings_cache WHERE query_text = 'первый вопрос'"
    first = ask(server, planted, "первый вопрос")
    direct = server.post(f"/assistants/{assistant}/search", {"embedding": embedding("первый вопрос"), "limit": 5}, user)
    same((first.status, first.header("x-embedding")), (200, "service"), "a text is made a vector by the service")
    same(first.body, direct.body, "and finds what that vector finds")
    path, headers, body = stub.requests[-1]
    same((path, json.loads(body), headers.get("Authorization")),
         ("/v1/embeddings", {"input": "первый вопрос", "model": "a-model", "encoding_format": "float"},
          "Bearer a-key-that-is-secret"), "which is asked as OpenAI's is")
    wait_until("the vector is kept", lambda: base.value(cached) == "1")
    asked = stub.count()
    again = ask(server, planted, "первый вопрос")
    same((again.header("x-embedding"), again.body, stub.count()), ("cache", first.body, asked),
         "the same text again is not sent there again")
    wait_until("its use is counted", lambda: base.value(
        "SELECT usage_count > 1 FROM query_embeddings_cache WHERE query_text = 'первый вопрос'") == "t")
    same((first.header("x-query-count"), again.header("x-query-count")), ("4", "4"),
         "both in four statements: looking it up, keeping it or counting its use, set_config(), the search")


def check_faults(base, server, stub, planted):
    """Whatever the service does, there is an answer, by words; and the next good one is taken."""
    user, assistant, _ = planted
    wrong = []
    for number, mode in enumerate(("error", "garbage", "short", "infinite", "drop", "huge", "hang")):
        stub.mode = mode
        text = f"доставка номер {number}"
        found = ask(server, planted, text)
        expected = Oracle(base, user, assistant, None, text).of("balanced", 5)
        if (found.status != 200 or not found.header("x-embedding", "").startswith("none (")
                or not is_same(found.json(), expected) or not expected):
            wrong.append((mode, found, expected))
        stub.mode = "good"
        good = ask(server, planted, f"хорошо {number}")
        if good.header("x-embedding") != "service":
            wrong.append((mode, "afterwards", good))
    check(not wrong, "a service that fails in any way leaves the search by words", wrong[:2])
    same(base.value("SELECT count(*) FROM query_embeddings_cache WHERE query_text LIKE 'доставка номер%'"), "0",
         "and nothing of it is kept")
    stub.mode = "error"
    for number in range(6):
        ask(server, planted, f"снова {number}")
    asked = stub.count()
    answers = [ask(server, planted, f"ещё {number}") for number in range(5)]
    check(stub.count() <= asked + 1 and all(answer.status == 200 for answer in answers),
          "one that fails again and again is left alone for a while", (asked, stub.count()))
    stub.stop()
    answer = ask(server, planted, "никого нет")
    check(answer.status == 200 and answer.header("x-embedding").startswith("none ("),
          "so is one that is not there", answer)


def main():
    base = apitest.database("api_search")
    stub = Stub()
    key = apitest.pathlib.Path(apitest.tempfile.mkdtemp()) / "key"
    key.write_text("a-key-that-is-secret\n")
    os.chmod(key, 0o600)
    options = ["--embedding-url", stub.url, "--embedding-key-file", str(key), "--embedding-model", "a-model",
               "--embedding-timeout", "2s"]
    planted = plant(base)
    servers = [apitest.Server(base, "naive"), apitest.Server(base, "optimised")]
    pairs = [planted[:2]] + [pair for pair in assistants_with_chunks(base, 24) if pair != planted[:2]]
    compare(base, servers, pairs)
    texts = [server.post(f"/assistants/{planted[1]}/search", {"text": "доставка"}, planted[0]) for server in servers]
    same((texts[0].body, texts[0].header("x-embedding")), (texts[1].body, "none (no embedding service is configured)"),
         "without a service a text is searched by its words, in both variants alike")
    same(texts[1].header("x-query-count"), "2", "in two statements")
    check_bad(servers, planted)
    asking = apitest.Server(base, "optimised", options)
    check_service(base, asking, stub, planted)
    check_faults(base, asking, stub, planted)
    check_tenants(base, servers, planted)
    check_direct(base, planted)
    check("a-key-that-is-secret" not in asking.logged(), "the key of the service is in no log")
    same([server.stop() for server in [*servers, asking]], [0, 0, 0], "they end with status 0")
    apitest.shutil.rmtree(key.parent, ignore_errors=True)
    apitest.done()


main()
