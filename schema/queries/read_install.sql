SELECT i.lanes, i.incarnation, (SELECT max(h.version)::int4 FROM refinery_schema_history h) AS version
FROM install i
