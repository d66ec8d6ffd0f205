-- Marks the runs of which nothing stands any more.
-- @server 14+
UPDATE pgmend.run AS r
   SET state = 'undone'
 WHERE r.state IN ('done', 'failed')
   AND EXISTS (SELECT 1 FROM pgmend.journal AS j WHERE j.run = r.id AND j.state = 'undone')
   AND NOT EXISTS (SELECT 1 FROM pgmend.journal AS j
                    WHERE j.run = r.id AND j.state NOT IN ('undone', 'failed'));
