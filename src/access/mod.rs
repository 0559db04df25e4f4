//! Who may do what: the scopes of operator keys.
//!
//! What lives here: decisions about access that need no HTTP. What must not: how a key is sent, or stored.

mod scope;

pub use scope::{Resource, Right, Scope, Scopes, UnknownScope};
