//! Who may do what, and from where: the scopes of operator keys, and networks.
//!
//! What lives here: decisions about access that need no HTTP. What must not: how a key is sent, or stored.

mod networks;
mod scope;

pub use networks::{NetworkError, Networks};
pub use scope::{Resource, Right, Scope, Scopes, UnknownScope};
