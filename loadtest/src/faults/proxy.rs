//! A TCP relay on which connections can be made slow or cut. It knows nothing of what it carries.

use std::{
    cell::{Cell, RefCell},
    io,
    rc::Rc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
    time::sleep,
};

use super::scenario::Weather;
use crate::{
    error::{Error, Result},
    random::Random,
};

const PIECE_BYTES: usize = 16 * 1024;

/// Relays to one address for as long as it lives.
pub struct Proxy {
    port: u16,
    shared: Rc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    target_port: u16,
    weather: Cell<Weather>,
    random: RefCell<Random>,
    cut: Cell<u64>,
}

enum Direction {
    /// From whoever asks.
    Requests,
    /// To him.
    Replies,
}

impl Proxy {
    /// Relays from a free loopback port to a loopback port. To be called inside a `LocalSet`.
    pub async fn start(target_port: u16, seed: u64) -> Result<Self> {
        let wrong = "cannot open a relay";
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .map_err(Error::io(wrong))?;
        let port = listener.local_addr().map_err(Error::io(wrong))?.port();
        let shared = Rc::new(Shared {
            target_port,
            weather: Cell::default(),
            random: RefCell::new(Random::new(seed)),
            cut: Cell::new(0),
        });
        let accepting = tokio::task::spawn_local(accept(listener, shared.clone()));
        Ok(Self {
            port,
            shared,
            accepting,
        })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn set(&self, weather: Weather) {
        self.shared.weather.set(weather);
    }

    /// Connections cut so far.
    pub fn cut(&self) -> u64 {
        self.shared.cut.get()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Rc<Shared>) {
    loop {
        let Ok((near, _)) = listener.accept().await else {
            // Out of descriptors, for a moment.
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        tokio::task::spawn_local(relay(near, shared.clone()));
    }
}

/// Until either side closes, or the weather cuts it. Both ends go together, as they do when a machine dies.
async fn relay(near: TcpStream, shared: Rc<Shared>) {
    let Ok(far) = TcpStream::connect(("127.0.0.1", shared.target_port)).await else {
        return;
    };
    // Best effort: without it a piece may wait for the acknowledgement of the one before.
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    tokio::select! {
        _ = carry(near_read, far_write, &shared, Direction::Requests) => {}
        _ = carry(far_read, near_write, &shared, Direction::Replies) => {}
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
    direction: Direction,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = from.read(&mut piece).await?;
        if count == 0 {
            return Ok(());
        }
        match (shared.weather.get(), &direction) {
            (Weather::CutReplies { per_mille }, Direction::Replies)
                if shared.random.borrow_mut().below(1000) < per_mille =>
            {
                shared.cut.set(shared.cut.get() + 1);
                return Ok(());
            }
            (Weather::Slow { up_to_ms }, _) => {
                let ms = shared.random.borrow_mut().below(up_to_ms.max(1));
                sleep(Duration::from_millis(ms.into())).await;
            }
            _ => {}
        }
        to.write_all(&piece[..count]).await?;
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::LocalSet;

    use super::*;

    /// Answers every byte with the next one, and counts what it was asked.
    async fn echo(asked: Rc<Cell<u32>>) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::task::spawn_local(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let asked = asked.clone();
                tokio::task::spawn_local(async move {
                    while let Ok(byte) = stream.read_u8().await {
                        asked.set(asked.get() + 1);
                        let _ = stream.write_u8(byte + 1).await;
                    }
                });
            }
        });
        port
    }

    async fn ask(proxy: &Proxy) -> io::Result<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port())).await?;
        stream.write_u8(7).await?;
        stream.read_u8().await
    }

    #[tokio::test]
    async fn in_fair_and_slow_weather_everything_arrives() {
        let test = async {
            let proxy = Proxy::start(echo(Rc::default()).await, 1).await.unwrap();
            assert_eq!(ask(&proxy).await.unwrap(), 8);
            proxy.set(Weather::Slow { up_to_ms: 5 });
            assert_eq!(ask(&proxy).await.unwrap(), 8);
            assert_eq!(proxy.cut(), 0);
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn a_reply_that_is_cut_was_asked_for_and_answered() {
        let test = async {
            let asked = Rc::new(Cell::new(0));
            let proxy = Proxy::start(echo(asked.clone()).await, 1).await.unwrap();
            proxy.set(Weather::CutReplies { per_mille: 1000 });
            ask(&proxy).await.unwrap_err();
            assert_eq!((asked.get(), proxy.cut()), (1, 1));
            proxy.set(Weather::Fair);
            assert_eq!(ask(&proxy).await.unwrap(), 8);
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn nobody_behind_the_relay_is_a_lost_connection() {
        let test = async {
            let free = pitboss_services::free_port().unwrap();
            let proxy = Proxy::start(free, 1).await.unwrap();
            ask(&proxy).await.unwrap_err();
        };
        LocalSet::new().run_until(test).await;
    }
}
