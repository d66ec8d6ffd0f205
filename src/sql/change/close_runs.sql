-- Ends the runs whose program was killed; who holds the run lock knows that no other goes on.
-- @arg own text the run that goes on
-- @arg ended_at text
-- @server 14+
UPDATE pgmend.run
   SET state = 'failed', message = 'cut off: its program was killed', ended_at = $2::timestamptz
 WHERE state = 'running'
   AND id <> $1;
