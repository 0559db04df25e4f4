//! The actix actors of a casino's wallets.

pub mod ports;
