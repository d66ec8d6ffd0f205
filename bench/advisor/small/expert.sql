CREATE INDEX x_purchase_buyer_placed ON purchase (buyer_id, placed DESC, id DESC);
CREATE INDEX x_purchase_open ON purchase (placed, id) WHERE status = 'open';
CREATE INDEX x_purchase_placed ON purchase (placed);
CREATE INDEX x_buyer_lower ON buyer (lower(email));
CREATE INDEX x_buyer_city ON buyer (city);
CREATE INDEX x_piece_article ON piece (article);
