//! Pure translation between the wire formats of game providers and the wallet's commands.
//!
//! What lives here: the [`Dialect`] trait, one folder per dialect, signatures, and the table of error codes
//! with its [`Problem`] documents, which the other HTTP edges use too. What must not: I/O, async, clocks,
//! HTTP libraries, SQL, and any decision about money; that is the wallet's.
//!
//! ```text
//! raw request -> verify (over the raw bytes) -> lookup? -> parse -> Call     the server carries it out
//!    Response <- render <- Answer | CallError                                and brings back its outcome
//! ```
//!
//! A new dialect is a folder beside `native/` and one line in [`DIALECTS`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod amount;
mod dialect;
mod error;
pub mod evolution;
mod fields;
mod form;
pub mod hub88;
pub mod json;
mod mac;
pub mod native;
pub mod pragmatic;
pub mod problem;
mod settings;
pub mod simulate;
pub mod slotegrator;
pub mod softswiss_v1;
pub mod softswiss_v2;
pub mod swipe;

pub use dialect::{
    Account, Answer, Ask, Beside, Call, Context, Dialect, Found, Headers, Known, Lookup, Outcome,
    RawRequest, Response, Secret,
};
pub use error::{CallError, ParseError, SignatureError};
pub use problem::{Code, Problem, Wrong};
pub use settings::{Allowed, Setting, Settings, header_name};

/// Every dialect, one line each.
pub static DIALECTS: &[&dyn Dialect] = &[
    &native::Native,
    &hub88::Hub88,
    &evolution::Evolution,
    &softswiss_v1::SoftswissV1,
    &softswiss_v2::SoftswissV2,
    &pragmatic::Pragmatic,
    &slotegrator::Slotegrator,
    &swipe::Swipe,
];

/// The dialect with this name, as a provider account names it.
#[must_use]
pub fn dialect(name: &str) -> Option<&'static dyn Dialect> {
    DIALECTS
        .iter()
        .copied()
        .find(|dialect| dialect.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_is_found_by_its_name_and_names_are_unique() {
        for registered in DIALECTS {
            let found = dialect(registered.name()).unwrap();
            assert_eq!(found.name(), registered.name());
        }
        let names: std::collections::HashSet<_> = DIALECTS.iter().map(|d| d.name()).collect();
        assert_eq!(names.len(), DIALECTS.len());
        assert!(dialect("Native").is_none());
        assert!(dialect("").is_none());
    }
}
