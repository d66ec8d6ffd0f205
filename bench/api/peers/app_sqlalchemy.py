"""The back end as the plan has it: FastAPI, SQLAlchemy's ORM, QueuePool(20 + 30) in each worker, checked before use.

/naive/… asks once and then twice for each assistant; /optimised/… asks once for all.
"""
import datetime
import os

from common import DAYS, user_of
from fastapi import Depends, FastAPI, Header
from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Integer, String, create_engine, func, select, text
from sqlalchemy.orm import Session, declarative_base, sessionmaker
from sqlalchemy.pool import QueuePool

engine = create_engine(os.environ["PEER_URL"], poolclass=QueuePool, pool_size=20, max_overflow=30, pool_timeout=30,
                       pool_recycle=3600, pool_pre_ping=True)
make_session = sessionmaker(bind=engine, autoflush=False)
Base = declarative_base()
app = FastAPI()


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


class Dialog(Base):
    __tablename__ = "dialogs"
    id = Column(Integer, primary_key=True)
    user_id = Column(Integer, ForeignKey("users.id"))
    assistant_id = Column(Integer, ForeignKey("assistants.id"))
    started_at = Column(DateTime)


class Message(Base):
    __tablename__ = "dialog_messages"
    id = Column(Integer, primary_key=True)
    dialog_id = Column(Integer, ForeignKey("dialogs.id"))
    sender = Column(String)
    timestamp = Column(DateTime)


def session():
    with make_session() as opened:
        yield opened


def current_user(authorization: str = Header(None), db: Session = Depends(session)):
    """The row of who signed in; from here on row security lets his rows through."""
    number = user_of(authorization)
    db.execute(text("SELECT set_config('replyx.user_id', :id, true)"), {"id": str(number)})
    return db.query(User).filter(User.id == number).one()


def since():
    return datetime.datetime.utcnow() - datetime.timedelta(days=DAYS)


def answer(rows):
    """rows of (assistant, messages, dialogs)"""
    return {
        "global": {
            "totalAssistants": len(rows),
            "activeAssistants": sum(1 for assistant, _, _ in rows if assistant.is_active),
            "totalMessages": sum(messages for _, messages, _ in rows),
            "totalDialogs": sum(dialogs for _, _, dialogs in rows),
        },
        "byAssistant": [{"id": assistant.id, "name": assistant.name, "messages": messages, "dialogs": dialogs,
                         "is_active": assistant.is_active} for assistant, messages, dialogs in rows],
    }


def assistants_of(db, user):
    return (db.query(Assistant).filter(Assistant.user_id == user.id)
            .order_by(Assistant.created_at.desc(), Assistant.id.desc()))


@app.get("/naive/assistants/stats")
def naive_stats(user=Depends(current_user), db: Session = Depends(session)):
    start = since()
    rows = []
    for assistant in assistants_of(db, user).all():
        messages = (db.query(func.count(Message.id)).join(Dialog, Dialog.id == Message.dialog_id)
                    .filter(Dialog.user_id == user.id, Dialog.assistant_id == assistant.id,
                            Message.sender == "assistant", Message.timestamp >= start).scalar())
        dialogs = (db.query(func.count(Dialog.id))
                   .filter(Dialog.user_id == user.id, Dialog.assistant_id == assistant.id,
                           Dialog.started_at >= start).scalar())
        rows.append((assistant, messages, dialogs))
    return answer(rows)


@app.get("/optimised/assistants/stats")
def optimised_stats(user=Depends(current_user), db: Session = Depends(session)):
    """One statement of the same shape as ours: for each assistant, by LATERAL."""
    start = since()
    messages = (select(func.count(Message.id).label("messages")).join(Dialog, Dialog.id == Message.dialog_id)
                .where(Dialog.user_id == user.id, Dialog.assistant_id == Assistant.id, Message.sender == "assistant",
                       Message.timestamp >= start).correlate(Assistant).scalar_subquery())
    dialogs = (select(func.count(Dialog.id).label("dialogs"))
               .where(Dialog.user_id == user.id, Dialog.assistant_id == Assistant.id, Dialog.started_at >= start)
               .correlate(Assistant).scalar_subquery())
    rows = (db.query(Assistant, messages, dialogs).filter(Assistant.user_id == user.id)
            .order_by(Assistant.created_at.desc(), Assistant.id.desc()).all())
    return answer(rows)


@app.get("/naive/assistants")
def list_assistants(active: bool = True, user=Depends(current_user), db: Session = Depends(session)):
    rows = assistants_of(db, user).filter(Assistant.is_active == active).all()
    return [{"id": row.id, "name": row.name, "ai_model": row.ai_model, "is_active": row.is_active,
             "created_at": row.created_at.isoformat()} for row in rows]
