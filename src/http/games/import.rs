//! Many games at once: all or nothing, and on request nothing but an account of what would change.

use std::collections::{HashMap, HashSet};

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Payload};
use pitboss_providers::{Code, Problem, Wrong};
use pitboss_schema::{AuditAction, Game, GamesChange, GamesNow};
use pitboss_wallet::GameId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{complaint, refreshed};
use crate::{
    config::ms,
    games::{Complaint, Difference, differences, merged, notes},
    http::{
        ApiError,
        auth::Operator,
        body::{self, Limits},
        idempotency::{self, Answer},
    },
};

/// Wrong entries that one answer names.
const WRONG_MAX: usize = 100;
/// Bytes of what an entry of the audit log tells of an import, about: a larger import has several.
const NOTE_BYTES: usize = 32 * 1024;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// A game that is there needs its `id` alone: what its entry leaves out stays as it is.
    #[schemars(with = "Vec<Game>")]
    games: Vec<Value>,
    /// Writes nothing, and answers the same.
    #[serde(default)]
    dry_run: bool,
}

/// What an import changed, or would change.
#[derive(Serialize, JsonSchema)]
pub struct Imported {
    dry_run: bool,
    /// Games that were not there before.
    created: Vec<GameId>,
    changed: Vec<Changed>,
    /// How many games were there as they are told.
    unchanged: usize,
}

#[derive(Serialize, JsonSchema)]
struct Changed {
    game: GameId,
    /// The names of the fields that have another value.
    fields: Vec<String>,
}

/// `POST /v1/games/import`. The body has a limit of its own, and is read only for somebody who may import: for all
/// others it stays on the wire.
pub async fn import(
    request: HttpRequest,
    operator: Operator,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let Ok(_alone) = world.games.importing.try_lock() else {
        let detail = "an import is under way; send the same again after it";
        return Err(ApiError::new(Code::Busy, detail));
    };
    let limits = Limits::new(
        world.config.catalogue.import_max_bytes,
        ms(world.config.server.body_timeout_ms),
    );
    let body = body::read(payload, limits).await;
    let body = body.map_err(|error| ApiError::from(Problem::from(&error)))?;
    idempotency::run(&request, &operator, &body, async |import: Import| {
        if import.games.is_empty() {
            let error = Complaint::new("games", "must not be empty");
            return Err(complaint(&error));
        }
        let entries = named(import.games)?;
        let ids: Vec<&str> = entries.iter().map(|(id, _)| id.as_str()).collect();
        let most = world.config.catalogue.games_max;
        let plan = |current| plan(&operator, &entries, current, most, import.dry_run);
        let done = world
            .store
            .change_games(&ids, world.clock.now(), plan)
            .await;
        let imported = done.map_err(ApiError::unavailable)??;
        refreshed(world).await?;
        Ok(Answer::new(StatusCode::OK, imported))
    })
    .await
}

type Entry = (GameId, Map<String, Value>);

/// The entries by their ids, each once.
fn named(games: Vec<Value>) -> Result<Vec<Entry>, ApiError> {
    let mut wrong = Vec::new();
    let mut seen = HashSet::new();
    let mut entries = Vec::with_capacity(games.len());
    for (index, entry) in games.into_iter().enumerate() {
        let complain = |field: &str, why: String| Wrong::new(index, field, why);
        let Value::Object(fields) = entry else {
            wrong.push(complain("", "must be an object".to_owned()));
            continue;
        };
        let id = fields.get("id").and_then(Value::as_str).map(GameId::new);
        match id {
            None => wrong.push(complain("id", "must be there, and be a text".to_owned())),
            Some(Err(error)) => wrong.push(complain("id", error.to_string())),
            Some(Ok(id)) if !seen.insert(id.clone()) => {
                wrong.push(complain("id", "is there twice".to_owned()));
            }
            Some(Ok(id)) => entries.push((id, fields)),
        }
    }
    // The indices of the others are known only when all entries have an id.
    refuse(wrong).map(|()| entries)
}

fn refuse(wrong: Vec<Wrong>) -> Result<(), ApiError> {
    let Some(first) = wrong.first() else {
        return Ok(());
    };
    let place = match first.field.as_str() {
        "" => format!("games[{}]", first.index),
        field => format!("games[{}].{field}", first.index),
    };
    let detail = match wrong.len() {
        1 => format!("{place}: {}", first.detail),
        count => format!(
            "{count} games are wrong; the first: {place}: {}",
            first.detail
        ),
    };
    let mut problem = Problem::new(Code::Malformed, detail);
    problem.errors = wrong;
    problem.errors.truncate(WRONG_MAX);
    Err(problem.into())
}

fn plan(
    operator: &Operator,
    entries: &[Entry],
    current: GamesNow,
    most: usize,
    dry_run: bool,
) -> Result<(GamesChange, Imported), ApiError> {
    let known: HashMap<&GameId, &Game> = current
        .games
        .iter()
        .map(|row| (&row.game.id, &row.game))
        .collect();
    let mut told = Imported {
        dry_run,
        created: Vec::new(),
        changed: Vec::new(),
        unchanged: 0,
    };
    let mut change = GamesChange::default();
    let mut wrong = Vec::new();
    let mut log = Log::default();
    let note = |action, subject, detail| operator.note(action, subject, detail);
    for (index, (id, fields)) in entries.iter().enumerate() {
        let before = known.get(id).copied();
        let made = merged(before, fields).and_then(|game| {
            if current.providers.contains(&game.provider) {
                Ok(game)
            } else {
                Err(Complaint::new(
                    "provider",
                    "there is no such provider account",
                ))
            }
        });
        let game = match made {
            Ok(game) => game,
            Err(Complaint { field, why }) => {
                wrong.push(Wrong::new(index, field, why));
                continue;
            }
        };
        match before {
            None => {
                log.add(json!({ "created": id }));
                told.created.push(id.clone());
            }
            Some(before) => {
                let differences = differences(before, &game);
                if differences.is_empty() {
                    told.unchanged += 1;
                    continue;
                }
                change.notes.extend(notes(Some(before), &game, false, note));
                log.add(json!({ "changed": id, "changes": differences }));
                let field = |difference: Difference| difference.field;
                told.changed.push(Changed {
                    game: id.clone(),
                    fields: differences.into_iter().map(field).collect(),
                });
            }
        }
        change.put.push(game);
    }
    refuse(wrong)?;
    if current.count + told.created.len() > most {
        let detail = format!("there would be more than {most} games");
        return Err(ApiError::new(Code::CatalogueLimit, detail));
    }
    if dry_run {
        return Ok((GamesChange::default(), told));
    }
    let parts = log.parts();
    let count = parts.len();
    for (index, games) in parts.into_iter().enumerate() {
        let detail = json!({ "part": index + 1, "parts": count, "games": games });
        let subject = "games/import".to_owned();
        change
            .notes
            .push(note(AuditAction::GameImported, subject, detail));
    }
    Ok((change, told))
}

/// What an import did, in parts that an entry of the audit log can hold.
#[derive(Default)]
struct Log {
    parts: Vec<Vec<Value>>,
    /// Of the last part.
    bytes: usize,
}

impl Log {
    fn add(&mut self, told: Value) {
        let bytes = told.to_string().len();
        if self.bytes + bytes > NOTE_BYTES || self.parts.is_empty() {
            self.parts.push(Vec::new());
            self.bytes = 0;
        }
        self.bytes += bytes;
        if let Some(part) = self.parts.last_mut() {
            part.push(told);
        }
    }

    fn parts(self) -> Vec<Vec<Value>> {
        self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_import_is_told_in_parts_that_have_everything_once() {
        let mut log = Log::default();
        for index in 0..5_000 {
            log.add(json!({ "created": format!("game-{index}") }));
        }
        let parts = log.parts();
        assert!(parts.len() > 1);
        assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), 5_000);
        let bytes = |part: &Vec<Value>| json!(part).to_string().len();
        assert!(parts.iter().all(|part| bytes(part) < 2 * NOTE_BYTES));
    }

    #[test]
    fn every_entry_without_an_id_of_its_own_is_named() {
        let error = named(vec![
            json!({ "id": "a" }),
            json!(1),
            json!({}),
            json!({ "id": "a" }),
        ]);
        let text = error.unwrap_err().to_string();
        assert!(
            text.contains("3 games are wrong") && text.contains("games[1]"),
            "{text}"
        );
    }
}
