"""The tables of the shop, as SQLAlchemy sees them."""
from sqlalchemy import Column, DateTime, ForeignKey, Integer, Numeric, Text, func
from sqlalchemy.orm import declarative_base, relationship

Base = declarative_base()


class Customer(Base):
    __tablename__ = "customers"

    id = Column(Integer, primary_key=True)
    name = Column(Text, nullable=False)
    email = Column(Text, nullable=False, unique=True)


class Item(Base):
    __tablename__ = "items"

    id = Column(Integer, primary_key=True)
    title = Column(Text, nullable=False)
    price = Column(Numeric(10, 2), nullable=False)


class Order(Base):
    __tablename__ = "orders"

    id = Column(Integer, primary_key=True)
    customer_id = Column(ForeignKey("customers.id"), nullable=False)
    status = Column(Text, nullable=False, server_default="new")
    total = Column(Numeric(10, 2), nullable=False)
    created_at = Column(DateTime(timezone=True), nullable=False, server_default=func.now())

    customer = relationship(Customer)
    lines = relationship("OrderLine")


class OrderLine(Base):
    __tablename__ = "order_lines"

    order_id = Column(ForeignKey("orders.id"), primary_key=True)
    position = Column(Integer, primary_key=True)
    item_id = Column(ForeignKey("items.id"), nullable=False)
    quantity = Column(Integer, nullable=False)
