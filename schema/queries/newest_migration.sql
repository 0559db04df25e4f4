SELECT max(version)::int4 AS version FROM refinery_schema_history
