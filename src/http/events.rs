//! `GET /v1/events`: the event feed, page by page, also waiting for the next event.

use std::{convert::Infallible, sync::Arc, time::Duration};

use actix_web::{HttpResponse, web::Query};
use bytes::Bytes;
use futures_util::stream;
use pitboss_providers::Code;
use pitboss_schema::{FeedPage, FeedPosition, PlayerPage};
use pitboss_wallet::PlayerId;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::Instant;

use super::{
    ApiError, Route, auth::Operator, page::limit_of, players::player_id, route::get,
    slow::EndsByItself,
};
use crate::{
    access::Resource,
    feed::{self, Cursor, CursorError, TypeFilter, Waiting},
    world::World,
};

/// While somebody waits, a blank goes out this often: JSON allows it, and a client that has gone away is
/// noticed by it.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    vec![
        get("/v1/events", Resource::Events, list)
            .summary("Reads the feed of events, oldest first, and waits for more")
            .query::<Question>()
            .answers::<EventPage>(200)
            .refuses(&[Code::UnknownPlayer, Code::EventsGone]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Question {
    /// The `next` of the page before, or `newest`; without it, from the oldest event that is kept.
    after: Option<String>,
    /// Types and families, with commas between them.
    r#type: Option<String>,
    player: Option<String>,
    limit: Option<usize>,
    /// Seconds to wait for an event when there is none.
    wait: Option<u64>,
}

/// What [`Reading::render`] writes, around events that are written already.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "read by the derive alone")]
struct EventPage {
    /// Each as `/asyncapi.json` describes it.
    data: Vec<serde_json::Value>,
    /// Goes into `after` of the next request. There is always one: the feed has no end.
    next: String,
    /// There was more right behind it.
    more: bool,
}

/// What is read, and how far it was read.
struct Reading {
    world: Arc<World>,
    place: Place,
    filter: TypeFilter,
    limit: usize,
}

enum Place {
    All(FeedPosition),
    Of {
        player: PlayerId,
        after: Option<i64>,
    },
}

/// One answer.
struct Page {
    bodies: Vec<String>,
    /// There was more right behind it.
    more: bool,
}

async fn list(operator: Operator, question: Query<Question>) -> Result<HttpResponse, ApiError> {
    let world = operator.world.clone();
    let Question {
        after,
        r#type,
        player,
        limit,
        wait,
    } = question.into_inner();
    let settings = &world.config.events;
    let wait_max = settings.wait_max_s;
    let wait = wait.unwrap_or(0);
    if wait > wait_max {
        let detail = format!("wait: must be from 0 to {wait_max}");
        return Err(ApiError::new(Code::Malformed, detail));
    }
    let limit = limit_of(limit, world.config.rest.page_max)?;
    let names = r#type.iter().flat_map(|names| names.split(','));
    let filter = TypeFilter::parse(names)
        .map_err(|error| ApiError::new(Code::Malformed, format!("type: {error}")))?;
    let place = match player {
        Some(player) => place_of_player(&world, player_id(&player)?, after.as_deref()).await?,
        None => Place::All(position(&world, after.as_deref()).await?),
    };
    let mut reading = Reading {
        world: world.clone(),
        place,
        filter,
        limit,
    };
    let page = reading.read().await?;
    if wait == 0 || !page.bodies.is_empty() {
        return Ok(HttpResponse::Ok()
            .content_type("application/json")
            .body(reading.render(&page)));
    }
    let Some(waiting) = world.feed.place() else {
        metrics::counter!("pitboss_event_waiters_refused_total").increment(1);
        let detail = "as many clients wait for events as this server takes";
        return Err(ApiError::new(Code::Busy, detail));
    };
    let deadline = Instant::now() + Duration::from_secs(wait);
    let mut answer = HttpResponse::Ok()
        .content_type("application/json")
        .streaming(answer_later(operator, reading, waiting, deadline));
    answer.extensions_mut().insert(EndsByItself);
    Ok(answer)
}

/// The page as soon as there is one, an empty one at the deadline or when the key ends; blanks before.
fn answer_later(
    operator: Operator,
    reading: Reading,
    waiting: Waiting,
    deadline: Instant,
) -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(
        Some((operator, reading, waiting)),
        move |state| async move {
            let (operator, mut reading, mut waiting) = state?;
            let patience = deadline
                .saturating_duration_since(Instant::now())
                .min(SIGN_OF_LIFE);
            let mut ended = false;
            let found = tokio::select! {
                biased;
                () = operator.ended() => {
                    ended = true;
                    Ok(None)
                }
                found = waiting.until(patience, async || {
                    loop {
                        let page = reading.read().await?;
                        if !page.bodies.is_empty() {
                            return Ok::<_, ApiError>(Some(page));
                        }
                        // What the filter drops is read on, for as long as there is time.
                        if !page.more || Instant::now() >= deadline {
                            return Ok(None);
                        }
                    }
                }) => found,
            };
            let is_over = ended || Instant::now() >= deadline || reading.world.feed.is_closed();
            let page = match found {
                Ok(None) if !is_over => {
                    return Some((Ok(" ".into()), Some((operator, reading, waiting))));
                }
                Ok(Some(page)) => page,
                // The status has gone out: whoever asks again, from the same place, is told what is wrong.
                Ok(None) | Err(_) => Page {
                    bodies: Vec::new(),
                    more: false,
                },
            };
            Some((Ok(reading.render(&page).into()), None))
        },
    )
}

impl Reading {
    /// Reads on, a bounded number of rows, whether they are wanted or not.
    async fn read(&mut self) -> Result<Page, ApiError> {
        let store = &self.world.store;
        let scan = self.world.config.events.scan_max;
        let unavailable = ApiError::unavailable;
        match &mut self.place {
            Place::All(position) => match store.feed(position, scan).await.map_err(unavailable)? {
                FeedPage::Gone => Err(gone()),
                FeedPage::Read { events, more } => {
                    let (taken, left) = feed::take(events, position, &self.filter, self.limit);
                    Ok(Page {
                        bodies: taken.into_iter().map(|event| event.body).collect(),
                        more: more || left,
                    })
                }
            },
            Place::Of { player, after } => {
                let page = store.player_feed(player, *after, scan).await;
                match page.map_err(unavailable)? {
                    PlayerPage::UnknownPlayer => Err(ApiError::new(
                        Code::UnknownPlayer,
                        "there is no such player in this environment",
                    )),
                    PlayerPage::Gone => Err(gone()),
                    PlayerPage::Read { events, more } => {
                        let mut page = Page {
                            bodies: Vec::new(),
                            more,
                        };
                        for (seq, event) in events {
                            let wanted = self.filter.has(&event.kind);
                            if wanted && page.bodies.len() == self.limit {
                                page.more = true;
                                break;
                            }
                            *after = Some(seq);
                            if wanted {
                                page.bodies.push(event.body);
                            }
                        }
                        Ok(page)
                    }
                }
            }
        }
    }

    /// The events' own bytes, between ours.
    fn render(&self, page: &Page) -> String {
        let next = match &self.place {
            Place::All(position) => Cursor(position.clone()).encode(self.world.stream.incarnation),
            Place::Of { after, .. } => after.unwrap_or(0).to_string(),
        };
        let data = page.bodies.join(",");
        format!(
            r#"{{"data":[{data}],"next":"{next}","more":{}}}"#,
            page.more
        )
    }
}

pub(super) fn gone() -> ApiError {
    ApiError::new(
        Code::EventsGone,
        "after: lies before the oldest event that is kept, or in another history of the database; \
         begin anew without it",
    )
}

/// Where a text of ours is in the feed of all players; also for webhooks.
pub(super) async fn position(world: &World, after: Option<&str>) -> Result<FeedPosition, ApiError> {
    if let Some(text) = after.filter(|text| *text != "newest") {
        return match Cursor::decode(text, world.stream.incarnation) {
            Ok(cursor) => Ok(cursor.0),
            Err(CursorError::Elsewhere) => Err(gone()),
            Err(error @ CursorError::Form) => {
                let detail = format!("after: {error}; send the next of the page before, or newest");
                Err(ApiError::new(Code::Malformed, detail))
            }
        };
    }
    let ends = world
        .store
        .feed_ends()
        .await
        .map_err(ApiError::unavailable)?;
    Ok(match after {
        Some(_) => ends.newest,
        None => ends.oldest,
    })
}

async fn place_of_player(
    world: &World,
    player: PlayerId,
    after: Option<&str>,
) -> Result<Place, ApiError> {
    let malformed = || {
        let detail = "after: must be a seq of this player, the next of the page before, or newest";
        ApiError::new(Code::Malformed, detail)
    };
    let after = match after {
        None => None,
        Some("newest") => {
            let newest = world.store.newest_event(&player).await;
            let newest = newest.map_err(ApiError::unavailable)?;
            Some(newest.ok_or_else(|| {
                let detail = "there is no such player in this environment";
                ApiError::new(Code::UnknownPlayer, detail)
            })?)
        }
        Some(text) => Some(text.parse().map_err(|_| malformed())?),
    };
    if after.is_some_and(|after: i64| after < 0) {
        return Err(malformed());
    }
    Ok(Place::Of { player, after })
}
