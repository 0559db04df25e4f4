//! What happened to a player: lists of transactions and rounds.

use pitboss_wallet::{
    Currency, ExternalId, Fingerprint, GameId, Kind, Money, PlayerId, ProviderId, Receipt, Refusal,
    RoundId, RoundState, Timestamp, TransactionId, TransactionState,
};
use tokio_postgres::Row;

use crate::{
    Store, StoreError,
    document::{id, named, parse, scope},
    moment::Moment,
    store::get,
};

/// Where a page of a list begins. Numbers are the player's transaction numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// Newest first, from the newest.
    Newest,
    /// Newest first, below this number.
    Before(i64),
    /// Oldest first, above this number.
    After(i64),
}

/// One leg of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingRow {
    /// As the ledger names it.
    pub account: String,
    /// Ledger units.
    pub units: i64,
    /// `None` for accounts of the house.
    pub balance_after: Option<i64>,
}

/// A transaction of the ledger, with everything that is shown of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionRow {
    pub player: PlayerId,
    pub number: i64,
    pub id: TransactionId,
    pub provider: ProviderId,
    pub kind: Kind,
    pub external_id: ExternalId,
    pub state: TransactionState,
    pub amount: Option<Money>,
    pub game: Option<GameId>,
    pub round: Option<RoundId>,
    pub names_bet: Option<ExternalId>,
    pub reverses: Option<TransactionId>,
    pub reversed_by: Option<TransactionId>,
    pub receipt: Receipt,
    /// The receipt as it is stored, to the byte.
    pub reply: String,
    pub refusal: Option<Refusal>,
    pub fingerprint: Fingerprint,
    /// The game, where the provider's round ids are unique within a game only.
    pub round_scope: Option<GameId>,
    pub postings: Vec<PostingRow>,
    pub created_at: Timestamp,
}

/// Which rounds a list has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RoundFilter {
    #[default]
    All,
    /// Open or interrupted.
    Open,
    /// Closed or voided.
    Ended,
}

/// A round in sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundRow {
    pub player: PlayerId,
    /// The game, where the provider's round ids are unique within a game only.
    pub scope: Option<GameId>,
    /// Number of the transaction that opened it: the cursor of a list.
    pub number: i64,
    pub provider: ProviderId,
    pub game: GameId,
    pub round: RoundId,
    pub state: RoundState,
    pub currency: Currency,
    /// Bets and wins that stand, in ledger units and as counts.
    pub stake: i64,
    pub won: i64,
    pub bets: i32,
    pub wins: i32,
    pub opened_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    /// Of its last movement.
    pub touched_at: Timestamp,
}

impl Store {
    /// A page of a player's transactions, at most `limit`.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn transactions(
        &self,
        player: &PlayerId,
        cursor: Cursor,
        limit: u32,
    ) -> Result<Vec<TransactionRow>, StoreError> {
        let before = include_str!("../queries/transactions_before.sql");
        let (sql, number) = match cursor {
            Cursor::Newest => (before, i64::MAX),
            Cursor::Before(number) => (before, number),
            Cursor::After(number) => (include_str!("../queries/transactions_after.sql"), number),
        };
        let rows = self
            .rows(
                "list transactions",
                sql,
                &[&player.as_str(), &number, &i64::from(limit)],
            )
            .await?;
        rows.iter().map(transaction).collect()
    }

    /// A page of a player's rounds, newest first, of those opened before transaction `before`; at most `limit`.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn rounds(
        &self,
        player: &PlayerId,
        filter: RoundFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<RoundRow>, StoreError> {
        let open = filter != RoundFilter::Ended;
        let ended = filter != RoundFilter::Open;
        let number = before.unwrap_or(i64::MAX);
        let sql = include_str!("../queries/rounds_before.sql");
        let rows = self
            .rows(
                "list rounds",
                sql,
                &[&player.as_str(), &open, &ended, &number, &i64::from(limit)],
            )
            .await?;
        rows.iter().map(round).collect()
    }
}

fn currency(row: &Row) -> Result<Option<Currency>, StoreError> {
    get::<Option<&str>>(row, "currency")?
        .map(|code| named("currency", code, Currency::from_code))
        .transpose()
}

pub(crate) fn transaction(row: &Row) -> Result<TransactionRow, StoreError> {
    let amount = currency(row)?
        .zip(get::<Option<i64>>(row, "amount")?)
        .map(|(currency, units)| Money::new(units, currency));
    let optional = |column: &str| get::<Option<&str>>(row, column);
    let transaction_id = |column: &str| Ok(get::<Option<_>>(row, column)?.map(TransactionId));
    let reply: String = get(row, "reply")?;
    Ok(TransactionRow {
        player: id(PlayerId::new(get::<&str>(row, "player_id")?))?,
        number: get(row, "number")?,
        id: TransactionId(get(row, "id")?),
        provider: id(ProviderId::new(get::<&str>(row, "provider_id")?))?,
        kind: named("kind", get(row, "kind")?, Kind::from_name)?,
        external_id: id(ExternalId::new(get::<&str>(row, "external_id")?))?,
        state: named("state", get(row, "state")?, TransactionState::from_name)?,
        amount,
        game: id(optional("game_id")?.map(GameId::new).transpose())?,
        round: id(optional("round_id")?.map(RoundId::new).transpose())?,
        names_bet: id(optional("names_bet")?.map(ExternalId::new).transpose())?,
        reverses: transaction_id("reverses")?,
        reversed_by: transaction_id("reversed_by")?,
        receipt: parse(&reply)?,
        reply,
        fingerprint: Fingerprint(
            get::<&[u8]>(row, "fingerprint")?
                .try_into()
                .map_err(StoreError::corrupt)?,
        ),
        round_scope: scope(get(row, "round_scope")?)?,
        postings: postings(row)?,
        refusal: optional("refusal")?.map(parse).transpose()?,
        created_at: get::<Moment>(row, "created_at")?.0,
    })
}

fn postings(row: &Row) -> Result<Vec<PostingRow>, StoreError> {
    let accounts: Vec<String> = get(row, "accounts")?;
    let amounts: Vec<i64> = get(row, "amounts")?;
    let balances: Vec<Option<i64>> = get(row, "balances_after")?;
    let legs = accounts.into_iter().zip(amounts).zip(balances);
    let posting = |((account, units), balance_after)| PostingRow {
        account,
        units,
        balance_after,
    };
    Ok(legs.map(posting).collect())
}

pub(crate) fn round(row: &Row) -> Result<RoundRow, StoreError> {
    Ok(RoundRow {
        player: id(PlayerId::new(get::<&str>(row, "player_id")?))?,
        scope: scope(get(row, "scope_game")?)?,
        number: get(row, "number")?,
        provider: id(ProviderId::new(get::<&str>(row, "provider_id")?))?,
        game: id(GameId::new(get::<&str>(row, "game_id")?))?,
        round: id(RoundId::new(get::<&str>(row, "round_id")?))?,
        state: named("state", get(row, "state")?, RoundState::from_name)?,
        currency: named("currency", get(row, "currency")?, Currency::from_code)?,
        stake: get(row, "stake")?,
        won: get(row, "won")?,
        bets: get(row, "bets")?,
        wins: get(row, "wins")?,
        opened_at: get::<Moment>(row, "opened_at")?.0,
        closed_at: get::<Option<Moment>>(row, "closed_at")?.map(|at| at.0),
        touched_at: get::<Moment>(row, "touched_at")?.0,
    })
}
