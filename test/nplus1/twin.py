"""The naive endpoints of the application once more, as one writes them with FastAPI and SQLAlchemy's ORM.

Usage: TWIN_URL=postgresql://… python3 twin.py PORT      serves on 127.0.0.1 until it is ended
Who asks says so in the header X-User: for tests on loopback alone. TWIN_TAGS=1 writes sqlcommenter's tags.
TWIN_NOW is what the windows of 30 days end at.
"""
import contextvars
import datetime
import os
import sys
import urllib.parse
import uuid

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from sqlalchemy import (Boolean, Column, DateTime, ForeignKey, Integer, String, Text, create_engine, event, func)
from sqlalchemy.orm import Session, declarative_base, relationship, sessionmaker
from sqlalchemy.pool import QueuePool

engine = create_engine(os.environ["TWIN_URL"], poolclass=QueuePool, pool_size=15, max_overflow=20, pool_recycle=3600,
                       pool_pre_ping=True, connect_args={"application_name": "twin"})
make_session = sessionmaker(bind=engine, autoflush=False)
Base = declarative_base()
app = FastAPI()
current_tag = contextvars.ContextVar("tag", default="")
NOW = datetime.datetime.fromisoformat(os.environ["TWIN_NOW"].rstrip("Z"))


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    email = Column(String)


class Assistant(Base):
    __tablename__ = "assistants"
    id = Column(Integer, primary_key=True)
    user_id = Column(Integer, ForeignKey("users.id"))
    name = Column(String)
    ai_model = Column(String)
    is_active = Column(Boolean)
    created_at = Column(DateTime)


class Document(Base):
    __tablename__ = "documents"
    id = Column(Integer, primary_key=True)
    user_id = Column(Integer, ForeignKey("users.id"))
    filename = Column(String)
    size = Column(Integer)
    doc_hash = Column(String)
    upload_date = Column(DateTime)


class Knowledge(Base):
    __tablename__ = "user_knowledge"
    id = Column(Integer, primary_key=True)
    user_id = Column(Integer, ForeignKey("users.id"))
    assistant_id = Column(Integer, ForeignKey("assistants.id"))
    doc_id = Column(Integer, ForeignKey("documents.id"))
    document = relationship(Document)


class Dialog(Base):
    __tablename__ = "dialogs"
    id = Column(Integer, primary_key=True)
    user_id = Column(Integer, ForeignKey("users.id"))
    assistant_id = Column(Integer, ForeignKey("assistants.id"))
    telegram_username = Column(String)
    first_name = Column(String)
    last_name = Column(String)
    handoff_status = Column(String)
    started_at = Column(DateTime)
    ended_at = Column(DateTime)


class Message(Base):
    __tablename__ = "dialog_messages"
    id = Column(Integer, primary_key=True)
    dialog_id = Column(Integer, ForeignKey("dialogs.id"))
    sender = Column(String)
    text = Column(Text)
    timestamp = Column(DateTime)


class Bot(Base):
    __tablename__ = "bot_instances"
    id = Column(Integer, primary_key=True)
    user_id = Column(Integer, ForeignKey("users.id"))
    assistant_id = Column(Integer, ForeignKey("assistants.id"))
    platform = Column(String)
    is_active = Column(Boolean)
    created_at = Column(DateTime)
    assistant = relationship(Assistant)


@event.listens_for(engine, "before_cursor_execute", retval=True)
def add_tag(_connection, _cursor, statement, parameters, _context, _many):
    """As sqlcommenter does: keys in order, values URL-encoded in single quotes, behind the statement."""
    tag = current_tag.get()
    return (f"{statement} /*{tag}*/" if tag else statement), parameters


def quoted(text):
    return urllib.parse.quote(text, safe="").replace("%", "%%")


async def tag_request(request: Request):
    if os.environ.get("TWIN_TAGS"):
        trace = uuid.uuid4().hex
        current_tag.set(f"framework='fastapi',route='{quoted(request.scope['route'].path)}',"
                        f"traceparent='00-{trace}-{trace[:16]}-01'")


def session(_=Depends(tag_request)):
    with make_session() as opened:
        yield opened


def current_user(x_user: int = Header(), db: Session = Depends(session)):
    user = db.query(User).filter(User.id == x_user).one_or_none()
    if user is None:
        raise HTTPException(401)
    return user


def text_of(moment):
    return moment.isoformat() if moment else None


def title_of(dialog):
    name = " ".join(part for part in (dialog.first_name, dialog.last_name) if part)
    if name:
        return "Диалог с " + name
    return f"Диалог с @{dialog.telegram_username}" if dialog.telegram_username else f"Диалог {dialog.id}"


@app.get("/assistants/stats")
def stats(user=Depends(current_user), db: Session = Depends(session)):
    since = NOW - datetime.timedelta(days=30)
    parts = []
    assistants = (db.query(Assistant).filter(Assistant.user_id == user.id)
                  .order_by(Assistant.created_at.desc(), Assistant.id.desc()).all())
    for assistant in assistants:
        messages = (db.query(func.count(Message.id)).join(Dialog, Dialog.id == Message.dialog_id)
                    .filter(Dialog.user_id == user.id, Dialog.assistant_id == assistant.id,
                            Message.sender == "assistant", Message.timestamp >= since).scalar())
        dialogs = (db.query(func.count(Dialog.id)).filter(Dialog.user_id == user.id, Dialog.assistant_id == assistant.id,
                                                          Dialog.started_at >= since).scalar())
        parts.append({"id": assistant.id, "name": assistant.name, "messages": messages, "dialogs": dialogs,
                      "is_active": assistant.is_active})
    return {"global": {"totalAssistants": len(parts), "activeAssistants": sum(part["is_active"] for part in parts),
                       "totalMessages": sum(part["messages"] for part in parts),
                       "totalDialogs": sum(part["dialogs"] for part in parts)},
            "byAssistant": parts}


def assistant_of(db, user, number):
    found = db.query(Assistant).filter(Assistant.id == number, Assistant.user_id == user.id).one_or_none()
    if found is None:
        raise HTTPException(404)
    return found


@app.get("/assistants/{number}/dialogs")
def assistant_dialogs(number: int, user=Depends(current_user), db: Session = Depends(session)):
    assistant = assistant_of(db, user, number)
    found = []
    for dialog in (db.query(Dialog).filter(Dialog.user_id == user.id, Dialog.assistant_id == assistant.id)
                   .order_by(Dialog.started_at.desc(), Dialog.id.desc()).all()):
        count = db.query(func.count(Message.id)).filter(Message.dialog_id == dialog.id).scalar()
        last = db.query(func.max(Message.timestamp)).filter(Message.dialog_id == dialog.id).scalar()
        found.append({"id": dialog.id, "title": title_of(dialog), "status": "completed" if dialog.ended_at else "active",
                      "started_at": text_of(dialog.started_at), "last_message_at": text_of(last), "message_count": count})
    return found


@app.get("/assistants/{number}/documents")
def documents(number: int, user=Depends(current_user), db: Session = Depends(session)):
    """The relationship is loaded lazily, one document at a time."""
    assistant = assistant_of(db, user, number)
    known = (db.query(Knowledge).filter(Knowledge.user_id == user.id, Knowledge.assistant_id == assistant.id)
             .order_by(Knowledge.id).all())
    found = {row.doc_id: row.document for row in known}
    rows = sorted((row for row in found.values() if row), key=lambda row: (row.upload_date, row.id), reverse=True)
    return [{"id": row.id, "filename": row.filename, "size": row.size, "upload_date": text_of(row.upload_date),
             "doc_hash": row.doc_hash} for row in rows]


@app.get("/dialogs")
def dialogs(page: int = 1, limit: int = 20, user=Depends(current_user), db: Session = Depends(session)):
    mine = db.query(Dialog).filter(Dialog.user_id == user.id)
    total = mine.count()
    items = []
    for dialog in (mine.order_by(Dialog.started_at.desc(), Dialog.id.desc()).offset((page - 1) * limit).limit(limit).all()):
        last = (db.query(Message).filter(Message.dialog_id == dialog.id)
                .order_by(Message.timestamp.desc(), Message.id.desc()).first())
        email = db.query(User.email).filter(User.id == dialog.user_id).scalar()
        items.append({"id": dialog.id, "assistant_id": dialog.assistant_id, "title": title_of(dialog),
                      "status": "completed" if dialog.ended_at else "active", "handoff_status": dialog.handoff_status,
                      "started_at": text_of(dialog.started_at),
                      "last_message": {"id": last.id, "sender": last.sender, "text": last.text,
                                       "timestamp": text_of(last.timestamp)} if last else None,
                      "owner_email": email})
    return {"items": items, "total": total, "page": page, "pages": -(-total // limit), "limit": limit}


@app.get("/bot-instances")
def bots(user=Depends(current_user), db: Session = Depends(session)):
    """The same: bot.assistant is a statement each."""
    found = []
    for bot in db.query(Bot).filter(Bot.user_id == user.id).order_by(Bot.created_at.desc(), Bot.id.desc()).all():
        owned = bot.assistant
        found.append({"id": bot.id, "platform": bot.platform, "is_active": bot.is_active, "created_at": text_of(bot.created_at),
                      "assistant": {"id": owned.id, "name": owned.name, "ai_model": owned.ai_model,
                                    "is_active": owned.is_active} if owned else None})
    return found


@app.get("/health")
def health():
    return {}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
