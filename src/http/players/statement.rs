//! Statements: every movement of a period with the balances before and after, as JSON page by page or as one CSV file.
//!
//! The period is a range of transaction numbers, found once at the start; what is committed meanwhile lies outside.
//! A file is read and sent a chunk at a time, however long it is.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ACCEPT, CONTENT_DISPOSITION},
    web::{Bytes, Path, Query},
};
use futures_util::stream;
use pitboss_providers::Code;
use pitboss_schema::{AccountSums, Numbers, StatementLine};
use pitboss_wallet::{
    Currency, ExternalId, GameId, Kind, Money, PlayerId, ProviderId, RoundId, Timestamp,
    TransactionId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{currency_of, player_id, row};
use crate::{
    access::Resource,
    http::{
        ApiError,
        auth::Operator,
        csv::{self, Table},
        fields,
        page::{cursor, limit_of, parse_cursor, wrong_cursor},
        route::{Route, get},
    },
    world::World,
};

/// Transactions that are read at once for a file.
const CHUNK: i64 = 500;

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    vec![
        get("/v1/players/{id}/statement", Resource::Players, statement)
            .summary("Tells what moved on a player's accounts, with running balances")
            .query::<Asked>()
            .example_with("currency", "EUR")
            .answers::<View>(200)
            .answers_as(200, csv::CONTENT_TYPE)
            .refuses(&[Code::UnknownPlayer, Code::CurrencyMismatch]),
    ]
}

/// Which statement, in which form.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The currency's code. A statement is of one wallet.
    currency: String,
    /// The first moment (RFC 3339); the player's first transaction if there is none.
    from: Option<String>,
    /// The moment after the last (RFC 3339); now if there is none.
    to: Option<String>,
    /// `json`, page by page, or `csv`, all in one. If it is not there, the header `Accept` decides.
    format: Option<Format>,
    /// Lines of a page, at most.
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    Json,
    Csv,
}

/// Each kind of money apart; or what is added to it, which may be below 0.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Accounts")]
struct Sums {
    /// The player's own money.
    cash: Money,
    /// Bonus money, without what was won with it.
    bonus: Money,
    /// What was won with bonus money and is not the player's own yet.
    restricted_winnings: Money,
    /// What a withdrawal that is not paid yet holds.
    withdrawal_hold: Money,
    /// What the player owes.
    owed: Money,
}

impl Sums {
    fn of(sums: AccountSums, currency: Currency) -> Self {
        let money = |units| Money::new(units, currency);
        Self {
            cash: money(sums.cash),
            bonus: money(sums.bonus),
            restricted_winnings: money(sums.winnings),
            withdrawal_hold: money(sums.withdrawal_hold),
            owed: money(sums.receivable.saturating_neg()),
        }
    }

    fn cells(&self) -> [String; 5] {
        let all = [
            self.cash,
            self.bonus,
            self.restricted_winnings,
            self.withdrawal_hold,
            self.owed,
        ];
        all.map(|money| money.to_string())
    }
}

/// A transaction that moved something.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StatementLine")]
struct Line {
    transaction_id: TransactionId,
    /// Counts the player's transactions, in the order in which they were booked.
    number: i64,
    time: Timestamp,
    kind: Kind,
    /// The amount that the transaction tells; of an adjustment, below 0 when it takes.
    amount: Money,
    /// The game provider; of play alone.
    provider: Option<ProviderId>,
    /// The id that the other side gave it: the provider's, a deposit's reference, an approval's.
    reference: ExternalId,
    game: Option<GameId>,
    round: Option<RoundId>,
    /// What it added to each kind of money.
    change: Sums,
    /// What there was right after it.
    balance: Sums,
}

impl Line {
    fn of(line: StatementLine, after: AccountSums, currency: Currency) -> Self {
        let of_play = line.kind.is_of_play();
        Self {
            transaction_id: line.transaction,
            number: line.number,
            time: line.at,
            kind: line.kind,
            amount: Money::new(line.units, currency),
            provider: of_play.then_some(line.provider),
            reference: line.external_id,
            game: line.game,
            round: line.round,
            change: Sums::of(line.change, currency),
            balance: Sums::of(after, currency),
        }
    }
}

/// A page of a statement.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Statement")]
struct View {
    player: PlayerId,
    currency: Currency,
    /// The first moment; `null`: the beginning.
    from: Option<Timestamp>,
    /// The moment after the last.
    to: Timestamp,
    /// Before the first line of the period.
    opening_balance: Sums,
    /// After the last line of the period.
    closing_balance: Sums,
    /// Oldest first.
    data: Vec<Line>,
    /// Goes into `after` of the next request; `null` at the end.
    next: Option<String>,
}

/// What was asked for, found.
struct Period {
    player: PlayerId,
    currency: Currency,
    from: Option<Timestamp>,
    to: Timestamp,
    numbers: Numbers,
}

/// Where a page begins and the period ends: so all pages are of one period, whatever is committed meanwhile.
type PageKey = (i64, i64);

/// `GET /v1/players/{id}/statement`
async fn statement(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let player = player_id(&id)?;
    let currency = currency_of(&asked.currency)?;
    let time = |field: &str, value: &Option<String>| {
        let value = value.as_deref();
        value.map(|value| fields::time(field, value)).transpose()
    };
    let (from, to) = (time("from", &asked.from)?, time("to", &asked.to)?);
    let to = to.unwrap_or_else(|| world.clock.now());
    if from.is_some_and(|from| from > to) {
        let detail = "to: must not be before from";
        return Err(ApiError::new(Code::Malformed, detail));
    }
    let limit = limit_of(asked.limit, world.config.rest.page_max)?;
    let after: Option<PageKey> = parse_cursor(asked.after.as_deref())?;
    let is_csv = wants_csv(&request, asked.format);
    if is_csv && (after.is_some() || asked.limit.is_some()) {
        let detail = "limit, after: a CSV file has no pages";
        return Err(ApiError::new(Code::Malformed, detail));
    }
    row(world, &player).await?;
    let snapshot = world.registry.view(&player).await?;
    if !snapshot
        .wallets
        .iter()
        .any(|wallet| wallet.currency == currency)
    {
        let detail = format!("the player has no wallet in {currency}");
        return Err(ApiError::new(Code::CurrencyMismatch, detail));
    }
    // Before every transaction; 1970 would be enough.
    let first = from.unwrap_or(Timestamp::from_micros(0));
    let numbers = world.store.statement_numbers(&player, first, to).await;
    let mut period = Period {
        player,
        currency,
        from,
        to,
        numbers: numbers.map_err(ApiError::unavailable)?,
    };
    if let Some((_, past)) = after {
        if past < period.numbers.first || past > period.numbers.past {
            return Err(wrong_cursor());
        }
        period.numbers.past = past;
    }
    if is_csv {
        return file(world.clone(), period).await;
    }
    let next = after.map_or(period.numbers.first, |(next, _)| next);
    if next < period.numbers.first || next > period.numbers.past {
        return Err(wrong_cursor());
    }
    Ok(HttpResponse::Ok().json(page(world, period, next, limit).await?))
}

fn wants_csv(request: &HttpRequest, format: Option<Format>) -> bool {
    match format {
        Some(format) => format == Format::Csv,
        None => request
            .headers()
            .get_all(ACCEPT)
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.to_ascii_lowercase().contains("text/csv")),
    }
}

async fn balances(world: &World, period: &Period, before: i64) -> Result<AccountSums, ApiError> {
    let balances = world
        .store
        .statement_balances(&period.player, period.currency, before);
    balances.await.map_err(ApiError::unavailable)
}

async fn page(world: &World, period: Period, next: i64, limit: usize) -> Result<View, ApiError> {
    let Numbers { first, past } = period.numbers;
    let opening = balances(world, &period, first).await?;
    let closing = balances(world, &period, past).await?;
    let mut running = if next == first {
        opening
    } else {
        balances(world, &period, next).await?
    };
    let rows = u32::try_from(limit).map_err(ApiError::internal)?;
    let numbers = Numbers { first: next, past };
    let lines = world
        .store
        .statement_lines(&period.player, period.currency, numbers, rows);
    let lines = lines.await.map_err(ApiError::unavailable)?;
    let is_full = lines.len() == limit;
    let last = lines.last().map(|line| line.number);
    let data = lines
        .into_iter()
        .map(|line| {
            running = running.plus(line.change);
            Line::of(line, running, period.currency)
        })
        .collect();
    Ok(View {
        opening_balance: Sums::of(opening, period.currency),
        closing_balance: Sums::of(closing, period.currency),
        data,
        next: last
            .filter(|_| is_full)
            .map(|last| cursor(&(last + 1, past))),
        player: period.player,
        currency: period.currency,
        from: period.from,
        to: period.to,
    })
}

const COLUMNS: [&str; 20] = [
    "time",
    "number",
    "transaction_id",
    "kind",
    "provider",
    "reference",
    "game",
    "round",
    "currency",
    "amount",
    "cash_change",
    "bonus_change",
    "restricted_winnings_change",
    "withdrawal_hold_change",
    "owed_change",
    "cash",
    "bonus",
    "restricted_winnings",
    "withdrawal_hold",
    "owed",
];

/// A file on its way.
struct Writing {
    world: Arc<World>,
    period: Period,
    /// The next transaction to be read; `None`: all is written.
    next: Option<i64>,
    running: AccountSums,
    has_lines: bool,
}

/// The file. What fails after its beginning breaks the connection off: half a file must not look like a whole one.
async fn file(world: Arc<World>, period: Period) -> Result<HttpResponse, ApiError> {
    let running = balances(&world, &period, period.numbers.first).await?;
    let name = format!("statement-{}-{}.csv", period.player, period.currency);
    let mut table = Table::new();
    table.record(COLUMNS)?;
    let from = period.from.map(|from| from.to_string());
    let from = from.unwrap_or_default();
    balance_record(
        &mut table,
        &from,
        "opening_balance",
        running,
        period.currency,
    )?;
    let head = table.into_bytes()?;
    let writing = Writing {
        next: Some(period.numbers.first),
        world,
        period,
        running,
        has_lines: false,
    };
    let body = stream::unfold((Some(head), writing), |(head, mut writing)| async move {
        if let Some(head) = head {
            return Some((Ok(head), (None, writing)));
        }
        let chunk = writing.chunk().await.transpose()?;
        if chunk.is_err() {
            writing.next = None;
        }
        Some((chunk, (None, writing)))
    });
    // An id has no quotes and no blanks.
    Ok(HttpResponse::Ok()
        .content_type(csv::CONTENT_TYPE)
        .insert_header((
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .streaming(body))
}

impl Writing {
    /// The next piece; `None` at the end.
    async fn chunk(&mut self) -> Result<Option<Bytes>, ApiError> {
        let mut table = Table::new();
        let mut is_empty = true;
        // A chunk of another currency's transactions has no lines.
        while is_empty {
            let Some(first) = self.next else {
                return Ok(None);
            };
            let (currency, end) = (self.period.currency, self.period.numbers.past);
            let past = first.saturating_add(CHUNK).min(end);
            let numbers = Numbers { first, past };
            let rows = u32::try_from(CHUNK).map_err(ApiError::internal)?;
            let lines =
                self.world
                    .store
                    .statement_lines(&self.period.player, currency, numbers, rows);
            for line in lines.await.map_err(ApiError::unavailable)? {
                self.running = self.running.plus(line.change);
                self.has_lines = true;
                is_empty = false;
                line_record(
                    &mut table,
                    &Line::of(line, self.running, currency),
                    currency,
                )?;
            }
            self.next = Some(past).filter(|past| *past < end);
            if self.next.is_none() {
                is_empty = false;
                self.end(&mut table)?;
            }
        }
        table.into_bytes().map(Some)
    }

    fn end(&self, table: &mut Table) -> Result<(), ApiError> {
        if !self.has_lines {
            let mut cells = [""; COLUMNS.len()];
            cells[3] = "No Activity";
            table.record(cells)?;
        }
        let to = self.period.to.to_string();
        balance_record(
            table,
            &to,
            "closing_balance",
            self.running,
            self.period.currency,
        )
    }
}

fn balance_record(
    table: &mut Table,
    time: &str,
    kind: &str,
    sums: AccountSums,
    currency: Currency,
) -> Result<(), ApiError> {
    let mut cells = vec![""; COLUMNS.len() - 5];
    (cells[0], cells[3], cells[8]) = (time, kind, currency.code());
    let sums = Sums::of(sums, currency).cells();
    table.record(cells.into_iter().chain(sums.iter().map(String::as_str)))
}

fn line_record(table: &mut Table, line: &Line, currency: Currency) -> Result<(), ApiError> {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let cells = [
        line.time.to_string(),
        line.number.to_string(),
        line.transaction_id.to_string(),
        line.kind.as_str().to_owned(),
        text(line.provider.as_ref().map(ProviderId::as_str)),
        line.reference.as_str().to_owned(),
        text(line.game.as_ref().map(GameId::as_str)),
        text(line.round.as_ref().map(RoundId::as_str)),
        currency.code().to_owned(),
        line.amount.to_string(),
    ];
    let sums = line.change.cells().into_iter().chain(line.balance.cells());
    let cells: Vec<String> = cells.into_iter().chain(sums).collect();
    table.record(cells.iter().map(String::as_str))
}
