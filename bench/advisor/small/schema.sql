-- A shop, small enough that all subsets of its candidates can be tried.
CREATE TABLE buyer (id int PRIMARY KEY, city int NOT NULL, email text NOT NULL, since date NOT NULL);
CREATE TABLE purchase (id int PRIMARY KEY, buyer_id int NOT NULL, status text NOT NULL, placed timestamp NOT NULL, total int NOT NULL, note text);
CREATE TABLE piece (purchase_id int, line int, article int NOT NULL, amount int NOT NULL, price int NOT NULL, PRIMARY KEY (purchase_id, line));
