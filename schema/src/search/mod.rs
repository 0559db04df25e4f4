//! Finding transactions and rounds, newest first, a page at a time, whoever's they are.
//!
//! A page costs the same however deep it lies and however long the ledger is: it begins behind a key of an index, and
//! looks at so many rows at most, whether they are wanted or not. Then it may be short, or empty, and tell where to
//! go on. Of all players the key is the transaction's id, a UUID v7 and so in the order of time; of one player it is
//! his transaction's number.

mod rounds;

use pitboss_wallet::{
    Currency, ExternalId, GameId, Kind, PlayerId, ProviderId, Timestamp, TransactionId,
    TransactionState,
};
use uuid::Uuid;

pub(crate) use rounds::age_of_rounds;
pub use rounds::{AgeOfRounds, PlayedSession, RoundKeyRow, RoundSearch, UnfinishedPlace};

use crate::{
    Store, StoreError, TransactionRow,
    history::transaction,
    moment::Moment,
    store::{Params, get},
};

/// Ids, numbers and times were given by clocks that may differ by so much. What lies within is looked at, and its own
/// time decides.
const MARGIN_S: i64 = 10;

/// What is wanted of the transactions that are looked at. Every field that is set must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransactionSearch {
    pub provider: Option<ProviderId>,
    pub game: Option<GameId>,
    pub kind: Option<Kind>,
    pub state: Option<TransactionState>,
    pub currency: Option<Currency>,
    /// Ledger units.
    pub least: Option<i64>,
    pub most: Option<i64>,
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Up to before this time.
    pub to: Option<Timestamp>,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T, K> {
    pub rows: Vec<T>,
    /// Behind which key the next page begins; `None`: there is none.
    pub next: Option<K>,
}

/// The least id that a UUID v7 of this moment may have.
pub(crate) fn id_at(at: Timestamp) -> Uuid {
    let millis = u64::try_from(at.as_micros().div_euclid(1000)).unwrap_or(0);
    Uuid::from_u128(u128::from(millis.min((1 << 48) - 1)) << 80)
}

/// Between which ids everything of a period lies: from the first up to before the second.
pub(crate) fn ids_of(from: Option<Timestamp>, to: Option<Timestamp>) -> (Uuid, Uuid) {
    let from = from.map(|at| id_at(at.plus_seconds(-MARGIN_S)));
    let to = to.map(|at| id_at(at.plus_seconds(MARGIN_S)));
    (from.unwrap_or(Uuid::nil()), to.unwrap_or(Uuid::max()))
}

impl TransactionSearch {
    /// Whether a transaction that is looked at may be one that is not wanted.
    fn drops_some(&self) -> bool {
        // What lies in the margin of a time is little.
        let without_times = Self {
            from: None,
            to: None,
            ..self.clone()
        };
        without_times != Self::default()
    }

    /// Whether a transaction is wanted: as the queries decide it.
    #[must_use]
    pub fn has(&self, row: &TransactionRow) -> bool {
        fn fits<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none_or(|wanted| found == Some(wanted))
        }
        let currency = row.amount.map(|amount| amount.currency);
        let units = row.amount.map(|amount| amount.units);
        fits(self.provider.as_ref(), Some(&row.provider))
            && fits(self.game.as_ref(), row.game.as_ref())
            && fits(self.kind.as_ref(), Some(&row.kind))
            && fits(self.state.as_ref(), Some(&row.state))
            && fits(self.currency.as_ref(), currency.as_ref())
            && self.least.is_none_or(|least| units >= Some(least))
            && self
                .most
                .is_none_or(|most| units.is_some_and(|units| units <= most))
            && self.from.is_none_or(|from| row.created_at >= from)
            && self.to.is_none_or(|to| row.created_at < to)
    }
}

/// A page of rows, and where the next begins: behind the last row if the page is full, else behind the last that was
/// looked at if there may be more.
fn found<T, K>(
    rows: Vec<T>,
    limit: usize,
    key: impl FnOnce(&T) -> K,
    looked_at_to: Option<K>,
) -> Found<T, K> {
    let next = match rows.last().filter(|_| rows.len() >= limit) {
        Some(last) => Some(key(last)),
        None => looked_at_to,
    };
    Found { rows, next }
}

impl Store {
    /// Transactions of all players with ids below `before`; `scan` are looked at.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn search_transactions(
        &self,
        search: &TransactionSearch,
        before: Option<Uuid>,
        limit: usize,
        scan: usize,
    ) -> Result<Found<TransactionRow, Uuid>, StoreError> {
        let (least, most) = ids_of(search.from, search.to);
        let below = before.map_or(most, |before| before.min(most));
        let (floor, looked_at_to) = if search.drops_some() {
            self.floor(below, least, scan).await?
        } else {
            (least, None)
        };
        let (from, to) = (search.from.map(Moment), search.to.map(Moment));
        let rows = self
            .rows(
                "search transactions",
                include_str!("../../queries/search_newest.sql"),
                &[
                    &below,
                    &floor,
                    &search.provider.as_ref().map(ProviderId::as_str),
                    &search.game.as_ref().map(GameId::as_str),
                    &search.kind.map(Kind::as_str),
                    &search.state.map(TransactionState::as_str),
                    &search.currency.map(Currency::code),
                    &search.least,
                    &search.most,
                    &from,
                    &to,
                    &count(limit),
                ],
            )
            .await?;
        let rows = rows.iter().map(transaction).collect::<Result<_, _>>()?;
        Ok(found(
            rows,
            limit,
            |row: &TransactionRow| row.id.0,
            looked_at_to,
        ))
    }

    /// Down to which id `scan` transactions lead, and whether that is not the end.
    async fn floor(
        &self,
        below: Uuid,
        least: Uuid,
        scan: usize,
    ) -> Result<(Uuid, Option<Uuid>), StoreError> {
        let sql = include_str!("../../queries/search_floor.sql");
        let params: Params<'_> = &[&below, &least, &count(scan)];
        let Some(row) = self.row("bound a search", sql, params).await? else {
            return Ok((least, None));
        };
        let floor: Uuid = get(&row, "id")?;
        let is_end = get::<i64>(&row, "looked_at")? < count(scan);
        Ok((floor, (!is_end).then_some(floor)))
    }

    /// Transactions of a player with numbers below `before`. `None`: there is no such player.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn search_player(
        &self,
        player: &PlayerId,
        search: &TransactionSearch,
        before: Option<i64>,
        limit: usize,
        scan: usize,
    ) -> Result<Option<Found<TransactionRow, i64>>, StoreError> {
        let numbers = self.numbers_of(player, search.from, search.to, before);
        let Some((first, below)) = numbers.await? else {
            return Ok(None);
        };
        let floor = floor_number(search.drops_some(), first, below, scan);
        let (from, to) = (search.from.map(Moment), search.to.map(Moment));
        let rows = self
            .rows(
                "search a player's transactions",
                include_str!("../../queries/search_of_player.sql"),
                &[
                    &player.as_str(),
                    &below,
                    &floor,
                    &search.provider.as_ref().map(ProviderId::as_str),
                    &search.game.as_ref().map(GameId::as_str),
                    &search.kind.map(Kind::as_str),
                    &search.state.map(TransactionState::as_str),
                    &search.currency.map(Currency::code),
                    &search.least,
                    &search.most,
                    &from,
                    &to,
                    &count(limit),
                ],
            )
            .await?;
        let rows = rows.iter().map(transaction).collect::<Result<_, _>>()?;
        let looked_at_to = (floor > first).then_some(floor);
        let number = |row: &TransactionRow| row.number;
        Ok(Some(found(rows, limit, number, looked_at_to)))
    }

    /// Between which numbers a player's transactions of a period lie, at most up to before `before`. `None`: there is
    /// no such player.
    async fn numbers_of(
        &self,
        player: &PlayerId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        before: Option<i64>,
    ) -> Result<Option<(i64, i64)>, StoreError> {
        let margin = |at: Option<Timestamp>, s| at.map(|at| Moment(at.plus_seconds(s)));
        let sql = include_str!("../../queries/search_player.sql");
        let row = self
            .row(
                "look for a period of a player",
                sql,
                &[
                    &player.as_str(),
                    &margin(from, -MARGIN_S),
                    &margin(to, MARGIN_S),
                ],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let below: i64 = get(&row, "before")?;
        let below = before.map_or(below, |before| before.min(below));
        Ok(Some((get(&row, "first")?, below)))
    }

    /// What an external id of a provider is the id of, a transaction of a kind at most; of one player, or where none is
    /// named of the one whose it is in the whole provider account.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn transactions_by_key(
        &self,
        provider: &ProviderId,
        external_id: &ExternalId,
        player: Option<&PlayerId>,
        kind: Option<Kind>,
    ) -> Result<Vec<TransactionRow>, StoreError> {
        let kinds = kind.map_or_else(|| Kind::ALL.to_vec(), |kind| vec![kind]);
        let kinds: Vec<&str> = kinds.into_iter().map(Kind::as_str).collect();
        let sql = include_str!("../../queries/search_by_key.sql");
        let rows = self
            .rows(
                "look up an external id",
                sql,
                &[
                    &provider.as_str(),
                    &external_id.as_str(),
                    &player.map(PlayerId::as_str),
                    &kinds,
                ],
            )
            .await?;
        rows.iter().map(transaction).collect()
    }

    /// The transaction with this id.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn transaction(
        &self,
        id: TransactionId,
    ) -> Result<Option<TransactionRow>, StoreError> {
        let sql = include_str!("../../queries/transaction_by_id.sql");
        let row = self.row("read a transaction", sql, &[&id.0]).await?;
        row.as_ref().map(transaction).transpose()
    }

    /// The events that tell of a transaction, with their `seq`; none when they are no longer kept.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn transaction_events(
        &self,
        player: &PlayerId,
        id: TransactionId,
        decided_at: Timestamp,
    ) -> Result<Vec<(i64, String)>, StoreError> {
        let sql = include_str!("../../queries/transaction_events.sql");
        let rows = self
            .rows(
                "read a transaction's events",
                sql,
                &[&player.as_str(), &id.to_string(), &Moment(decided_at)],
            )
            .await?;
        let event = |row| Ok((get(row, "seq")?, get(row, "body")?));
        rows.iter().map(event).collect()
    }
}

/// The number down to which a page looks.
fn floor_number(drops_some: bool, first: i64, below: i64, scan: usize) -> i64 {
    if drops_some {
        first.max(below.saturating_sub(count(scan)))
    } else {
        first
    }
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_moment_are_not_below_its_least_id() {
        for seconds in [0, 1_700_000_000, 4_000_000_000] {
            let at = uuid::Timestamp::from_unix_time(seconds, 999_000, 0, 0);
            let id = Uuid::new_v7(at);
            let micros = i64::try_from(seconds).unwrap() * 1_000_000;
            let least = id_at(Timestamp::from_micros(micros));
            assert!(least <= id, "{least} {id}");
            let next = id_at(Timestamp::from_micros(micros + 1_000));
            assert!(id < next, "{id} {next}");
        }
        assert_eq!(id_at(Timestamp::from_micros(i64::MIN)), Uuid::nil());
        assert!(id_at(Timestamp::from_micros(i64::MAX)) < Uuid::max());
    }

    #[test]
    fn a_page_that_is_not_full_goes_on_behind_what_was_looked_at() {
        let page = |rows: Vec<i32>, to| found(rows, 2, |row| *row, to).next;
        assert_eq!(page(vec![9, 8], Some(3)), Some(8));
        assert_eq!(page(vec![9], Some(3)), Some(3));
        assert_eq!(page(vec![], None), None);
    }
}
