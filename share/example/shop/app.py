"""A small shop. Two things are wrong with it, as with many: an index is missing, and a list asks once for each row.

    uvicorn --app-dir share/example/shop app:app
"""
import os

from fastapi import FastAPI
from sqlalchemy.orm import joinedload, selectinload, sessionmaker

from database import make_engine
from models import Customer, Order

engine = make_engine(pool_size=8, pool_pre_ping=False)
Session = sessionmaker(engine)
app = FastAPI(title="shop")


@app.get("/health")
def health():
    return {"status": "ok"}


@app.get("/customers/{customer_id}")
def customer(customer_id: int):
    with Session() as session:
        found = session.get(Customer, customer_id)
        return {"id": found.id, "name": found.name}


@app.get("/customers/{customer_id}/orders")
def orders_of(customer_id: int):
    """The ten newest orders of a customer: no index helps, so the whole table is read."""
    with Session() as session:
        newest = (
            session.query(Order)
            .filter(Order.customer_id == customer_id)
            .order_by(Order.created_at.desc())
            .limit(10)
        )
        return [{"id": order.id, "status": order.status, "total": str(order.total)} for order in newest]


@app.get("/orders/latest")
def latest():
    """The 20 newest orders with their customers and lines: 1 + 20 + 20 statements, unless SHOP_EAGER is set."""
    with Session() as session:
        newest = session.query(Order).order_by(Order.id.desc()).limit(20)
        if os.environ.get("SHOP_EAGER"):
            newest = newest.options(joinedload(Order.customer), selectinload(Order.lines))
        return [
            {
                "id": order.id,
                "customer": order.customer.name,
                "items": [{"item": line.item_id, "quantity": line.quantity} for line in order.lines],
            }
            for order in newest
        ]
