-- Whether anything was ever migrated.
SELECT to_regclass('refinery_schema_history') IS NOT NULL AS has_history
