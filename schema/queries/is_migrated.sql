SELECT to_regclass('install') IS NOT NULL AND to_regclass('refinery_schema_history') IS NOT NULL AS is_migrated
