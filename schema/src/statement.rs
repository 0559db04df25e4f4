//! Statements: what moved on a player's accounts in a period, with the balances before and after.
//!
//! A player's transactions are numbered in the order of their commits and never change. So a period is a range of
//! numbers, found once; whatever is committed while it is read lies outside.

use pitboss_wallet::{
    Currency, ExternalId, GameId, Kind, PlayerId, ProviderId, RoundId, Timestamp, TransactionId,
};
use tokio_postgres::{Row, types::ToSql};

use crate::{
    Store, StoreError,
    document::{AccountGroup, id, named},
    moment::Moment,
    store::get,
};

/// Ledger units on a player's accounts in one currency, each kind of money apart; or what is added to them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountSums {
    pub cash: i64,
    pub bonus: i64,
    pub winnings: i64,
    /// For withdrawals that are not paid: not sent, their fees, sent.
    pub withdrawal_hold: i64,
    /// 0, or below: what the player owes.
    pub receivable: i64,
}

impl AccountSums {
    fn add(&mut self, account: &str, units: i64) {
        let sum = match AccountGroup::of(account) {
            Some(AccountGroup::Cash) => &mut self.cash,
            Some(AccountGroup::Bonus) => &mut self.bonus,
            Some(AccountGroup::Winnings) => &mut self.winnings,
            Some(
                AccountGroup::WithdrawalHold | AccountGroup::FeeHold | AccountGroup::InTransit,
            ) => &mut self.withdrawal_hold,
            Some(AccountGroup::Receivable) => &mut self.receivable,
            None => return,
        };
        *sum = sum.saturating_add(units);
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, more: Self) -> Self {
        Self {
            cash: self.cash.saturating_add(more.cash),
            bonus: self.bonus.saturating_add(more.bonus),
            winnings: self.winnings.saturating_add(more.winnings),
            withdrawal_hold: self.withdrawal_hold.saturating_add(more.withdrawal_hold),
            receivable: self.receivable.saturating_add(more.receivable),
        }
    }
}

/// The numbers of a period's transactions: from `first` to before `past`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    pub first: i64,
    pub past: i64,
}

/// A transaction that moved something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    pub number: i64,
    pub transaction: TransactionId,
    pub provider: ProviderId,
    pub kind: Kind,
    pub external_id: ExternalId,
    /// Ledger units, as the transaction tells them.
    pub units: i64,
    pub game: Option<GameId>,
    pub round: Option<RoundId>,
    pub at: Timestamp,
    /// What it added to the player's accounts.
    pub change: AccountSums,
}

impl Store {
    /// The transactions of a player from one moment to before another. Looks at one for each bit of their number,
    /// however many there are.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn statement_numbers(
        &self,
        player: &PlayerId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Numbers, StoreError> {
        let sql = include_str!("../queries/statement_period.sql");
        let params: [&(dyn ToSql + Sync); 3] = [&player.as_str(), &Moment(from), &Moment(to)];
        let row = self.row("find a period", sql, &params).await?;
        let row = row.ok_or_else(|| StoreError::Corrupt("no period".to_owned()))?;
        Ok(Numbers {
            first: get(&row, "first")?,
            past: get(&row, "past")?,
        })
    }

    /// A player's accounts right before one of his transactions.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn statement_balances(
        &self,
        player: &PlayerId,
        currency: Currency,
        before: i64,
    ) -> Result<AccountSums, StoreError> {
        let sql = include_str!("../queries/statement_balances.sql");
        let params: [&(dyn ToSql + Sync); 3] = [&player.as_str(), &currency.code(), &before];
        let rows = self.rows("read balances of then", sql, &params).await?;
        let mut sums = AccountSums::default();
        for row in &rows {
            sums.add(get(row, "account")?, get(row, "left_there")?);
        }
        Ok(sums)
    }

    /// What moved in one currency, oldest first, at most `limit` of it.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn statement_lines(
        &self,
        player: &PlayerId,
        currency: Currency,
        numbers: Numbers,
        limit: u32,
    ) -> Result<Vec<StatementLine>, StoreError> {
        let sql = include_str!("../queries/statement_lines.sql");
        let params: [&(dyn ToSql + Sync); 5] = [
            &player.as_str(),
            &currency.code(),
            &numbers.first,
            &numbers.past,
            &i64::from(limit),
        ];
        let rows = self.rows("read a statement", sql, &params).await?;
        rows.iter().map(line).collect()
    }
}

fn line(row: &Row) -> Result<StatementLine, StoreError> {
    let accounts: Vec<&str> = get(row, "accounts")?;
    let amounts: Vec<i64> = get(row, "amounts")?;
    let mut change = AccountSums::default();
    for (account, units) in accounts.into_iter().zip(amounts) {
        change.add(account, units);
    }
    let optional = |column: &str| get::<Option<&str>>(row, column);
    Ok(StatementLine {
        number: get(row, "number")?,
        transaction: TransactionId(get(row, "id")?),
        provider: id(ProviderId::new(get::<&str>(row, "provider_id")?))?,
        kind: named("kind", get(row, "kind")?, Kind::from_name)?,
        external_id: id(ExternalId::new(get::<&str>(row, "external_id")?))?,
        units: get(row, "amount")?,
        game: id(optional("game_id")?.map(GameId::new).transpose())?,
        round: id(optional("round_id")?.map(RoundId::new).transpose())?,
        at: get::<Moment>(row, "created_at")?.0,
        change,
    })
}
