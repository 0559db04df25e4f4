//! Which events belong into the audit log, and as what.

use std::collections::HashMap;

use pitboss_schema::{AuditAction, AuditActor, AuditNote, OutboxRecord, StoreError};
use pitboss_wallet::{Currency, Money};
use serde_json::{Value, json};

use crate::{
    config::{Audit, threshold},
    world::World,
};

/// When an event of a type is significant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    /// From the amount in `audit.large_bet` on.
    LargeBet,
    /// From the amount in `audit.large_win` on.
    LargeWin,
    /// From the amount in `audit.large_payment` on.
    LargePayment,
}

/// The significant types. A type that no event has yet does no harm.
const RULES: &[(&str, AuditAction, When)] = &[
    (
        "wallet.negative_balance",
        AuditAction::NegativeBalance,
        When::Always,
    ),
    ("wallet.adjusted", AuditAction::WalletAdjusted, When::Always),
    (
        "wallet.win_rolled_back",
        AuditAction::WinRolledBack,
        When::Always,
    ),
    ("game.round_voided", AuditAction::RoundVoided, When::Always),
    (
        "player.status_changed",
        AuditAction::PlayerStatusChanged,
        When::Always,
    ),
    (
        "wallet.deposit_reversed",
        AuditAction::DepositReversed,
        When::Always,
    ),
    (
        "withdrawal.approved",
        AuditAction::WithdrawalApproved,
        When::Always,
    ),
    (
        "withdrawal.on_hold",
        AuditAction::WithdrawalHeld,
        When::Always,
    ),
    (
        "withdrawal.rejected",
        AuditAction::WithdrawalRejected,
        When::Always,
    ),
    (
        "withdrawal.confiscated",
        AuditAction::WithdrawalConfiscated,
        When::Always,
    ),
    (
        "withdrawal.unknown",
        AuditAction::WithdrawalUnknown,
        When::Always,
    ),
    (
        "wallet.deposit_completed",
        AuditAction::LargeDeposit,
        When::LargePayment,
    ),
    (
        "withdrawal.requested",
        AuditAction::LargeWithdrawal,
        When::LargePayment,
    ),
    ("wallet.bet_debited", AuditAction::LargeBet, When::LargeBet),
    ("wallet.win_credited", AuditAction::LargeWin, When::LargeWin),
];

/// The rules with the configured amounts.
pub(super) struct Significance {
    large_bet: HashMap<Currency, Money>,
    large_win: HashMap<Currency, Money>,
    large_payment: HashMap<Currency, Money>,
    kinds: Vec<&'static str>,
}

impl Significance {
    pub fn of(settings: &Audit) -> Self {
        // Checked when the configuration was read.
        let amounts = |settings: &std::collections::BTreeMap<String, String>| {
            let amounts = settings.iter();
            let amounts = amounts.filter_map(|(code, amount)| threshold(code, amount).ok());
            amounts.map(|amount| (amount.currency, amount)).collect()
        };
        let mut significance = Self {
            large_bet: amounts(&settings.large_bet),
            large_win: amounts(&settings.large_win),
            large_payment: amounts(&settings.large_payment),
            kinds: Vec::new(),
        };
        let is_read = |when| match when {
            When::Always => true,
            When::LargeBet => !significance.large_bet.is_empty(),
            When::LargeWin => !significance.large_win.is_empty(),
            When::LargePayment => !significance.large_payment.is_empty(),
        };
        let read = RULES.iter().filter(|(_, _, when)| is_read(*when));
        significance.kinds = read.map(|(kind, _, _)| *kind).collect();
        significance
    }

    /// What an event is in the audit log, if anything.
    fn action(&self, kind: &str, data: &Value) -> Option<AuditAction> {
        let (_, action, when) = RULES.iter().find(|(known, _, _)| *known == kind)?;
        let amounts = match when {
            When::Always => return Some(*action),
            When::LargeBet => &self.large_bet,
            When::LargeWin => &self.large_win,
            When::LargePayment => &self.large_payment,
        };
        let currency = Currency::from_code(data["currency"].as_str()?)?;
        let amount = Money::parse(data["amount"].as_str()?, currency).ok()?;
        let least = amounts.get(&currency)?;
        (amount.units >= least.units).then_some(*action)
    }

    fn note(&self, record: &OutboxRecord) -> Option<AuditNote> {
        let body: Value = serde_json::from_str(&record.body).ok()?;
        let data = &body["data"];
        let action = self.action(&record.kind, data)?;
        Some(AuditNote {
            // The event's own: so it is noted once, whoever reads it however often.
            id: record.id,
            at: record.at,
            action,
            actor: actor(data),
            subject: format!("player/{}", record.player),
            detail: json!({
                "event": record.kind,
                "seq": body["seq"],
                "transaction": body["transaction"],
                "data": data,
            }),
        })
    }
}

/// Who did it: whom the event names, or else its provider.
fn actor(data: &Value) -> AuditActor {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let by = &data["by"];
    let of_operator = text(by)
        .or_else(|| text(&by["key"]))
        .or_else(|| text(&by["key_id"]));
    let (kind, id) = match (of_operator, text(&data["provider"])) {
        (Some(key), _) => ("operator", key),
        (None, _) if by["person"].is_string() => ("operator", String::new()),
        (None, Some(provider)) => ("provider", provider),
        (None, None) => ("server", String::new()),
    };
    AuditActor {
        kind,
        id,
        person: text(&by["person"]),
        address: text(&by["address"]),
    }
}

/// Notes the significant events since the last time, on whichever node comes first.
pub(super) async fn copy(world: &World, significance: &Significance) -> Result<(), StoreError> {
    let environment = world.environment.as_str();
    let scan = world.config.audit.scan_max;
    loop {
        let note = |record: &OutboxRecord| significance.note(record);
        let copied = world
            .store
            .copy_significant(&significance.kinds, scan, note)
            .await?;
        metrics::gauge!("pitboss_audit_reader_lag", "environment" => environment)
            .set(f64::from(u32::try_from(copied.left).unwrap_or(u32::MAX)));
        let entries = u64::try_from(copied.entries).unwrap_or(u64::MAX);
        metrics::counter!("pitboss_audit_copied_total", "environment" => environment)
            .increment(entries);
        if copied.missed > 0 {
            let detail = json!({ "decisions": copied.missed });
            let note = super::note(world, AuditAction::EventsMissed, detail);
            world.store.note(&note).await?;
        }
        if copied.left == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use pitboss_wallet::{EventType, Timestamp};

    use super::*;

    fn significance(bet: &[(&str, &str)], win: &[(&str, &str)]) -> Significance {
        let amounts = |pairs: &[(&str, &str)]| {
            let pair = |(code, amount): &(&str, &str)| ((*code).to_owned(), (*amount).to_owned());
            pairs.iter().map(pair).collect()
        };
        Significance::of(&Audit {
            read_every_ms: 1,
            scan_max: 1,
            clock_skew_max_ms: 1,
            large_bet: amounts(bet),
            large_win: amounts(win),
            large_payment: amounts(win),
        })
    }

    fn record(kind: &str, data: Value) -> OutboxRecord {
        OutboxRecord {
            id: uuid::Uuid::from_u128(7),
            kind: kind.to_owned(),
            player: "alice".to_owned(),
            at: Timestamp::from_micros(5),
            body: json!({ "seq": 3, "transaction": null, "data": data }).to_string(),
        }
    }

    #[test]
    fn amounts_decide_from_their_currencys_threshold_on() {
        let rules = significance(&[("eur", "100.00")], &[("EUR", "1000")]);
        let of = |kind, amount, currency| {
            let data = json!({ "amount": amount, "currency": currency });
            rules.note(&record(kind, data)).map(|note| note.action)
        };
        assert_eq!(
            of("wallet.bet_debited", "100.00", "EUR"),
            Some(AuditAction::LargeBet)
        );
        assert_eq!(of("wallet.bet_debited", "99.99", "EUR"), None);
        assert_eq!(of("wallet.bet_debited", "100.00", "USD"), None);
        assert_eq!(
            of("wallet.win_credited", "1000.00", "EUR"),
            Some(AuditAction::LargeWin)
        );
        assert_eq!(of("wallet.win_credited", "100.00", "EUR"), None);
        assert_eq!(
            of("wallet.negative_balance", "0.01", "USD"),
            Some(AuditAction::NegativeBalance)
        );
        assert_eq!(
            of("withdrawal.requested", "1000.00", "EUR"),
            Some(AuditAction::LargeWithdrawal)
        );
        assert_eq!(of("wallet.deposit_completed", "999.99", "EUR"), None);
        assert_eq!(of("game.round_closed", "1000.00", "EUR"), None);
    }

    #[test]
    fn without_amounts_bets_and_wins_are_not_even_read() {
        let kinds = significance(&[], &[]).kinds;
        assert!(!kinds.contains(&"wallet.bet_debited") && !kinds.contains(&"wallet.win_credited"));
        assert!(kinds.contains(&"game.round_voided"));
        assert!(
            significance(&[("EUR", "1")], &[])
                .kinds
                .contains(&"wallet.bet_debited")
        );
    }

    #[test]
    fn an_entry_is_its_events_and_names_who_did_it() {
        let rules = significance(&[], &[]);
        let note = |data| rules.note(&record("game.round_voided", data)).unwrap();
        let voided = note(json!({ "provider": "acme", "reason": "broken" }));
        assert_eq!(voided.id, uuid::Uuid::from_u128(7));
        assert_eq!(voided.subject, "player/alice");
        assert_eq!(
            (voided.actor.kind, voided.actor.id.as_str()),
            ("provider", "acme")
        );
        assert_eq!(voided.detail["data"]["reason"], "broken");
        let by = note(json!({ "provider": "acme", "by": { "key": "k", "person": "Ann" } }));
        assert_eq!((by.actor.kind, by.actor.id.as_str()), ("operator", "k"));
        assert_eq!(by.actor.person.as_deref(), Some("Ann"));
        assert_eq!(note(json!({ "by": "k" })).actor.id, "k");
    }

    #[test]
    fn no_rule_is_written_twice_and_an_entry_is_no_event_again() {
        for (kind, action, _) in RULES {
            assert_eq!(
                RULES.iter().filter(|(other, _, _)| other == kind).count(),
                1,
                "{kind}"
            );
            assert!(!action.is_event(), "{kind}");
        }
        let known = RULES
            .iter()
            .filter(|(kind, _, _)| EventType::from_name(kind).is_some());
        assert!(known.count() >= 5);
    }
}
