//! Postgres: migrations, queries and the journal port.
