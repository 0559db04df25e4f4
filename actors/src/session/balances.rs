//! The newest balances that events told of, until the client is told: however many events, one message.

use serde::{Deserialize, Serialize};

/// A balance as an event carries it. Parsed again from the event's text, because that text is what is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Balance {
    pub currency: String,
    pub cash: String,
    pub bonus: String,
    pub total: String,
}

/// The part of an event that matters here.
#[derive(Deserialize)]
struct Head {
    seq: i64,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    balance: Option<Balance>,
}

/// The wallets that changed, each as the newest event has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Balances {
    /// Of the newest event among them.
    pub seq: i64,
    pub wallets: Vec<Balance>,
}

impl Balances {
    pub(super) fn is_empty(&self) -> bool {
        self.wallets.is_empty()
    }

    /// Takes over what an event tells of a balance, if it does.
    pub(super) fn note(&mut self, body: &str) {
        if let Ok(Head {
            seq,
            data: Data {
                balance: Some(balance),
            },
        }) = serde_json::from_str(body)
        {
            self.set(balance);
            self.seq = seq;
        }
    }

    /// Takes over what later events told.
    pub(super) fn merge(&mut self, later: Self) {
        self.seq = self.seq.max(later.seq);
        for balance in later.wallets {
            self.set(balance);
        }
    }

    fn set(&mut self, balance: Balance) {
        let known = self
            .wallets
            .iter_mut()
            .find(|known| known.currency == balance.currency);
        match known {
            Some(known) => *known = balance,
            None => self.wallets.push(balance),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(seq: i64, currency: &str, cash: &str) -> String {
        format!(
            r#"{{"type":"wallet.bet_debited","seq":{seq},"data":{{"amount":"1.00","balance":
               {{"currency":"{currency}","cash":"{cash}","bonus":"0.00","total":"{cash}"}}}}}}"#
        )
    }

    #[test]
    fn only_the_newest_of_each_currency_is_kept() {
        let mut balances = Balances::default();
        balances.note(&body(1, "EUR", "9.00"));
        balances.note(&body(2, "SEK", "5.00"));
        balances.note(r#"{"type":"game.round_opened","seq":3,"data":{"round":"r"}}"#);
        let mut later = Balances::default();
        later.note(&body(4, "EUR", "8.00"));
        balances.merge(later);
        let cash: Vec<_> = balances
            .wallets
            .iter()
            .map(|balance| (balance.currency.as_str(), balance.cash.as_str()))
            .collect();
        assert_eq!(cash, [("EUR", "8.00"), ("SEK", "5.00")]);
        assert_eq!(balances.seq, 4);
    }
}
