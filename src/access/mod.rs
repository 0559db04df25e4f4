//! Who may do what: the scopes of operator keys, from where and how often they may be used, and who was refused.
//!
//! What lives here: decisions about access that need no HTTP (`scope`, `grant`, `address`, `networks`, `person`), the keys in use
//! (`ring`) and the noting of refusals (`refused`). What must not: how a key is sent, SQL.

mod address;
mod grant;
mod networks;
pub mod person;
mod refused;
mod ring;
mod scope;

pub use address::Origin;
pub use grant::{Excess, Grant};
pub use networks::{NetworkError, Networks};
pub use refused::{Refusal, Refusals};
pub use ring::{Found, Key, KeyRing};
pub use scope::{Resource, Right, Scope, Scopes, UnknownScope};
