//! The port `Ledger`: reading one player, and handing out writers.

use std::{collections::VecDeque, sync::Arc};

use async_trait::async_trait;
use pitboss_actors::ports::{Ledger, PlayerEvent, PortError, Writer};
use pitboss_wallet::{
    Country, Fact, Facts, Payment, PlayerId, PlayerState, PlayerStatus, Session, TransactionScope,
};
use tokio_postgres::Row;

use crate::{
    Store, StoreError,
    document::{
        BalanceDocument, HeldDocument, RoundDocument, SessionDocument, TransactionDocument, named,
        parse, wallets,
    },
    store::get,
    writer::PostgresWriter,
};

#[async_trait]
impl Ledger for Store {
    async fn load(&self, player: &PlayerId) -> Result<Option<PlayerState>, PortError> {
        Ok(self.load_player(player).await?)
    }

    async fn find(&self, player: &PlayerId, facts: &[Fact]) -> Result<Facts, PortError> {
        Ok(self.find_facts(player, facts).await?)
    }

    async fn events(
        &self,
        player: &PlayerId,
        after: i64,
        up_to: i64,
        limit: usize,
    ) -> Result<Vec<PlayerEvent>, PortError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = include_str!("../queries/player_events.sql");
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&player.as_str(), &after, &up_to, &limit];
        let rows = self.rows("read a player's events", sql, &params).await?;
        let event = |row: &Row| {
            Ok(PlayerEvent {
                seq: get(row, "seq")?,
                body: Arc::from(get::<&str>(row, "body")?),
            })
        };
        let events: Result<_, StoreError> = rows.iter().map(event).collect();
        Ok(events?)
    }

    async fn writer(&self) -> Result<Box<dyn Writer>, PortError> {
        Ok(Box::new(PostgresWriter::connect(self).await?))
    }
}

impl Store {
    async fn load_player(&self, player: &PlayerId) -> Result<Option<PlayerState>, StoreError> {
        let limit = |limit: usize| i64::try_from(limit).unwrap_or(i64::MAX);
        let rounds = limit(self.options().loaded_rounds);
        let sessions = limit(self.options().loaded_sessions);
        let sql = include_str!("../queries/load_player.sql");
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
            [&player.as_str(), &rounds, &sessions];
        match self.row("load a player", sql, &params).await? {
            Some(row) => state(player, &row).map(Some),
            None => Ok(None),
        }
    }

    async fn find_facts(&self, player: &PlayerId, facts: &[Fact]) -> Result<Facts, StoreError> {
        let mut asked = Asked::default();
        for (ord, fact) in (0_i32..).zip(facts) {
            asked.push(ord, fact);
        }
        let player = player.as_str();
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 15] = [
            &player,
            &asked.transaction_ord,
            &asked.provider_wide,
            &asked.transaction_provider,
            &asked.kind,
            &asked.external_id,
            &asked.round_ord,
            &asked.round_provider,
            &asked.scope_game,
            &asked.round,
            &asked.session_ord,
            &asked.session,
            &asked.unended,
            &asked.payment_ord,
            &asked.payment,
        ];
        let sql = include_str!("../queries/find_facts.sql");
        let rows = self.rows("look up facts of a player", sql, &params).await?;
        let mut documents = vec![None; facts.len()];
        let mut version = None;
        let mut unended = None;
        for row in &rows {
            if get::<&str>(row, "part")? == "version" {
                version = Some(parse(get(row, "document")?)?);
                continue;
            }
            if get::<&str>(row, "part")? == "sessions" {
                unended = Some(sessions(get(row, "document")?)?);
                continue;
            }
            let slot = usize::try_from(get::<i32>(row, "ord")?)
                .ok()
                .and_then(|ord| documents.get_mut(ord));
            if let Some(slot) = slot {
                *slot = Some(get::<&str>(row, "document")?);
            }
        }
        let mut found = answers(facts, &documents)?;
        found.version = version;
        found.unended = unended;
        Ok(found)
    }
}

/// The questions, a column each.
#[derive(Default)]
struct Asked<'a> {
    transaction_ord: Vec<i32>,
    provider_wide: Vec<bool>,
    transaction_provider: Vec<&'a str>,
    kind: Vec<&'static str>,
    external_id: Vec<&'a str>,
    round_ord: Vec<i32>,
    round_provider: Vec<&'a str>,
    scope_game: Vec<&'a str>,
    round: Vec<&'a str>,
    session_ord: Vec<i32>,
    session: Vec<uuid::Uuid>,
    unended: bool,
    payment_ord: Vec<i32>,
    payment: Vec<uuid::Uuid>,
}

impl<'a> Asked<'a> {
    fn push(&mut self, ord: i32, fact: &'a Fact) {
        match fact {
            Fact::Transaction(key) => {
                self.transaction_ord.push(ord);
                self.provider_wide
                    .push(key.scope == TransactionScope::Provider);
                self.transaction_provider.push(key.provider.as_str());
                self.kind.push(key.kind.as_str());
                self.external_id.push(key.external_id.as_str());
            }
            Fact::Round(key) => {
                self.round_ord.push(ord);
                self.round_provider.push(key.provider.as_str());
                self.scope_game
                    .push(key.game.as_ref().map_or("", |game| game.as_str()));
                self.round.push(key.round.as_str());
            }
            Fact::Session(id) => {
                self.session_ord.push(ord);
                self.session.push(id.0);
            }
            Fact::Sessions => self.unended = true,
            Fact::Payment(id) => {
                self.payment_ord.push(ord);
                self.payment.push(id.0);
            }
        }
    }
}

fn answers(facts: &[Fact], documents: &[Option<&str>]) -> Result<Facts, StoreError> {
    let mut found = Facts::default();
    for (fact, document) in facts.iter().zip(documents) {
        match fact {
            Fact::Transaction(key) => {
                let stored = match document {
                    Some(text) => {
                        Some(parse::<TransactionDocument>(text)?.into_stored(key.clone())?)
                    }
                    None => None,
                };
                found.transactions.push((key.clone(), stored));
            }
            Fact::Round(key) => {
                let round = match document {
                    Some(text) => Some(parse::<RoundDocument>(text)?.into_round()?),
                    None => None,
                };
                found.rounds.push((key.clone(), round));
            }
            Fact::Session(id) => {
                let session = match document {
                    Some(text) => Some(parse::<SessionDocument>(text)?.into_session()?),
                    None => None,
                };
                found.sessions.push((*id, session));
            }
            // A row of its own.
            Fact::Sessions => {}
            Fact::Payment(id) => {
                let payment = document.map(parse::<Payment>).transpose()?;
                found.payments.push((*id, payment));
            }
        }
    }
    Ok(found)
}

/// From a JSON array.
fn sessions(text: &str) -> Result<Vec<Session>, StoreError> {
    let documents: Vec<SessionDocument> = parse(text)?;
    let sessions = documents.into_iter();
    sessions.map(SessionDocument::into_session).collect()
}

fn state(player: &PlayerId, row: &Row) -> Result<PlayerState, StoreError> {
    let balances: Vec<BalanceDocument> = parse(get(row, "balances")?)?;
    let held: Vec<HeldDocument> = parse(get(row, "held")?)?;
    let rounds: Vec<RoundDocument> = parse(get(row, "rounds")?)?;
    let status: &str = get(row, "status")?;
    Ok(PlayerState {
        id: player.clone(),
        status: named("status", status, PlayerStatus::from_name)?,
        country: get::<Option<&str>>(row, "country")?.and_then(Country::from_code),
        lane: u16::try_from(get::<i16>(row, "lane")?).map_err(StoreError::corrupt)?,
        version: get(row, "version")?,
        last_transaction: get(row, "last_transaction")?,
        last_event: get(row, "last_event")?,
        wallets: wallets(&balances, &held)?,
        rounds: rounds
            .into_iter()
            .map(RoundDocument::into_round)
            .collect::<Result<_, _>>()?,
        transactions: VecDeque::new(),
        sessions: sessions(get(row, "sessions")?)?.into(),
    })
}
