//! The catalogue of games in memory: what the bet path, launches, lists and the lobby look into.
//!
//! What lives here: entries and their rules (`entry`, `launch_url`), what a change changes (`change`), finding (`search`),
//! collections (`lobby`), and [`Games`], which keeps all of it fresh. What must not: HTTP, decisions about money: what a
//! game allows is told to the wallet with each command, and the wallet decides.
//!
//! Nothing here asks the database on the way of a bet. Each node looks at one number several times a second, and reads
//! what has changed since; what this node itself changes, it reads at once.

mod change;
mod entry;
mod launch_url;
mod lobby;
mod search;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use pitboss_schema::{BlockScope, Game, GameBlockRow, GameRow, GamingRow, Store, StoreError};
use pitboss_wallet::{
    GameId, GameStanding, GameSwitch, GameTerms, Play, PlayerId, ProviderId, Timestamp,
};
use tokio::sync::Mutex;

pub use change::{Difference, differences, notes};
pub use entry::{Complaint, is_language, is_tag, merged, text, whole};
pub use launch_url::{Launch, Mode, check_return, escape};
pub use lobby::{Collection, Denial, Shelf, Visitor};
pub use search::{Query, fold};

/// A game as memory holds it, with what is asked of it at every bet.
pub struct Listed {
    pub row: GameRow,
    switch: GameSwitch,
    terms: Option<Arc<GameTerms>>,
    /// Id, name and tags, as they are searched.
    text: String,
}

impl Listed {
    fn new(row: GameRow) -> Self {
        let Game {
            enabled,
            finish_open_round,
            ref countries,
            ref currencies,
            ..
        } = row.game;
        let terms = GameTerms {
            currencies: currencies.clone(),
            limits: entry::stake_limits(&row.game).unwrap_or_else(|error| {
                tracing::error!(game = %row.game.id, %error, "a game's limits cannot be read");
                Vec::new()
            }),
            countries: countries.clone(),
        };
        Self {
            switch: if enabled {
                GameSwitch::Enabled
            } else {
                GameSwitch::off(finish_open_round)
            },
            terms: (terms != GameTerms::default()).then(|| Arc::new(terms)),
            text: search::text(&row.game),
            row,
        }
    }

    #[must_use]
    pub fn game(&self) -> &Game {
        &self.row.game
    }
}

type Blocks = HashMap<PlayerId, Arc<[GameBlockRow]>>;

/// Everything of one moment.
pub struct Floor {
    version: i64,
    by_id: Arc<HashMap<String, Arc<Listed>>>,
    /// As they are listed: by weight, the greatest first, then by id.
    sorted: Arc<[Arc<Listed>]>,
    gaming: GamingRow,
    blocks: Arc<Blocks>,
    shelves: Arc<[Shelf]>,
}

impl Floor {
    #[must_use]
    pub fn game(&self, id: &str) -> Option<&Arc<Listed>> {
        self.by_id.get(id)
    }

    /// How many games a provider account has.
    #[must_use]
    pub fn games_of(&self, provider: &ProviderId) -> usize {
        let of_it = |listed: &&Arc<Listed>| listed.row.game.provider == *provider;
        self.sorted.iter().filter(of_it).count()
    }

    /// Whether there is any gaming at all.
    #[must_use]
    pub fn gaming(&self) -> &GamingRow {
        &self.gaming
    }

    fn gaming_switch(&self) -> GameSwitch {
        if self.gaming.enabled {
            GameSwitch::Enabled
        } else {
            GameSwitch::off(self.gaming.finish_open_round)
        }
    }

    /// How a game stands for a callback of this provider: another provider's game is unknown to it.
    #[must_use]
    pub fn standing(&self, provider: &ProviderId, game: &GameId) -> GameStanding {
        match self.by_id.get(game.as_str()) {
            Some(listed) if listed.row.game.provider == *provider => self.standing_of(listed),
            _ => GameStanding::Unknown,
        }
    }

    fn standing_of(&self, listed: &Listed) -> GameStanding {
        GameStanding::Known {
            switch: listed.switch.max(self.gaming_switch()),
            terms: listed.terms.clone(),
        }
    }

    /// How a game stands for this player.
    #[must_use]
    pub fn standing_for(&self, player: &PlayerId, listed: &Listed) -> GameStanding {
        let standing = self.standing_of(listed);
        standing.at_most(self.blocked(player, &listed.row.game))
    }

    /// What a player's blocks leave of a game.
    fn blocked(&self, player: &PlayerId, game: &Game) -> GameSwitch {
        let Some(blocks) = self.blocks.get(player) else {
            return GameSwitch::Enabled;
        };
        let covers = |block: &&GameBlockRow| match block.scope {
            BlockScope::Game => block.target == game.id.as_str(),
            BlockScope::Category => block.target == game.category.as_str(),
            BlockScope::Provider => block.target == game.provider.as_str(),
        };
        let covering = blocks.iter().filter(covers);
        let switches = covering.map(|block| GameSwitch::off(block.finish_open_round));
        switches.max().unwrap_or_default()
    }

    /// Tells a player's bet of what he may not bet on.
    pub fn restrict(&self, player: &PlayerId, play: &mut Play) {
        if !self.blocks.contains_key(player) {
            return;
        }
        if let Some((game, standing)) = play.command.standing_of_bet()
            && let Some(listed) = self.by_id.get(game.as_str())
        {
            let blocked = self.blocked(player, &listed.row.game);
            *standing = standing.clone().at_most(blocked);
        }
    }

    /// A page of the games that a query wants, after the last of the page before.
    #[must_use]
    pub fn page(
        &self,
        query: &Query,
        after: Option<(i32, &str)>,
        limit: usize,
    ) -> Vec<Arc<Listed>> {
        let key = |listed: &Listed| {
            (
                -i64::from(listed.row.game.sort_weight),
                listed.row.game.id.clone(),
            )
        };
        let from = after.map_or(0, |(weight, id)| {
            let after = (-i64::from(weight), id);
            self.sorted.partition_point(|listed| {
                let (weight, id) = key(listed);
                (weight, id.as_str()) <= after
            })
        });
        let rest = self.sorted.iter().skip(from);
        let wanted = rest.filter(|listed| query.wants(listed));
        wanted.take(limit).cloned().collect()
    }

    /// The collections with the games that this visitor could launch, of the accounts that take bets.
    #[must_use]
    pub fn lobby(
        &self,
        visitor: &Visitor,
        takes_bets: &dyn Fn(&ProviderId) -> bool,
    ) -> Vec<lobby::Shown<'_>> {
        lobby::shown(self, &self.shelves, visitor, takes_bets)
    }

    #[must_use]
    pub fn shelves(&self) -> &[Shelf] {
        &self.shelves
    }
}

/// The catalogue of one environment, kept fresh.
pub struct Games {
    floor: RwLock<Arc<Floor>>,
    /// One reads at a time: what is read later must not be overwritten by what was read before.
    reading: Mutex<()>,
    /// One import at a time, for each may be large.
    pub importing: Mutex<()>,
}

impl Games {
    /// # Errors
    /// The database did not answer.
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        let games = Self {
            floor: RwLock::new(Arc::new(Floor {
                version: -1,
                by_id: Arc::default(),
                sorted: Arc::default(),
                gaming: GamingRow {
                    enabled: false,
                    finish_open_round: true,
                    reason: String::new(),
                    changed_at: Timestamp::from_micros(0),
                },
                blocks: Arc::default(),
                shelves: Arc::default(),
            })),
            reading: Mutex::new(()),
            importing: Mutex::new(()),
        };
        games.refresh(store).await?;
        Ok(games)
    }

    /// What is known now.
    #[must_use]
    pub fn now(&self) -> Arc<Floor> {
        let floor = self.floor.read().unwrap_or_else(PoisonError::into_inner);
        floor.clone()
    }

    /// Reads what has changed, if anything.
    ///
    /// # Errors
    /// The database did not answer; what was known stays.
    pub async fn refresh(&self, store: &Store) -> Result<(), StoreError> {
        let _reading = self.reading.lock().await;
        let version = store.catalogue_version().await?;
        let known = self.now();
        if version == known.version {
            return Ok(());
        }
        // A database that was set back has forgotten what this node may know: everything is read anew.
        let since = if version > known.version {
            known.version
        } else {
            -1
        };
        let changed = store.games_changed(since).await?;
        let blocks = store.game_blocks_changed(since).await?;
        let gaming = store.gaming().await?;
        let collections = store.collections().await?;
        let from_nothing = since == -1;
        let count = u64::try_from(changed.len()).unwrap_or(u64::MAX);
        metrics::counter!("pitboss_catalogue_games_read_total").increment(count);
        let by_id = if changed.is_empty() && !from_nothing {
            known.by_id.clone()
        } else {
            let mut games = HashMap::new();
            if !from_nothing {
                games.clone_from(&known.by_id);
            }
            for row in changed {
                let listed = Arc::new(Listed::new(row));
                games.insert(listed.row.game.id.as_str().to_owned(), listed);
            }
            Arc::new(games)
        };
        let sorted = if Arc::ptr_eq(&by_id, &known.by_id) {
            known.sorted.clone()
        } else {
            let mut sorted: Vec<Arc<Listed>> = by_id.values().cloned().collect();
            sorted.sort_by(|a, b| {
                let (a, b) = (&a.row.game, &b.row.game);
                b.sort_weight
                    .cmp(&a.sort_weight)
                    .then_with(|| a.id.cmp(&b.id))
            });
            sorted.into()
        };
        let shelves = lobby::shelves(&collections, &by_id, &sorted).into();
        let floor = Floor {
            version,
            by_id,
            sorted,
            gaming,
            blocks: with_changed(&known.blocks, blocks, from_nothing),
            shelves,
        };
        *self.floor.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(floor);
        Ok(())
    }

    /// Looks again and again, until dropped.
    pub async fn keep_fresh(&self, store: &Store, every: Duration, environment: &'static str) {
        loop {
            tokio::time::sleep(every).await;
            if let Err(error) = self.refresh(store).await {
                tracing::warn!(environment, %error, "the games were not read anew");
            }
            let floor = self.now();
            let games = u32::try_from(floor.sorted.len()).unwrap_or(u32::MAX);
            let blocked = u32::try_from(floor.blocks.len()).unwrap_or(u32::MAX);
            let stopped = u8::from(!floor.gaming.enabled);
            metrics::gauge!("pitboss_catalogue_games", "environment" => environment).set(games);
            metrics::gauge!("pitboss_catalogue_blocked_players", "environment" => environment)
                .set(blocked);
            metrics::gauge!("pitboss_gaming_stopped", "environment" => environment).set(stopped);
        }
    }
}

/// The blocks that hold, with those that were made, changed or lifted.
fn with_changed(
    known: &Arc<Blocks>,
    changed: Vec<GameBlockRow>,
    from_nothing: bool,
) -> Arc<Blocks> {
    if changed.is_empty() && !from_nothing {
        return known.clone();
    }
    let mut blocks = if from_nothing {
        Blocks::new()
    } else {
        Blocks::clone(known)
    };
    for row in changed {
        let held = blocks
            .get(&row.player)
            .into_iter()
            .flat_map(|held| held.iter());
        let (player, id) = (row.player.clone(), row.id);
        let others = held.filter(|block| block.id != id).cloned();
        let is_lifted = row.removed_at.is_some();
        let now: Arc<[GameBlockRow]> = others.chain((!is_lifted).then_some(row)).collect();
        if now.is_empty() {
            blocks.remove(&player);
        } else {
            blocks.insert(player, now);
        }
    }
    Arc::new(blocks)
}
