//! Brings one request to its answer, whatever happens on the way: the same request again and again, to any of the
//! servers, as a provider does.

use std::{rc::Rc, time::Duration};

use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::{
    step::{Action, Step, Verdict, judge},
    tally::Tally,
};
use crate::{
    bets::{callback_path, drive::write_callback},
    clock::unix_s,
    error::{Error, Result},
    http::Http,
    random::Random,
    sign::Signer,
};

/// For one try. Shorter than a stalled server takes, so that its late answers meet the next try.
const TRY_LIMIT: Duration = Duration::from_secs(3);
/// Until there is an answer. After that the request counts as unanswered, which fails the run.
const PATIENCE: Duration = Duration::from_secs(120);
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// What all couriers share.
pub struct Counter {
    /// `host:port` of each server, as its clients reach it.
    pub servers: Vec<String>,
    signers: Vec<(Action, Signer)>,
    operator_key: String,
    clocks_differ: bool,
}

impl Counter {
    pub fn new(
        servers: Vec<String>,
        provider: &str,
        secret: &str,
        operator_key: String,
        clocks_differ: bool,
    ) -> Result<Self> {
        let signer = |action: Action| {
            let path = callback_path(provider, action.name())?;
            let signer = Signer::new(secret, &path);
            let signer = signer.ok_or_else(|| Error::given("the secret cannot be a key"))?;
            Ok((action, signer))
        };
        Ok(Self {
            servers,
            signers: Action::CALLBACKS
                .map(signer)
                .into_iter()
                .collect::<Result<_>>()?,
            operator_key,
            clocks_differ,
        })
    }

    fn write(&self, step: &Step, player: &str, server: usize, request: &mut Vec<u8>) {
        let authority = &self.servers[server];
        let signer = self
            .signers
            .iter()
            .find(|(action, _)| *action == step.action);
        if let Some((_, signer)) = signer {
            return write_callback(signer, authority, unix_s(), step.body.as_bytes(), request);
        }
        // A deposit's reference is in its body: the body is its own key.
        let key: String = step
            .body
            .bytes()
            .filter(u8::is_ascii_alphanumeric)
            .map(char::from)
            .collect();
        request.clear();
        request.extend_from_slice(
            format!(
                "POST /v1/players/{player}/deposits HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {}\r\n\
                 Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                self.operator_key,
                step.body.len(),
                step.body
            )
            .as_bytes(),
        );
    }
}

/// How a request ended.
#[derive(Debug)]
pub enum Ended {
    /// With the right answer; of a success our id, and whether it was told as a repeat.
    Right(Option<(Uuid, bool)>),
    Wrong(String),
    Unanswered(String),
}

/// A connection to each server, and the requests that go over them one by one.
pub struct Courier {
    counter: Rc<Counter>,
    connections: Vec<Http>,
    request: Vec<u8>,
}

impl Courier {
    pub fn new(counter: &Rc<Counter>) -> Self {
        Self {
            connections: counter.servers.iter().map(Http::new).collect(),
            counter: counter.clone(),
            request: Vec::with_capacity(1024),
        }
    }

    /// `sent_before`: somebody else sends it too, or sent it once.
    pub async fn deliver(
        &mut self,
        step: &Step,
        player: &str,
        sent_before: bool,
        random: &mut Random,
        tally: &Tally,
    ) -> Ended {
        let counter = self.counter.clone();
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut tries = 0_u32;
        loop {
            let server = random.below(counter.servers.len() as u32) as usize;
            counter.write(step, player, server, &mut self.request);
            tries += 1;
            tally.sent();
            let answer = timeout(TRY_LIMIT, self.connections[server].send(&self.request)).await;
            let verdict = match answer {
                Ok(Ok(answer)) => judge(
                    step,
                    answer.status,
                    answer.body,
                    sent_before || tries > 1,
                    counter.clocks_differ,
                ),
                Ok(Err(error)) => Verdict::Again(format!("no answer: {}", error.kind())),
                Err(_) => Verdict::Again("no answer: time-out".to_owned()),
            };
            match verdict {
                Verdict::Right(right) => {
                    tally.answered(
                        started.elapsed(),
                        right.is_some_and(|(_, replayed)| replayed),
                    );
                    return Ended::Right(right);
                }
                Verdict::Wrong(wrong) => return Ended::Wrong(wrong),
                Verdict::Again(reason) if started.elapsed() > PATIENCE => {
                    return Ended::Unanswered(format!("{tries} tries, the last: {reason}"));
                }
                Verdict::Again(reason) => tally.again(reason),
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
