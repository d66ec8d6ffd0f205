-- Whether there is any of the others: most databases have none, and to plan the statement that describes them takes longer than to read ten tables.
-- @column exist bool
-- @server 14+
SELECT EXISTS (
    SELECT 1
      FROM (SELECT tableoid, oid FROM pg_catalog.pg_am WHERE oid >= 16384
            UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_cast WHERE oid >= 16384
            UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_collation WHERE oid >= 16384
            UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_conversion WHERE oid >= 16384
            UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_default_acl
            UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_event_trigger
            UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_foreign_data_wrapper
            UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_foreign_server
            UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_language WHERE oid >= 16384
            UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_operator WHERE oid >= 16384
            UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_opclass WHERE oid >= 16384
            UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_opfamily WHERE oid >= 16384
            UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_transform
            UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_ts_config WHERE oid >= 16384
            UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_ts_dict WHERE oid >= 16384
            UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_ts_parser WHERE oid >= 16384
            UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_ts_template WHERE oid >= 16384
            UNION ALL SELECT 0, umid FROM pg_catalog.pg_user_mappings)
           AS o (classid, oid)
     WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                        WHERE e.classid = o.classid AND e.objid = o.oid
                          AND e.deptype IN ('e', 'i')));
