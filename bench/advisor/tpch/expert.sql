-- By hand: the foreign keys that joins enter by, the dates that ranges enter by, and entries that need no row.
CREATE INDEX x_lineitem_part ON lineitem (l_partkey, l_suppkey) INCLUDE (l_quantity, l_shipdate);
CREATE INDEX x_lineitem_ship ON lineitem (l_shipdate) INCLUDE (l_extendedprice, l_discount, l_quantity, l_suppkey, l_partkey);
CREATE INDEX x_lineitem_receipt ON lineitem (l_receiptdate) WHERE l_shipmode IN ('MAIL', 'SHIP');
CREATE INDEX x_lineitem_supplier ON lineitem (l_suppkey, l_orderkey) WHERE l_receiptdate > l_commitdate;
CREATE INDEX x_lineitem_order ON lineitem (l_orderkey) INCLUDE (l_shipdate, l_extendedprice, l_discount, l_suppkey, l_quantity);
CREATE INDEX x_orders_customer ON orders (o_custkey);
CREATE INDEX x_orders_date ON orders (o_orderdate) INCLUDE (o_orderkey, o_custkey, o_orderpriority, o_shippriority);
CREATE INDEX x_partsupp_supplier ON partsupp (ps_suppkey);
CREATE INDEX x_part_brand ON part (p_brand, p_container);
