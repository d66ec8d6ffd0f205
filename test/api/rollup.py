"""The counts by day (replyx/api/60_rollup.sql) are those of the rows, at every moment and whoever writes.

Usage: rollup.py [SEED]      prints TAP

Several sessions write at random; in between and afterwards one statement compares counts and rows. What is right is
counted from the rows by a statement of this file.
"""
import os
import random
import subprocess
import sys
import threading

import apitest
from apitest import check, same

SESSIONS = 4
STEPS = 60

# In one snapshot: rows that are not counted, or counted where there is none.
DIFFERENCES = """
    SELECT count(*) FROM (
        SELECT user_id, day, assistant_id, dialog_id
          FROM (SELECT d.user_id, date(d.started_at) AS day, coalesce(d.assistant_id, 0) AS assistant_id,
                       d.id AS dialog_id, 0 AS messages, 1 AS dialogs FROM public.dialogs AS d
                 UNION ALL
                SELECT d.user_id, date(m.timestamp), coalesce(d.assistant_id, 0), d.id, 1, 0
                  FROM public.dialog_messages AS m JOIN public.dialogs AS d ON d.id = m.dialog_id
                 WHERE m.sender = 'assistant'
                 UNION ALL
                SELECT user_id, day, assistant_id, dialog_id, -messages, -dialogs
                  FROM replyx_api.assistant_daily_stats) AS each
         GROUP BY 1, 2, 3, 4 HAVING sum(messages) <> 0 OR sum(dialogs) <> 0) AS wrong"""


class Writer:
    """Statements of one session, at random; its own dialogs have ids that tell whose they are."""

    def __init__(self, seed, number, users, assistants):
        self.random = random.Random(f"{seed} {number}")
        self.users, self.assistants = users, assistants
        self.number = number

    def time(self):
        days = self.random.choice((0, 0, 1, 2, 29, 30, 31, 400, -3))
        text = f"timestamp '2026-11-22 00:00:00' - interval '{days} days' + interval '{self.random.randint(0, 86399)} s'"
        return self.random.choice((text,) * 9 + ("timestamp 'infinity'", "timestamp '2026-10-23 00:00:00'"))

    def sender(self):
        return self.random.choice(("'assistant'", "'assistant'", "'assistant'", "'user'", "'manager'"))

    def user(self):
        return self.random.choice(self.users)

    def assistant(self):
        return self.random.choice(self.assistants + ["NULL"])

    def dialog(self):
        """One that is there, mostly of those that all sessions write to."""
        # The subselect is run once, so that a statement means one dialog.
        return (f"(SELECT id FROM dialogs WHERE id >= 1000000 ORDER BY (id::bigint * {self.random.randint(3, 99991)}) % 100003 LIMIT 1)")

    def message(self):
        return (f"(SELECT id FROM dialog_messages WHERE dialog_id >= 1000000"
                f" ORDER BY (id::bigint * {self.random.randint(3, 99991)}) % 100003 LIMIT 1)")

    def insert_dialog(self):
        return (f"INSERT INTO dialogs (id, user_id, assistant_id, started_at) SELECT nextval('test_dialog'), {self.user()},"
                f" {self.assistant()}, {self.time()} FROM generate_series(1, {self.random.choice((1, 1, 3))})")

    def insert_messages(self, count=None):
        count = count or self.random.choice((1, 1, 1, 1, 2, 7, 40))
        return (f"INSERT INTO dialog_messages (dialog_id, sender, text, timestamp) SELECT {self.dialog()}, {self.sender()},"
                f" 'text', {self.time()} + n * interval '{self.random.choice((1, 3600, 86400))} s'"
                f" FROM generate_series(1, {count}) AS n")

    def insert_into_many(self):
        return ("INSERT INTO dialog_messages (dialog_id, sender, text, timestamp)"
                f" SELECT id, {self.sender()}, 'text', {self.time()} FROM dialogs WHERE id >= 1000000 ORDER BY id LIMIT 15")

    def update_message(self):
        change = self.random.choice((f"timestamp = {self.time()}", f"sender = {self.sender()}", "text = 'other'",
                                     f"dialog_id = {self.dialog()}", f"dialog_id = {self.dialog()}, sender = {self.sender()}"))
        return f"UPDATE dialog_messages SET {change} WHERE id = {self.message()}"

    def update_messages(self):
        return (f"UPDATE dialog_messages SET timestamp = timestamp + interval '{self.random.randint(-30, 30)} h'"
                f" WHERE dialog_id = {self.dialog()}")

    def delete_messages(self):
        return self.random.choice((f"DELETE FROM dialog_messages WHERE id = {self.message()}",
                                   f"DELETE FROM dialog_messages WHERE dialog_id = {self.dialog()} AND id % 3 = 0"))

    def update_dialog(self):
        change = self.random.choice((f"assistant_id = {self.assistant()}", f"user_id = {self.user()}",
                                     f"started_at = {self.time()}", "ended_at = now()",
                                     f"assistant_id = {self.assistant()}, started_at = {self.time()}, user_id = {self.user()}"))
        return f"UPDATE dialogs SET {change} WHERE id = {self.dialog()}"

    def update_dialogs(self):
        return f"UPDATE dialogs SET assistant_id = {self.assistant()} WHERE id >= 1000000 AND id % 7 = {self.random.randint(0, 6)}"

    def delete_dialog(self):
        return f"DELETE FROM dialogs WHERE id = {self.dialog()}"

    def both(self):
        """Changes of both tables in one statement: the triggers run at its end."""
        change = self.random.choice((f"UPDATE dialogs SET assistant_id = {self.assistant()} WHERE id = {self.dialog()}",
                                     f"UPDATE dialogs SET user_id = {self.user()} WHERE id = {self.dialog()}"))
        other = self.random.choice(("UPDATE dialog_messages AS m SET timestamp = m.timestamp - interval '1 day' FROM moved"
                                    " WHERE m.dialog_id = moved.id",
                                    "DELETE FROM dialog_messages AS m USING moved WHERE m.dialog_id = moved.id AND m.id % 2 = 0",
                                    "INSERT INTO dialog_messages (dialog_id, sender, text, timestamp)"
                                    f" SELECT id, 'assistant', 'both', {self.time()} FROM moved"))
        return f"WITH moved AS ({change} RETURNING id) {other}"

    def upsert(self):
        return (f"INSERT INTO dialogs (id, user_id, assistant_id, started_at) SELECT id, user_id, {self.assistant()}, {self.time()}"
                f" FROM dialogs WHERE id = {self.dialog()} ON CONFLICT (id) DO UPDATE SET"
                " assistant_id = excluded.assistant_id, started_at = excluded.started_at")

    def fold(self):
        return f"SELECT replyx_api.fold_rollup({self.user()}, {self.random.choice(self.assistants)})"

    def statement(self):
        return self.random.choice(
            [self.insert_messages] * 8 + [self.insert_dialog] * 2 + [self.update_message] * 4 + [self.delete_messages] * 2
            + [self.update_dialog] * 4 + [self.insert_into_many, self.update_messages, self.update_dialogs, self.delete_dialog,
               self.both, self.both, self.upsert, self.fold])()

    def transaction(self):
        kind = self.random.random()
        if kind < 0.5:
            return self.statement() + ";\n"
        level = self.random.choice(("READ COMMITTED",) * 4 + ("REPEATABLE READ", "SERIALIZABLE"))
        parts = [f"BEGIN ISOLATION LEVEL {level}", self.statement()]
        if kind < 0.7:
            parts += ["SAVEPOINT s", self.statement(), "ROLLBACK TO s", self.statement()]
        parts += [self.statement() for _ in range(self.random.randint(0, 2))]
        parts.append(self.random.choice(("COMMIT", "COMMIT", "COMMIT", "ROLLBACK")))
        return ";\n".join(parts) + ";\n"

    def script(self):
        return "".join(self.transaction() for _ in range(STEPS))


def session(base, script):
    """Statements may fail (a lock lost, a snapshot too old, a row gone): then nothing of them may be counted."""
    found = subprocess.run(["psql", "-XqAt", "-v", "VERBOSITY=sqlstate", "-d", base.name], input=script, text=True,
                           capture_output=True, check=False)
    return [line.rsplit(" ", 1)[1] for line in found.stderr.split("\n") if "ERROR:" in line]


def run_together(base, scripts, meanwhile):
    """What went wrong in the sessions; meanwhile() is called again and again until they are done."""
    codes = []
    threads = [threading.Thread(target=lambda script=script: codes.extend(session(base, script))) for script in scripts]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        meanwhile()
    for thread in threads:
        thread.join()
    return codes


def wrong(base):
    return int(base.value(DIFFERENCES))


def prepare(base):
    users = base.sql("SELECT id FROM users ORDER BY id LIMIT 3").split("\n")
    assistants = base.sql("SELECT id FROM assistants ORDER BY id LIMIT 4").split("\n")
    base.sql(f"""
        CREATE SEQUENCE test_dialog START 1000000;
        INSERT INTO dialogs (id, user_id, assistant_id, started_at)
        SELECT nextval('test_dialog'), {users[0]}, {assistants[0]}, '2026-11-21' FROM generate_series(1, 40);
        ALTER TABLE dialog_messages DROP CONSTRAINT dialog_messages_dialog_id_fkey, ADD CONSTRAINT
            dialog_messages_dialog_id_fkey FOREIGN KEY (dialog_id) REFERENCES dialogs ON DELETE CASCADE""")
    return users, assistants


def check_random(base, seed, users, assistants):
    found = []
    codes = run_together(base, [Writer(seed, number, users, assistants).script() for number in range(SESSIONS)],
                         lambda: found.append(wrong(base)))
    check(len(found) > 0 and set(found) == {0}, f"{SESSIONS} sessions write: every one of {len(found)} looks finds nothing wrong",
          found)
    same(wrong(base), 0, "nor does one at the end")
    unknown = set(codes) - {"40001", "40P01", "23503", "25P02", "3B001", "0A000", "23502", "22008"}
    check(not unknown, "statements failed for want of a lock or a row only", sorted(codes))
    check(int(base.value("SELECT count(*) FROM replyx_api.assistant_daily_stats WHERE dialog_id >= 1000000")) > 50,
          "there was something to count")


def check_isolation(base):
    """A message whose snapshot is older than its dialog's move must not be counted for whom it was of."""
    old = subprocess.Popen(["psql", "-XqAt", "-v", "VERBOSITY=sqlstate", "-d", base.name], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    dialog = base.value("INSERT INTO dialogs (id, user_id, assistant_id) SELECT nextval('test_dialog'), user_id, id"
                        " FROM assistants ORDER BY id LIMIT 1 RETURNING id")
    old.stdin.write("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 'snapshot' FROM dialogs LIMIT 1;\n")
    old.stdin.flush()
    same(old.stdout.readline().strip(), "snapshot", "a transaction has its snapshot")
    base.sql(f"UPDATE dialogs SET assistant_id = (SELECT max(id) FROM assistants) WHERE id = {dialog}")
    out, _ = old.communicate(f"INSERT INTO dialog_messages (dialog_id, sender, text) VALUES ({dialog}, 'assistant', 'x'); COMMIT;\n")
    check("40001" in out, "its message for a dialog that has moved since is refused (40001)", out)
    moved = subprocess.run(["psql", "-XqAt", "-d", base.name], text=True, capture_output=True, check=False,
                           input=f"BEGIN ISOLATION LEVEL REPEATABLE READ; DELETE FROM dialogs WHERE id = {dialog}; COMMIT;")
    check("READ COMMITTED only" in moved.stderr, "so is the end of a dialog in such a transaction", moved.stderr)
    same(wrong(base), 0, "and the counts are right")


def check_wait(base):
    """A message that is being written is counted where its dialog moves to; the move waits for it."""
    dialog = base.value("INSERT INTO dialogs (id, user_id, assistant_id) SELECT nextval('test_dialog'), user_id, id"
                        " FROM assistants ORDER BY id LIMIT 1 RETURNING id")
    writer = subprocess.Popen(["psql", "-XqAt", "-d", base.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    writer.stdin.write(f"BEGIN; INSERT INTO dialog_messages (dialog_id, sender, text) VALUES ({dialog}, 'assistant', 'x');"
                       " SELECT 'written';\n")
    writer.stdin.flush()
    writer.stdout.readline()
    mover = threading.Thread(target=base.sql, args=(
        f"UPDATE dialogs SET assistant_id = (SELECT max(id) FROM assistants) WHERE id = {dialog}",))
    mover.start()
    apitest.wait_until("the move waits", lambda: base.value(
        "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = 7250362 AND NOT granted"))
    writer.communicate("COMMIT;\n")
    mover.join()
    same(wrong(base), 0, "a message and the move of its dialog at the same time are both counted")


def check_bulk(base):
    base.sql("""
        INSERT INTO dialog_messages (dialog_id, sender, text, timestamp)
        SELECT d.id, 'assistant', 'bulk', '2026-11-20'::timestamp + n * interval '1 h' FROM dialogs AS d, generate_series(1, 20) AS n""")
    same(wrong(base), 0, "tens of thousands of messages in one statement")
    base.sql("BEGIN; DELETE FROM dialog_messages WHERE text = 'bulk'; ROLLBACK")
    same(wrong(base), 0, "a rollback")
    base.sql("DELETE FROM dialogs WHERE id >= 1000000 AND id % 2 = 0")
    same(wrong(base), 0, "dialogs with their messages, by the foreign key")


def answers(base, variant, moments):
    """What the endpoint says to every user, at several times of day."""
    found = {}
    users = base.sql("SELECT DISTINCT a.user_id FROM assistants AS a JOIN users AS u ON u.id = a.user_id"
                     " WHERE u.status = 'active' ORDER BY 1").split("\n")
    for moment in moments:
        server = apitest.Server(base, variant, ["--now", moment])
        for user in users:
            answer = server.get("/assistants/stats", int(user))
            found[user, moment] = (answer.status, answer.header("x-variant"), answer.body)
        server.stop()
    return found


def check_endpoint(base):
    moments = ("2026-11-22T13:47:11Z", "2026-11-23T00:00:00Z")
    naive = answers(base, "naive", moments)
    rollup = answers(base, "rollup", moments)
    different = [key for key in naive if naive[key][0] != 200 or naive[key][2] != rollup[key][2]]
    check(not different, f"GET /assistants/stats: {len(naive)} answers have the same bytes", different[:5])
    same({value[1] for value in rollup.values()}, {"rollup"}, "and are made of the counts")
    base.sql("UPDATE replyx_api.rollup_state SET is_complete = false; DELETE FROM replyx_api.assistant_daily_stats")
    incomplete = answers(base, "rollup", moments[:1])
    different = [key for key in incomplete if naive[key][2] != incomplete[key][2]]
    check(not different, "while the counts are not complete the rows are counted", different[:5])


def check_fill(base, seed, users, assistants):
    """Set up while others write: no gap, nothing twice."""
    base.sql("""
        DROP TRIGGER replyx_api_rollup_insert ON dialog_messages; DROP TRIGGER replyx_api_rollup_update ON dialogs;
        ALTER TABLE dialogs DISABLE TRIGGER replyx_api_rollup_delete;
        INSERT INTO dialog_messages (dialog_id, sender, text) SELECT id, 'assistant', 'missed' FROM dialogs WHERE id % 5 = 0;
        UPDATE dialogs SET assistant_id = NULL WHERE id % 3 = 0""")
    check(wrong(base) > 0, "without its triggers the rollup is wrong")
    installed = []

    def install():
        if installed:
            return
        env = {**os.environ, "PGDATABASE": base.name}
        for _ in range(5):  # a writer may make it lose a deadlock: then it is run again
            done = subprocess.run([str(apitest.ROOT / "replyx/api/install")], env=env, capture_output=True, text=True, check=False)
            if done.returncode == 0 or "deadlock" not in done.stderr:
                break
        installed.append(done)
    run_together(base, [Writer(f"{seed} fill", number, users, assistants).script() for number in range(SESSIONS)], install)
    check(installed and installed[0].returncode == 0, "install does its work beside writers", installed)
    same((wrong(base), base.value("SELECT is_complete FROM replyx_api.rollup_state")), (0, "t"), "and then all is counted")
    base.sql("ALTER TABLE dialogs DISABLE TRIGGER replyx_api_rollup_insert; INSERT INTO dialogs (id, user_id) SELECT"
             f" nextval('test_dialog'), {users[0]}; ALTER TABLE dialogs ENABLE TRIGGER replyx_api_rollup_insert")
    check(wrong(base) == 1 and base.value("SELECT count(*) FROM replyx_api.rollup_differences()") == "1",
          "rollup_differences() finds what was missed")
    base.sql("CALL replyx_api.fill_rollup(anew => true)")
    same(wrong(base), 0, "and fill_rollup(anew) puts it right")


def check_truncate(base):
    base.sql("TRUNCATE dialog_messages CASCADE")
    same(wrong(base), 0, "TRUNCATE of the messages")
    base.sql("TRUNCATE dialogs CASCADE")
    same((wrong(base), base.value("SELECT coalesce(sum(abs(s)), 0) FROM (SELECT sum(dialogs) + sum(messages) AS s"
                                  " FROM replyx_api.assistant_daily_stats GROUP BY user_id, day, assistant_id, dialog_id) AS t")),
         (0, "0"), "TRUNCATE of the dialogs")


def check_fold(base, users, assistants):
    base.sql(f"INSERT INTO dialogs (id, user_id, assistant_id, started_at) VALUES (7777777, {users[0]}, {assistants[0]}, now())")
    rows = "SELECT count(*) FROM replyx_api.assistant_daily_stats WHERE dialog_id = 7777777 AND day = '2026-11-20'"

    def written():
        base.sql("INSERT INTO dialog_messages (dialog_id, sender, text, timestamp) VALUES (7777777, 'assistant', 'x', '2026-11-20')")
        return int(base.value(rows)) >= 3

    # A write folds now and then by itself, so three rows may take more than three writes.
    apitest.wait_until("there are three rows", written)
    base.sql(f"SELECT replyx_api.fold_rollup({users[0]}, {assistants[0]})")
    same((base.value(rows), wrong(base)), ("1", 0), "folding makes one row of three and changes no sum")


def main():
    seed = sys.argv[1] if len(sys.argv) > 1 else "1"
    print(f"# seed {seed}", flush=True)
    base = apitest.database("api_rollup")
    same(wrong(base), 0, "what there was before is counted")
    users, assistants = prepare(base)
    check_random(base, seed, users, assistants)
    check_isolation(base)
    check_wait(base)
    check_bulk(base)
    check_endpoint(base)
    check_fill(base, seed, users, assistants)
    check_truncate(base)
    check_fold(base, users, assistants)
    apitest.done()


main()
