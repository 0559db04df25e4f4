//! Reports: sums of play and of what players have, and long lists, as JSON or CSV, sent while they are made.

mod lines;
mod questions;
mod sending;
mod table;

use actix_web::{HttpRequest, HttpResponse, web::Query};
use futures_util::StreamExt;
use pitboss_providers::Code;
use pitboss_schema::reports::{By, Wanted};
use pitboss_wallet::{Kind, Timestamp, TransactionState};

use self::{
    lines::{LiabilityLine, OpenRoundsLine, PlayersLine, RevenueLine, TransactionLine},
    questions::{
        LargeWinsQuestion, LiabilityQuestion, OpenRoundsQuestion, PlayersQuestion, RevenueQuestion,
        TransactionsQuestion,
    },
    table::{Head, Report},
};
use super::{
    ApiError, Route,
    auth::Operator,
    csv::{self, Format},
    moment::moment,
    players::player_id,
    route::get,
    transactions::units,
};
use crate::access::Resource;

const REFUSALS: &[Code] = &[Code::Busy];

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    vec![
        get("/v1/reports/revenue", Resource::Reports, revenue)
            .summary("Reports gross and net gaming revenue of a period")
            .query::<RevenueQuestion>()
            .example_with("from", "2026-01-01")
            .example_with("to", "2026-02-01")
            .answers::<Report<RevenueLine>>(200)
            .answers_as(200, csv::MEDIA_TYPE)
            .refuses(REFUSALS),
        get("/v1/reports/players", Resource::Reports, players)
            .summary("Reports what each player played in a period")
            .query::<PlayersQuestion>()
            .example_with("from", "2026-01-01")
            .example_with("to", "2026-02-01")
            .answers::<Report<PlayersLine>>(200)
            .answers_as(200, csv::MEDIA_TYPE)
            .refuses(REFUSALS),
        get("/v1/reports/liability", Resource::Reports, liability)
            .summary("Reports what all players have, now or at an earlier moment")
            .query::<LiabilityQuestion>()
            .answers::<Report<LiabilityLine>>(200)
            .answers_as(200, csv::MEDIA_TYPE)
            .refuses(REFUSALS),
        get("/v1/reports/open-rounds", Resource::Reports, open_rounds)
            .summary("Reports open rounds by age, with what they hold")
            .query::<OpenRoundsQuestion>()
            .answers::<Report<OpenRoundsLine>>(200)
            .answers_as(200, csv::MEDIA_TYPE)
            .refuses(REFUSALS),
        get("/v1/reports/large-wins", Resource::Reports, large_wins)
            .summary("Reports the wins of a period from an amount on")
            .query::<LargeWinsQuestion>()
            .example_with("from", "2026-01-01")
            .example_with("to", "2026-02-01")
            .example_with("currency", "EUR")
            .example_with("min_amount", "1000.00")
            .answers::<Report<TransactionLine>>(200)
            .answers_as(200, csv::MEDIA_TYPE)
            .refuses(REFUSALS),
        get("/v1/reports/transactions", Resource::Reports, transactions)
            .summary("Reports every transaction of a period, oldest first")
            .query::<TransactionsQuestion>()
            .example_with("from", "2026-01-01")
            .example_with("to", "2026-02-01")
            .answers::<Report<TransactionLine>>(200)
            .answers_as(200, csv::MEDIA_TYPE)
            .refuses(&[Code::Busy, Code::UnknownPlayer]),
    ]
}

fn head(operator: &Operator, report: &'static str, title: &'static str, tests: bool) -> Head {
    let world = &operator.world;
    Head {
        report,
        title,
        operator: world.config.reports.operator.clone(),
        environment: world.environment,
        from: None,
        to: None,
        at: None,
        generated_at: world.clock.now(),
        test_players: tests,
    }
}

async fn revenue(
    request: HttpRequest,
    operator: Operator,
    query: Query<RevenueQuestion>,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let (period, offset) = query.period(world)?;
    let by = query.by(offset)?;
    let head = Head {
        from: Some(period.from),
        to: Some(period.to),
        ..head(&operator, "revenue", "Gaming revenue", period.test_players)
    };
    let report = sending::begin(&world.reports).await?;
    let rows = report.revenue(&period, by);
    let lines = rows.map(|row| row.map(RevenueLine::from));
    sending::answer(world, Format::of(&request, query.format), head, lines).await
}

async fn players(
    request: HttpRequest,
    operator: Operator,
    query: Query<PlayersQuestion>,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let (period, _) = query.period(world)?;
    let by = By {
        player: true,
        ..By::default()
    };
    let head = Head {
        from: Some(period.from),
        to: Some(period.to),
        ..head(&operator, "players", "Play of players", period.test_players)
    };
    let report = sending::begin(&world.reports).await?;
    let rows = report.revenue(&period, by);
    let lines = rows.map(|row| row.map(PlayersLine::from));
    sending::answer(world, Format::of(&request, query.format), head, lines).await
}

async fn liability(
    request: HttpRequest,
    operator: Operator,
    query: Query<LiabilityQuestion>,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let now = world.clock.now();
    let at = query.at.as_deref().map(|at| moment("at", at)).transpose()?;
    if at.is_some_and(|at: Timestamp| at > now) {
        let detail = "at: must not be in the future";
        return Err(ApiError::new(Code::Malformed, detail));
    }
    let tests = query.test_players.unwrap_or(false);
    let head = Head {
        at: Some(at.unwrap_or(now)),
        ..head(&operator, "liability", "Operator liability", tests)
    };
    let report = sending::begin(&world.reports).await?;
    let rows = report.liability(at, tests);
    let lines = rows.map(|row| row.map(LiabilityLine::from));
    sending::answer(world, Format::of(&request, query.format), head, lines).await
}

async fn open_rounds(
    request: HttpRequest,
    operator: Operator,
    query: Query<OpenRoundsQuestion>,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let now = world.clock.now();
    let tests = query.test_players.unwrap_or(false);
    let head = Head {
        at: Some(now),
        ..head(&operator, "open-rounds", "Open rounds by age", tests)
    };
    let report = sending::begin(&world.reports).await?;
    let rows = report.open_rounds(now, query.provider.as_ref(), query.currency, tests);
    let lines = rows.map(|row| row.map(OpenRoundsLine::from));
    sending::answer(world, Format::of(&request, query.format), head, lines).await
}

async fn large_wins(
    request: HttpRequest,
    operator: Operator,
    query: Query<LargeWinsQuestion>,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let (period, _) = query.period(world)?;
    let wanted = Wanted {
        kind: Some(Kind::Win),
        state: Some(TransactionState::Applied),
        least: units("min_amount", Some(&query.min_amount), Some(query.currency))?,
        player: None,
    };
    let head = Head {
        from: Some(period.from),
        to: Some(period.to),
        ..head(&operator, "large-wins", "Large wins", period.test_players)
    };
    let report = sending::begin(&world.reports).await?;
    let rows = report.transactions(&period, &wanted);
    let lines = rows.map(|row| row.map(TransactionLine::from));
    sending::answer(world, Format::of(&request, query.format), head, lines).await
}

async fn transactions(
    request: HttpRequest,
    operator: Operator,
    query: Query<TransactionsQuestion>,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let (period, _) = query.period(world)?;
    let wanted = Wanted {
        kind: query.kind,
        state: query.state,
        least: None,
        player: query.player.as_deref().map(player_id).transpose()?,
    };
    let head = Head {
        from: Some(period.from),
        to: Some(period.to),
        ..head(
            &operator,
            "transactions",
            "Transactions",
            period.test_players,
        )
    };
    let report = sending::begin(&world.reports).await?;
    let rows = report.transactions(&period, &wanted);
    let lines = rows.map(|row| row.map(TransactionLine::from));
    sending::answer(world, Format::of(&request, query.format), head, lines).await
}
