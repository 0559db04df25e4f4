//! A statement as a CSV file: read and sent a chunk at a time, however long it is.

use std::sync::Arc;

use actix_web::{HttpResponse, http::header::CONTENT_DISPOSITION, web::Bytes};
use futures_util::stream;
use pitboss_schema::{AccountSums, Numbers};
use pitboss_wallet::Currency;

use super::{Line, Period, Sums, balances};
use crate::{
    http::{
        ApiError,
        csv::{Cell, Format, Table},
    },
    world::World,
};

/// Transactions that are read at once.
const CHUNK: i64 = 500;

/// Kinds of money.
const SUMS: usize = 5;

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
pub(super) async fn answer(world: Arc<World>, period: Period) -> Result<HttpResponse, ApiError> {
    let running = balances(&world, &period, period.numbers.first).await?;
    let name = format!("statement-{}-{}.csv", period.player, period.currency);
    let mut table = Table::new(COLUMNS.len());
    table.record(&COLUMNS).map_err(ApiError::internal)?;
    let from = period.from.map(|from| from.to_string());
    let from = from.unwrap_or_default();
    balance_record(
        &mut table,
        &from,
        "opening_balance",
        running,
        period.currency,
    )?;
    let head = table.take().map_err(ApiError::internal)?;
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
        .content_type(Format::Csv.content_type())
        .insert_header((
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .streaming(body))
}

impl Writing {
    /// The next piece; `None` at the end.
    async fn chunk(&mut self) -> Result<Option<Bytes>, ApiError> {
        let mut table = Table::new(COLUMNS.len());
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
                let cells = cells_of(&Line::of(line, self.running, currency), currency);
                table.record(&cells).map_err(ApiError::internal)?;
            }
            self.next = Some(past).filter(|past| *past < end);
            if self.next.is_none() {
                is_empty = false;
                self.end(&mut table)?;
            }
        }
        table.take().map(Some).map_err(ApiError::internal)
    }

    fn end(&self, table: &mut Table) -> Result<(), ApiError> {
        if !self.has_lines {
            let cells = ["", "", "", "No Activity"];
            table.record(&cells).map_err(ApiError::internal)?;
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
    let mut cells = vec![String::new(); COLUMNS.len() - SUMS];
    (cells[0], cells[3], cells[8]) = (time.to_owned(), kind.to_owned(), currency.cell());
    cells.extend(sum_cells(&Sums::of(sums, currency)));
    table.record(&cells).map_err(ApiError::internal)
}

fn cells_of(line: &Line, currency: Currency) -> Vec<String> {
    let mut cells = vec![
        line.time.cell(),
        line.number.cell(),
        line.transaction_id.cell(),
        line.kind.cell(),
        line.provider.cell(),
        line.reference.cell(),
        line.game.cell(),
        line.round.cell(),
        currency.cell(),
        line.amount.cell(),
    ];
    cells.extend(sum_cells(&line.change));
    cells.extend(sum_cells(&line.balance));
    cells
}

fn sum_cells(sums: &Sums) -> [String; SUMS] {
    let all = [
        sums.cash,
        sums.bonus,
        sums.restricted_winnings,
        sums.withdrawal_hold,
        sums.owed,
    ];
    all.map(|money| money.cell())
}
