//! Failed access, for the audit log: at most one entry a minute for each kind, place and key, however many there were,
//! and never more in memory than [`KINDS_MAX`].

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use pitboss_actors::ports::Ids;
use pitboss_schema::{AuditAction, AuditActor, AuditNote};
use pitboss_wallet::Timestamp;
use serde_json::json;

/// Different ones that are told apart; what comes on top is counted together.
const KINDS_MAX: usize = 1000;
/// How long after an entry the next of its kind is written.
const PAUSE_S: i64 = 60;

/// Why somebody was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    UnknownKey,
    RevokedKey,
    ExpiredKey,
    ForeignAddress,
    MissingScope,
    BadSignature,
    /// More than can be told apart.
    Others,
}

impl Refusal {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownKey => "unknown_key",
            Self::RevokedKey => "revoked_key",
            Self::ExpiredKey => "expired_key",
            Self::ForeignAddress => "foreign_address",
            Self::MissingScope => "missing_scope",
            Self::BadSignature => "bad_signature",
            Self::Others => "others",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    refusal: Refusal,
    address: String,
    /// The first characters of the key, or the provider.
    who: String,
}

struct Count {
    /// Since the last entry.
    number: u64,
    first_at: Timestamp,
    last_at: Timestamp,
    /// Not before then.
    next_at: Timestamp,
}

/// The refusals of one environment that are still to be noted.
#[derive(Default)]
pub struct Refusals(Mutex<HashMap<Kind, Count>>);

impl Refusals {
    /// Somebody was refused at this moment.
    pub fn count(&self, refusal: Refusal, address: &str, who: &str, now: Timestamp) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kind = Kind {
            refusal,
            address: address.to_owned(),
            who: who.to_owned(),
        };
        if counts.len() >= KINDS_MAX && !counts.contains_key(&kind) {
            kind = Kind {
                refusal: Refusal::Others,
                address: String::new(),
                who: String::new(),
            };
        }
        let count = counts.entry(kind).or_insert(Count {
            number: 0,
            first_at: now,
            last_at: now,
            next_at: now,
        });
        if count.number == 0 {
            count.first_at = now;
        }
        count.number += 1;
        count.last_at = now;
    }

    /// The entries that are due. They are not given again.
    pub fn take(&self, now: Timestamp, ids: &dyn Ids) -> Vec<AuditNote> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.retain(|_, count| count.number > 0 || count.next_at > now);
        let due = counts
            .iter_mut()
            .filter(|(_, count)| count.number > 0 && count.next_at <= now);
        due.map(|(kind, count)| {
            let note = note(kind, count, now, ids);
            count.number = 0;
            count.next_at = now.plus_seconds(PAUSE_S);
            note
        })
        .collect()
    }
}

fn note(kind: &Kind, count: &Count, now: Timestamp, ids: &dyn Ids) -> AuditNote {
    let place = match kind.refusal {
        Refusal::BadSignature => "provider",
        _ => "key",
    };
    AuditNote {
        id: ids.uuid(),
        at: now,
        action: AuditAction::AccessFailed,
        actor: AuditActor {
            kind: "server",
            id: String::new(),
            person: None,
            address: (!kind.address.is_empty()).then(|| kind.address.clone()),
        },
        subject: format!("{place}/{}", kind.who),
        detail: json!({
            "reason": kind.refusal.as_str(),
            "count": count.number,
            "first_at": count.first_at,
            "last_at": count.last_at,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seams::SystemIds;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_micros(s * 1_000_000)
    }

    #[test]
    fn the_first_is_told_at_once_and_those_of_a_minute_together() {
        let refusals = Refusals::default();
        let refuse = |s| refusals.count(Refusal::UnknownKey, "192.0.2.1", "sk_test_abcd", at(s));
        let taken = |s| {
            let notes = refusals.take(at(s), &SystemIds);
            let counts = notes.iter().map(|note| note.detail["count"].clone());
            counts.collect::<Vec<_>>()
        };
        refuse(0);
        assert_eq!(taken(1), [1]);
        refuse(2);
        refuse(3);
        assert_eq!(taken(4), [0; 0]);
        assert_eq!(taken(61), [2]);
        assert_eq!(taken(200), [0; 0]);
        refuse(201);
        assert_eq!(taken(201), [1]);
    }

    #[test]
    fn memory_is_bounded_and_what_is_over_is_counted_together() {
        let refusals = Refusals::default();
        for number in 0..10 * KINDS_MAX {
            let address = format!("10.0.{}.{}", number / 256, number % 256);
            refusals.count(Refusal::BadSignature, &address, "acme", at(0));
        }
        let notes = refusals.take(at(0), &SystemIds);
        assert_eq!(notes.len(), KINDS_MAX + 1);
        let others = notes.iter().find(|note| note.detail["reason"] == "others");
        assert_eq!(others.unwrap().detail["count"], 9 * KINDS_MAX);
        assert_eq!(
            notes
                .iter()
                .filter(|note| note.subject == "provider/acme")
                .count(),
            KINDS_MAX
        );
        // Forgotten once their minute is over.
        assert!(refusals.take(at(61), &SystemIds).is_empty());
        assert!(refusals.0.lock().unwrap().is_empty());
    }
}
