//! The ledger against what each player was told.

use std::collections::HashMap;

use pitboss_wallet::Kind;
use tokio_postgres::Client;
use uuid::Uuid;

use super::each;
use crate::{
    database::checked,
    error::Result,
    faults::{
        player::{Player, Row},
        tally::Breaches,
    },
};

const LEDGER: &str = include_str!("../../../queries/whole_ledger.sql");
const CASH: &str = include_str!("../../../queries/all_cash.sql");

/// A ledger row as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub id: Uuid,
    pub kind: Kind,
    pub external_id: String,
    pub is_tombstone: bool,
    pub units: Option<i64>,
}

/// Every player's ledger must be, row by row and in order, what he was told.
pub async fn ledger(client: &Client, players: &[Player], breaches: &mut Breaches) -> Result<u64> {
    let what = "reading the ledger";
    let by_name: HashMap<&str, &Player> = players
        .iter()
        .map(|player| (player.name.as_str(), player))
        .collect();
    let mut stored: Vec<Stored> = Vec::new();
    let mut of = String::new();
    let mut count = 0;
    let mut seen = 0;
    let mut finish = |name: &str, stored: &mut Vec<Stored>, breaches: &mut Breaches| {
        if let Some(player) = by_name.get(name) {
            seen += 1;
            compare(player, stored, breaches);
        } else if !stored.is_empty() {
            breaches.add("in the ledger, but nobody of ours", || name.to_owned());
        }
        stored.clear();
    };
    each(client, LEDGER, |row| {
        let name: &str = row.try_get("player_id")?;
        if name != of {
            finish(&of, &mut stored, breaches);
            name.clone_into(&mut of);
        }
        let kind: &str = row.try_get("kind")?;
        let Some(kind) = Kind::from_name(kind) else {
            breaches.add("a ledger row of an unknown kind", || kind.to_owned());
            return Ok(());
        };
        count += 1;
        stored.push(Stored {
            id: row.try_get("id")?,
            kind,
            external_id: row.try_get("external_id")?,
            is_tombstone: row.try_get::<_, &str>("state")? == "tombstone",
            units: row.try_get("amount")?,
        });
        Ok(())
    })
    .await?;
    finish(&of, &mut stored, breaches);
    if seen != players.len() {
        breaches.add("a player without a ledger", || {
            format!("{seen} of {}", players.len())
        });
    }
    let cash = checked(client.query(CASH, &[]).await, what)?;
    for row in &cash {
        let name: &str = checked(row.try_get(0), what)?;
        let units: i64 = checked(row.try_get(1), what)?;
        if let Some(player) = by_name.get(name)
            && player.cash != units
        {
            breaches.add("a balance is not what it must be", || {
                format!("{name}: {units} instead of {}", player.cash)
            });
        }
    }
    Ok(count)
}

/// Holds one player's ledger against what he was told: pure.
pub fn compare(player: &Player, stored: &[Stored], breaches: &mut Breaches) {
    if stored.len() == player.rows.len()
        && stored
            .iter()
            .zip(&player.rows)
            .all(|(is, must)| same(player, is, must))
    {
        return;
    }
    let mut left: HashMap<(Kind, String), Vec<&Stored>> = HashMap::new();
    for row in stored {
        let key = (row.kind, row.external_id.clone());
        left.entry(key).or_default().push(row);
    }
    let mut in_order = true;
    for must in &player.rows {
        let text = player.text(must.id);
        let told = || format!("{}: {} {text}", player.name, must.kind.as_str());
        match left.remove(&(must.kind, text.clone())).as_deref() {
            None => breaches.add("acknowledged, and lost", told),
            Some([is]) if same(player, is, must) => in_order = false,
            Some([is]) => {
                breaches.add("in the ledger with other data", || {
                    format!("{}: {is:?} instead of {must:?}", player.name)
                });
            }
            Some(_) => breaches.add("in the ledger twice", told),
        }
    }
    for (kind, id) in left.keys() {
        breaches.add("in the ledger, but refused or never sent", || {
            format!("{}: {} {id}", player.name, kind.as_str())
        });
    }
    if !in_order && breaches.is_empty() {
        breaches.add("in the ledger in another order", || player.name.clone());
    }
}

fn same(player: &Player, is: &Stored, must: &Row) -> bool {
    is.kind == must.kind
        && is.external_id == player.text(must.id)
        && is.is_tombstone == must.is_tombstone
        && is.units == must.units
        && must.transaction.is_none_or(|told| told == is.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn player() -> Player {
        let mut player = Player::new(7);
        let mut random = Random::new(3);
        let _ = player.first_deposit();
        for _ in 0..50 {
            let _ = player.play(&mut random);
        }
        for at in 0..player.rows.len() {
            player.acknowledge(at, Uuid::from_u128(at as u128 + 1));
        }
        player
    }

    fn stored(player: &Player) -> Vec<Stored> {
        let rows = player.rows.iter().map(|row| Stored {
            id: row.transaction.unwrap_or_default(),
            kind: row.kind,
            external_id: player.text(row.id),
            is_tombstone: row.is_tombstone,
            units: row.units,
        });
        rows.collect()
    }

    fn found(change: impl FnOnce(&mut Vec<Stored>)) -> Vec<&'static str> {
        let player = player();
        let mut rows = stored(&player);
        change(&mut rows);
        let mut breaches = Breaches::default();
        compare(&player, &rows, &mut breaches);
        let list = breaches.into_list();
        list.into_iter().map(|(kind, ..)| kind).collect()
    }

    #[test]
    fn a_ledger_that_is_what_was_told_passes() {
        assert!(found(|_| {}).is_empty());
    }

    #[test]
    fn what_is_lost_doubled_changed_or_made_up_is_found() {
        assert_eq!(
            found(|rows| drop(rows.remove(5))),
            ["acknowledged, and lost"]
        );
        assert_eq!(
            found(|rows| rows.push(rows[4].clone())),
            ["in the ledger twice"]
        );
        assert_eq!(
            found(|rows| rows[3].units = Some(1)),
            ["in the ledger with other data"]
        );
        assert_eq!(
            found(|rows| rows[3].id = Uuid::from_u128(999)),
            ["in the ledger with other data"]
        );
        assert_eq!(
            found(|rows| rows[3].is_tombstone = true),
            ["in the ledger with other data"]
        );
        let made_up = |rows: &mut Vec<Stored>| {
            let mut row = rows[3].clone();
            row.external_id = "x99999".into();
            rows.push(row);
        };
        assert_eq!(found(made_up), ["in the ledger, but refused or never sent"]);
        assert_eq!(
            found(|rows| rows.swap(2, 3)),
            ["in the ledger in another order"]
        );
    }
}
