//! The first setting that is wrong.

use std::collections::BTreeMap;

use super::{ConfigError, Outbox, Server, Webhooks, check::threshold};

/// Remembers the first value that is out of its range.
pub(super) struct Check(pub(super) Result<(), ConfigError>);

impl Default for Check {
    fn default() -> Self {
        Self(Ok(()))
    }
}

impl Check {
    pub(super) fn range<T: PartialOrd + std::fmt::Display>(
        &mut self,
        key: &str,
        value: T,
        least: T,
        most: T,
    ) {
        if self.0.is_ok() && (value < least || value > most) {
            self.0 = Err(ConfigError(format!(
                "{key} = {value}: must be from {least} to {most}"
            )));
        }
    }

    pub(super) fn amounts(&mut self, key: &str, amounts: &BTreeMap<String, String>) {
        for (code, amount) in amounts {
            let wrong = match threshold(code, amount) {
                Ok(_) => continue,
                Err(wrong) => wrong,
            };
            if self.0.is_ok() {
                self.0 = Err(ConfigError(format!("{key}.{code} = {amount:?}: {wrong}")));
            }
        }
    }

    /// An endpoint that fails is disabled before the events that it has not taken are given up.
    pub(super) fn hold(&mut self, outbox: &Outbox, webhooks: &Webhooks) {
        let Outbox { keep_h, hold_h, .. } = *outbox;
        let disable_after_h = webhooks.disable_after_h;
        let is_long = i64::try_from(hold_h).is_ok_and(|hold_h| hold_h > disable_after_h);
        if self.0.is_ok() && (hold_h < keep_h || !is_long) {
            self.0 = Err(ConfigError(format!(
                "outbox.hold_h = {hold_h}: must be at least outbox.keep_h = {keep_h}, and more than webhooks.disable_after_h = {disable_after_h}"
            )));
        }
    }

    /// A certificate is of no use without its key.
    pub(super) fn tls(&mut self, server: &Server) {
        let Server {
            tls_certificate: certificate,
            tls_key: key,
            ..
        } = server;
        if self.0.is_ok() && certificate.is_empty() != key.is_empty() {
            self.0 = Err(ConfigError(format!(
                "server.tls_certificate = {certificate:?} and server.tls_key = {key:?}: must be two files, or both empty"
            )));
        }
    }

    /// As browsers send it: nothing after the host and port, nothing in capitals.
    pub(super) fn origin(&mut self, key: &str, origin: &str) {
        let host = ["https://", "http://"]
            .iter()
            .find_map(|scheme| origin.strip_prefix(scheme));
        let is_host = |host: &str| {
            !host.is_empty()
                && !host.contains(['/', '?', '#', '@', '*'])
                && !host.contains(|c: char| c.is_whitespace() || c.is_ascii_uppercase())
        };
        if self.0.is_ok() && !host.is_some_and(is_host) {
            self.0 = Err(ConfigError(format!(
                "{key} = [{origin:?}]: must be a scheme and a host such as https://casino.example, in small letters, without a path"
            )));
        }
    }
}
