//! The in-house test games.
