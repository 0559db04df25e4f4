//! What one person asked for and another has to approve, as it is kept.
//!
//! Every change is one conditional statement: of all who try to decide something, one does.

use pitboss_wallet::{By, PlayerId, Timestamp, TransactionId};
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use crate::{
    AuditNote, Store, StoreError,
    document::{id, named},
    moment::Moment,
    players::LAST_MOMENT,
    store::get,
};

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident => $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The one with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == name)
            }
        }
    };
}

names! {
    /// What an approval is about.
    ApprovalKind {
        Adjustment => "adjustment",
        VoidRound => "void_round",
    }
}

names! {
    /// How far an approval is.
    ApprovalState {
        Pending => "pending",
        /// Approved; what came of it is not written down yet.
        Executing => "executing",
        /// Approved and carried out.
        Approved => "approved",
        /// Approved, and could not be carried out.
        Failed => "failed",
        Rejected => "rejected",
        Expired => "expired",
    }
}

/// Something new to be approved.
#[derive(Debug, Clone)]
pub struct NewApproval {
    pub id: Uuid,
    pub kind: ApprovalKind,
    /// Pending; or executing at once, where one person is enough.
    pub state: ApprovalState,
    pub player: PlayerId,
    /// JSON: what is asked for.
    pub payload: String,
    pub maker: By,
    /// Through whose hands the maker's key went.
    pub maker_hands: Vec<String>,
    pub at: Timestamp,
    pub expires_at: Timestamp,
}

/// An approval as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRow {
    pub id: Uuid,
    pub kind: ApprovalKind,
    pub state: ApprovalState,
    pub player: PlayerId,
    pub payload: String,
    pub maker: By,
    pub maker_hands: Vec<String>,
    pub checker: Option<By>,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// JSON: why it could not be carried out.
    pub failure: Option<String>,
    pub transaction: Option<TransactionId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub decided_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

/// Which approvals a list has.
#[derive(Debug, Clone, Default)]
pub struct ApprovalFilter {
    pub player: Option<PlayerId>,
    pub state: Option<ApprovalState>,
    pub kind: Option<ApprovalKind>,
}

/// What somebody, or the end of waiting, makes of an approval.
#[derive(Debug, Clone, Copy)]
pub enum Verdict<'a> {
    Approve(&'a By),
    Reject(&'a By, &'a str),
    Expire,
}

impl Store {
    /// Keeps something new; answers what is there, if its id is.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn create_approval(
        &self,
        new: &NewApproval,
        note: &AuditNote,
    ) -> Result<ApprovalRow, StoreError> {
        let sql = include_str!("../queries/approval_create.sql");
        let params: [&(dyn ToSql + Sync); 10] = [
            &new.id,
            &new.kind.as_str(),
            &new.state.as_str(),
            &new.player.as_str(),
            &new.payload,
            &new.maker.key,
            &new.maker.person,
            &Moment(new.at),
            &Moment(new.expires_at),
            &new.maker_hands,
        ];
        let made = self
            .change("create an approval", sql, &params, note)
            .await?;
        if let Some(row) = &made {
            return approval(row);
        }
        let kept = self.approval(new.id).await?;
        kept.ok_or_else(|| StoreError::Corrupt("an approval is gone".to_owned()))
    }

    /// Decides what waits. `None`: it does not wait, or not any more, or (to expire) may wait longer.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn decide_approval(
        &self,
        approval_id: Uuid,
        verdict: Verdict<'_>,
        now: Timestamp,
        note: &AuditNote,
    ) -> Result<Option<ApprovalRow>, StoreError> {
        let (state, by, reason) = match verdict {
            Verdict::Approve(by) => (ApprovalState::Executing, Some(by), None),
            Verdict::Reject(by, reason) => (ApprovalState::Rejected, Some(by), Some(reason)),
            Verdict::Expire => (ApprovalState::Expired, None, None),
        };
        let sql = include_str!("../queries/approval_decide.sql");
        let params: [&(dyn ToSql + Sync); 6] = [
            &approval_id,
            &state.as_str(),
            &by.map(|by| by.key),
            &by.map(|by| by.person.as_str()),
            &reason,
            &Moment(now),
        ];
        let row = self
            .change("decide an approval", sql, &params, note)
            .await?;
        row.as_ref().map(approval).transpose()
    }

    /// Writes down what came of an approval: its transaction, or why there is none. `None`: it is written already.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn finish_approval(
        &self,
        approval_id: Uuid,
        result: Result<TransactionId, &str>,
        now: Timestamp,
    ) -> Result<Option<ApprovalRow>, StoreError> {
        let sql = include_str!("../queries/approval_finish.sql");
        let params: [&(dyn ToSql + Sync); 4] = [
            &approval_id,
            &result.ok().map(|transaction| transaction.0),
            &result.err(),
            &Moment(now),
        ];
        let row = self.row("finish an approval", sql, &params).await?;
        row.as_ref().map(approval).transpose()
    }

    /// The approval of this id.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn approval(&self, approval_id: Uuid) -> Result<Option<ApprovalRow>, StoreError> {
        let sql = include_str!("../queries/approval.sql");
        let row = self.row("read an approval", sql, &[&approval_id]).await?;
        row.as_ref().map(approval).transpose()
    }

    /// A page of approvals, newest first, those before `before`; at most `limit`.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn approvals(
        &self,
        filter: &ApprovalFilter,
        before: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> Result<Vec<ApprovalRow>, StoreError> {
        // What leads has an index.
        let sql = match filter {
            ApprovalFilter {
                player: Some(_), ..
            } => include_str!("../queries/approvals_by_player.sql"),
            ApprovalFilter { state: Some(_), .. } => {
                include_str!("../queries/approvals_by_state.sql")
            }
            _ => include_str!("../queries/approvals_by_creation.sql"),
        };
        let (at, last) = before.unwrap_or((LAST_MOMENT, Uuid::max()));
        let params: [&(dyn ToSql + Sync); 6] = [
            &Moment(at),
            &last,
            &filter.player.as_ref().map(PlayerId::as_str),
            &filter.state.map(ApprovalState::as_str),
            &filter.kind.map(ApprovalKind::as_str),
            &i64::from(limit),
        ];
        let rows = self.rows("list approvals", sql, &params).await?;
        rows.iter().map(approval).collect()
    }

    /// What nobody decided in time.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn approvals_due(&self, now: Timestamp, limit: u32) -> Result<Vec<Uuid>, StoreError> {
        let sql = include_str!("../queries/approvals_due.sql");
        let params: [&(dyn ToSql + Sync); 2] = [&Moment(now), &i64::from(limit)];
        let rows = self
            .rows("look for approvals that are over", sql, &params)
            .await?;
        rows.iter().map(|row| get(row, "id")).collect()
    }

    /// What was approved before `before`, and of which it is not written down what came of it.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn unfinished_approvals(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<ApprovalRow>, StoreError> {
        let sql = include_str!("../queries/approvals_unfinished.sql");
        let params: [&(dyn ToSql + Sync); 2] = [&Moment(before), &i64::from(limit)];
        let what = "look for approvals without an end";
        let rows = self.rows(what, sql, &params).await?;
        rows.iter().map(approval).collect()
    }
}

fn approval(row: &Row) -> Result<ApprovalRow, StoreError> {
    let moment = |column: &str| Ok(get::<Option<Moment>>(row, column)?.map(|at| at.0));
    let checker = get::<Option<Uuid>>(row, "checker_key")?.zip(get(row, "checker")?);
    Ok(ApprovalRow {
        id: get(row, "id")?,
        kind: named(
            "kind of approval",
            get(row, "kind")?,
            ApprovalKind::from_name,
        )?,
        state: named("state", get(row, "state")?, ApprovalState::from_name)?,
        player: id(PlayerId::new(get::<&str>(row, "player_id")?))?,
        payload: get(row, "payload")?,
        maker: By {
            key: get(row, "maker_key")?,
            person: get(row, "maker")?,
        },
        maker_hands: get(row, "maker_hands")?,
        checker: checker.map(|(key, person)| By { key, person }),
        reason: get(row, "reason")?,
        failure: get(row, "failure")?,
        transaction: get::<Option<Uuid>>(row, "transaction_id")?.map(TransactionId),
        created_at: get::<Moment>(row, "created_at")?.0,
        expires_at: get::<Moment>(row, "expires_at")?.0,
        decided_at: moment("decided_at")?,
        finished_at: moment("finished_at")?,
    })
}
