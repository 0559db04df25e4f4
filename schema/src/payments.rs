//! Payments for whoever looks at them, or has something to do about them: what is done is done by the player's actor.

use pitboss_wallet::{ExternalId, Payment, PaymentId, PaymentKind, PlayerId, Timestamp};
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    document::{id, parse},
    moment::Moment,
    store::get,
};

/// A payment, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    pub player: PlayerId,
    pub payment: Payment,
}

/// Which payments a list has.
#[derive(Debug, Clone)]
pub struct PaymentFilter {
    pub kind: PaymentKind,
    pub player: Option<PlayerId>,
    /// One of the states of the kind.
    pub state: Option<&'static str>,
    pub reference: Option<ExternalId>,
}

impl Store {
    /// The payment of this kind and id.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn payment(
        &self,
        kind: PaymentKind,
        payment_id: PaymentId,
    ) -> Result<Option<PaymentRow>, StoreError> {
        let sql = include_str!("../queries/payment_by_id.sql");
        let params: [&(dyn ToSql + Sync); 2] = [&kind.as_str(), &payment_id.0];
        let row = self.row("read a payment", sql, &params).await?;
        row.as_ref().map(payment).transpose()
    }

    /// A page of payments, newest first, those before `before`; at most `limit`.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn payments(
        &self,
        filter: &PaymentFilter,
        before: Option<PaymentId>,
        limit: u32,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        // What leads has an index.
        let sql = match filter {
            PaymentFilter {
                reference: Some(_), ..
            } => include_str!("../queries/payments_by_reference.sql"),
            PaymentFilter {
                player: Some(_), ..
            } => include_str!("../queries/payments_of_player.sql"),
            PaymentFilter { state: Some(_), .. } => {
                include_str!("../queries/payments_by_state.sql")
            }
            _ => include_str!("../queries/payments_newest.sql"),
        };
        let before = before.map_or(Uuid::max(), |id| id.0);
        let params: [&(dyn ToSql + Sync); 6] = [
            &filter.kind.as_str(),
            &before,
            &filter.player.as_ref().map(PlayerId::as_str),
            &filter.state,
            &filter.reference.as_ref().map(ExternalId::as_str),
            &i64::from(limit),
        ];
        let rows = self.rows("list payments", sql, &params).await?;
        rows.iter().map(payment).collect()
    }

    /// Payments whose time is over, and nobody noted it.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn due_payments(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        let sql = include_str!("../queries/payments_due.sql");
        let params: [&(dyn ToSql + Sync); 2] = [&Moment(now), &i64::from(limit)];
        let what = "look for payments that are over";
        let rows = self.rows(what, sql, &params).await?;
        rows.iter().map(payment).collect()
    }

    /// Whether one of these hands had a part in an adjustment of the player's money since then.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn has_adjusted(
        &self,
        player: &PlayerId,
        since: Timestamp,
        hands: &[String],
    ) -> Result<bool, StoreError> {
        let sql = include_str!("../queries/adjusted_by.sql");
        let params: [&(dyn ToSql + Sync); 3] = [&player.as_str(), &Moment(since), &hands];
        let what = "look for adjustments of a person";
        let row = self.row(what, sql, &params).await?;
        row.map_or(Ok(false), |row| get(&row, "has_adjusted"))
    }
}

fn payment(row: &Row) -> Result<PaymentRow, StoreError> {
    Ok(PaymentRow {
        player: id(PlayerId::new(get::<&str>(row, "player_id")?))?,
        payment: parse(get(row, "document")?)?,
    })
}
