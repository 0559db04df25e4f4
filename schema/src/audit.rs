//! Recomputes the invariants.
