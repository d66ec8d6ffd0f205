"""What each GET endpoint must answer, worked out in Python from the plain rows of the tables: the description of the
application once more, independent of every query of the program."""
import collections
import re

WINDOW_US = 30 * 86400 * 10**6


def moment(text):
    """A time as row_to_json() writes it as something to sort by."""
    if text in ("infinity", "-infinity"):
        return (float(text.replace("infinity", "inf")),)
    parts = re.fullmatch(r"(\d+)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?( BC)?", text)
    year = 1 - int(parts[1]) if parts[8] else int(parts[1])
    return (year, *(int(parts[at]) for at in range(2, 7)), int((parts[7] or "0").ljust(6, "0")))


def microseconds(text):
    """The same as microseconds since a day long ago, for the window; infinities stay."""
    found = moment(text)
    if len(found) == 1:
        return found[0]
    year, month, day, hour, minute, second, fraction = found
    if month <= 2:
        year, month = year - 1, month + 12
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 10**6 + fraction


def newest(rows, column):
    return sorted(rows, key=lambda row: (moment(row[column]), row["id"]), reverse=True)


def take(row, *names):
    return {name: row[name] for name in names}


class World:
    def __init__(self, database, now):
        self.now_us = microseconds(now.rstrip("Z"))
        self.users = {row["id"]: row for row in database.rows("SELECT id, email FROM public.users")}
        self.assistants = self.by_user(database, "assistants", "id, user_id, name, ai_model, is_active, created_at")
        self.dialogs = self.by_user(database, "dialogs", "id, user_id, assistant_id, telegram_username, first_name, last_name,"
                                    " handoff_status, started_at, ended_at")
        self.bots = self.by_user(database, "bot_instances", "id, user_id, assistant_id, platform, is_active, created_at")
        self.knowledge = self.by_user(database, "user_knowledge", "id, user_id, assistant_id, doc_id")
        self.transactions = self.by_user(database, "balance_transactions", "*")
        self.documents = {row["id"]: row for row in database.rows("SELECT * FROM public.documents")}
        self.balances = {row["user_id"]: row for row in database.rows("SELECT * FROM public.user_balances")}
        self.messages = collections.defaultdict(list)
        for row in database.rows("SELECT id, dialog_id, sender, text, timestamp FROM public.dialog_messages"):
            self.messages[row["dialog_id"]].append(row)

    @staticmethod
    def by_user(database, table, columns):
        found = collections.defaultdict(list)
        for row in database.rows(f"SELECT {columns} FROM public.{table}"):
            found[row["user_id"]].append(row)
        return found

    def has(self, user, assistant):
        return any(row["id"] == assistant for row in self.assistants[user])

    def is_recent(self, text):
        return microseconds(text) >= self.now_us - WINDOW_US

    @staticmethod
    def title(dialog):
        name = " ".join(part for part in (dialog["first_name"], dialog["last_name"]) if part)
        if name:
            return "Диалог с " + name
        if dialog["telegram_username"]:
            return "Диалог с @" + dialog["telegram_username"]
        return f"Диалог {dialog['id']}"

    # Each endpoint: what is to be answered (None: 404), and how many queries the naive form needs.

    def assistants_of(self, user, active=None):
        rows = [row for row in self.assistants[user] if active is None or row["is_active"] == active]
        return [take(row, "id", "name", "ai_model", "is_active", "created_at") for row in newest(rows, "created_at")], 1

    def messages_of(self, user, dialog, limit=50):
        if not any(row["id"] == dialog for row in self.dialogs[user]):
            return None, 1
        rows = newest(self.messages[dialog], "timestamp")[:limit]
        return [take(row, "id", "sender", "text", "timestamp") for row in rows], 2

    def stats_of(self, user):
        mine = newest(self.assistants[user], "created_at")
        parts = []
        for assistant in mine:
            dialogs = [row for row in self.dialogs[user] if row["assistant_id"] == assistant["id"]]
            messages = [message for row in dialogs for message in self.messages[row["id"]]
                        if message["sender"] == "assistant" and self.is_recent(message["timestamp"])]
            parts.append({"id": assistant["id"], "name": assistant["name"], "messages": len(messages),
                          "dialogs": sum(self.is_recent(row["started_at"]) for row in dialogs),
                          "is_active": assistant["is_active"]})
        return {"global": {"totalAssistants": len(mine), "activeAssistants": sum(row["is_active"] for row in mine),
                           "totalMessages": sum(part["messages"] for part in parts),
                           "totalDialogs": sum(part["dialogs"] for part in parts)},
                "byAssistant": parts}, 1 + 2 * len(mine)

    def dialogs_of_assistant(self, user, assistant):
        if not self.has(user, assistant):
            return None, 1
        rows = newest([row for row in self.dialogs[user] if row["assistant_id"] == assistant], "started_at")
        found = []
        for row in rows:
            messages = self.messages[row["id"]]
            found.append({"id": row["id"], "title": self.title(row),
                          "status": "completed" if row["ended_at"] else "active", "started_at": row["started_at"],
                          "last_message_at": newest(messages, "timestamp")[0]["timestamp"] if messages else None,
                          "message_count": len(messages)})
        return found, 1 + 2 * len(rows)

    def documents_of(self, user, assistant):
        if not self.has(user, assistant):
            return None, 1
        known = [row["doc_id"] for row in self.knowledge[user] if row["assistant_id"] == assistant]
        rows = [self.documents[doc] for doc in set(known) if doc in self.documents and self.documents[doc]["user_id"] == user]
        return [take(row, "id", "filename", "size", "upload_date", "doc_hash")
                for row in newest(rows, "upload_date")], 1 + len(known)

    def dialogs_of(self, user, page=1, limit=20):
        rows = newest(self.dialogs[user], "started_at")
        items = []
        for row in rows[(page - 1) * limit:page * limit]:
            messages = newest(self.messages[row["id"]], "timestamp")
            items.append({"id": row["id"], "assistant_id": row["assistant_id"], "title": self.title(row),
                          "status": "completed" if row["ended_at"] else "active",
                          "handoff_status": row["handoff_status"], "started_at": row["started_at"],
                          "last_message": take(messages[0], "id", "sender", "text", "timestamp") if messages else None,
                          "owner_email": self.users[user]["email"]})
        return {"items": items, "total": len(rows), "page": page, "pages": -(-len(rows) // limit),
                "limit": limit}, 2 + 2 * len(items)

    def bots_of(self, user):
        found = []
        for row in newest(self.bots[user], "created_at"):
            owned = [one for one in self.assistants[user] if one["id"] == row["assistant_id"]]
            found.append({**take(row, "id", "platform", "is_active", "created_at"),
                          "assistant": take(owned[0], "id", "name", "ai_model", "is_active") if owned else None})
        return found, 1 + len(found)

    def balance_of(self, user):
        row = self.balances.get(user, {"balance": 0, "total_spent": 0, "total_topped_up": 0})
        recent = newest(self.transactions[user], "created_at")
        return {**take(row, "balance", "total_spent", "total_topped_up"), "transactions_count": len(recent),
                "recent_transactions": [take(one, "id", "amount", "transaction_type", "description", "balance_before",
                                             "balance_after", "created_at") for one in recent[:10]]}, 3

    def requests_of(self, user):
        """Every GET request that this user can make of what is his, and some of what is not: (path, expected, naive queries)."""
        yield "/assistants", *self.assistants_of(user)
        yield "/assistants?active=true", *self.assistants_of(user, True)
        yield "/assistants/stats", *self.stats_of(user)
        yield "/bot-instances", *self.bots_of(user)
        yield "/balance", *self.balance_of(user)
        yield "/dialogs", *self.dialogs_of(user)
        total = len(self.dialogs[user])
        for page, limit in {(2, 20), (1, 7), (total // 7 + 1, 7), (total // 7 + 2, 7), (3, 1), (1, 100), (2147483647, 100)}:
            yield f"/dialogs?page={page}&limit={limit}", *self.dialogs_of(user, page, limit)
        for row in self.assistants[user]:
            yield f"/assistants/{row['id']}/dialogs", *self.dialogs_of_assistant(user, row["id"])
            yield f"/assistants/{row['id']}/documents", *self.documents_of(user, row["id"])
        for other in (user - 1, user + 1):
            for row in self.assistants.get(other, [])[:1]:
                yield f"/assistants/{row['id']}/dialogs", None, 1
                yield f"/assistants/{row['id']}/documents", None, 1
            for row in self.dialogs.get(other, [])[:1]:
                yield f"/dialogs/{row['id']}/messages", None, 1
        for row in self.dialogs[user]:
            yield f"/dialogs/{row['id']}/messages", *self.messages_of(user, row["id"])
            if row["id"] % 10 == 1:
                for limit in (1, 3, 1000):
                    yield f"/dialogs/{row['id']}/messages?limit={limit}", *self.messages_of(user, row["id"], limit)
