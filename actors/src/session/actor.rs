//! The actor of one WebSocket connection.
//!
//! It has no mailbox traffic: what comes in are the client's frames, what goes out is its [`Feed`]. Both are
//! polled by the connection itself, and only while the client reads.

use std::sync::Arc;

use actix::{Actor, ActorContext, AsyncContext, StreamHandler};
use actix_http::ws::Item;
use actix_web_actors::ws::{CloseReason, Message, ProtocolError, WebsocketContext};
use bytes::{Bytes, BytesMut};
use tokio::time::Instant;

use super::{
    StreamPorts,
    close::CloseCode,
    commands::Commands,
    feed::{Feed, Out},
    frame_guard::{Fault, FaultCell},
    message,
    sessions::Admission,
};
use crate::stream::Desk;

/// The window in which a client's frames are counted.
const FLOOD_WINDOW: std::time::Duration = std::time::Duration::from_secs(1);

pub(super) struct Session {
    pub admission: Admission,
    pub ports: Arc<StreamPorts>,
    pub desk: Arc<dyn Desk>,
    pub fault: FaultCell,
    /// Handed to the context when the actor starts; boxed, because its place here stays empty.
    pub feed: Option<Box<Feed>>,
    pub inbound: Inbound,
    pub commands: Commands,
}

/// What is known of the client's own messages.
pub(super) struct Inbound {
    window_start: Instant,
    frames: u32,
    /// The message whose last fragment is still to come, when it is a text.
    text: Option<BytesMut>,
    /// Why the session ended, as a metric's label.
    reason: Option<&'static str>,
}

impl Default for Inbound {
    fn default() -> Self {
        Self {
            window_start: Instant::now(),
            frames: 0,
            text: None,
            reason: None,
        }
    }
}

impl Inbound {
    /// Counts a frame of any kind. `false`: one too many in this window.
    fn admit(&mut self, max_frames_per_s: u32) -> bool {
        if self.window_start.elapsed() >= FLOOD_WINDOW {
            self.window_start = Instant::now();
            self.frames = 0;
        }
        self.frames += 1;
        self.frames <= max_frames_per_s
    }
}

impl Actor for Session {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if let Some(feed) = self.feed.take() {
            ctx.add_stream(feed.into_stream());
        }
    }
}

impl Session {
    pub(super) fn close(&mut self, code: CloseCode, ctx: &mut WebsocketContext<Self>) {
        let jitter = self.admission.jitter(self.ports.limits.retry_jitter);
        self.end(code.reason(), ctx, Some(code.frame(jitter)));
    }

    fn end(
        &mut self,
        reason: &'static str,
        ctx: &mut WebsocketContext<Self>,
        close: Option<CloseReason>,
    ) {
        self.inbound.reason = Some(reason);
        ctx.close(close);
        ctx.stop();
    }

    /// The guard bounds the sum of a message's fragments, so `text` cannot outgrow a frame.
    fn fragment(&mut self, item: Item, ctx: &mut WebsocketContext<Self>) {
        match item {
            Item::FirstText(bytes) => self.inbound.text = Some(BytesMut::from(&*bytes)),
            Item::FirstBinary(_) => self.inbound.text = None,
            Item::Continue(bytes) => {
                if let Some(text) = &mut self.inbound.text {
                    text.extend_from_slice(&bytes);
                }
            }
            Item::Last(bytes) => match self.inbound.text.take() {
                Some(mut text) => {
                    text.extend_from_slice(&bytes);
                    self.whole_text(&text.freeze(), ctx);
                }
                None => self.refuse(&message::binary_refused(), ctx),
            },
        }
    }

    fn whole_text(&mut self, bytes: &Bytes, ctx: &mut WebsocketContext<Self>) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.command(text, ctx),
            Err(_) => self.close(CloseCode::Protocol, ctx),
        }
    }
}

impl StreamHandler<Out> for Session {
    fn handle(&mut self, out: Out, ctx: &mut Self::Context) {
        match out {
            Out::Text(text) => ctx.text(text),
            Out::Ping => ctx.ping(b""),
            Out::Close(code) => self.close(code, ctx),
        }
    }
}

impl StreamHandler<Result<Message, ProtocolError>> for Session {
    fn handle(&mut self, frame: Result<Message, ProtocolError>, ctx: &mut Self::Context) {
        let frame = match (frame, self.fault.get()) {
            (Ok(frame), _) => frame,
            (Err(_), Some(Fault::TooLarge)) => return self.close(CloseCode::FrameTooLarge, ctx),
            // Nobody is there to be told.
            (Err(_), Some(Fault::Lost)) => return ctx.stop(),
            (Err(_), None) => return self.close(CloseCode::Protocol, ctx),
        };
        self.admission.outbound.seen();
        if !self.inbound.admit(self.ports.limits.max_frames_per_s) {
            return self.close(CloseCode::Protocol, ctx);
        }
        match frame {
            Message::Text(text) => self.command(&text, ctx),
            Message::Binary(_) => self.refuse(&message::binary_refused(), ctx),
            Message::Continuation(item) => self.fragment(item, ctx),
            Message::Ping(payload) => ctx.pong(&payload),
            Message::Pong(_) | Message::Nop => {}
            Message::Close(reason) => self.end("client", ctx, echo(reason)),
        }
    }
}

/// A close frame is answered with its own code (RFC 6455, 5.5.1).
fn echo(reason: Option<CloseReason>) -> Option<CloseReason> {
    reason.map(|reason| CloseReason {
        code: reason.code,
        description: None,
    })
}

impl Drop for Session {
    /// Here, because a connection that breaks drops its actor without a word.
    fn drop(&mut self) {
        let told = self.inbound.reason;
        // A session that could not be polled any more was jammed for the reason that is kept outside.
        let reason = told.unwrap_or_else(|| {
            let kept = self.admission.outbound.close_code();
            kept.map_or("connection_lost", CloseCode::reason)
        });
        metrics::counter!(
            "pitboss_sessions_closed_total",
            "environment" => self.admission.environment().as_str(),
            "reason" => reason
        )
        .increment(1);
    }
}
