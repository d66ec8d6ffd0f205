-- What the catalogue is taken for to have been before a run, once the rests of an earlier one are gone.
-- @arg id text
-- @arg catalogue text
-- @server 14+
UPDATE pgmend.run
   SET catalogue = $2::json
 WHERE id = $1;
