//! A proxy between a server and PostgreSQL that fails on request.

use std::{
    future::pending,
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};

/// Failure of all connections of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    None,
    /// Nothing passes until the failure ends, as if the database's processes were stopped.
    Freeze,
    /// On connections that are open when the failure begins, nothing passes any more, as if the
    /// database's host were gone. New connections work.
    Silence,
    /// COMMIT passes, but its response does not, and the connection is closed.
    LoseCommitResponse,
    /// The same, and new connections are closed.
    LoseDatabaseAtCommit,
    /// The connection is closed instead of passing COMMIT.
    LoseCommit,
}

/// A running proxy. It stops with the runtime of the test.
pub struct Proxy {
    port: u16,
    failure: Arc<watch::Sender<Failure>>,
}

impl Proxy {
    /// Starts a proxy in front of the PostgreSQL server with this socket folder.
    pub async fn start(socket_folder: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("the socket is bound").port();
        let upstream = PathBuf::from(socket_folder).join(".s.PGSQL.5432");
        let failure = Arc::new(watch::Sender::new(Failure::None));
        let current = Arc::clone(&failure);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *current.borrow() == Failure::LoseDatabaseAtCommit {
                    continue;
                }
                let server = UnixStream::connect(&upstream).await.expect("PostgreSQL accepts");
                tokio::spawn(relay(client, server, current.subscribe()));
            }
        });
        Self { port, failure }
    }

    /// The URL of a database, through the proxy.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        let (login, _) = url.split_once('@').expect("the URL has a login");
        let database = url.rsplit('/').next().expect("the URL ends with a database");
        format!("{login}@127.0.0.1:{}/{database}", self.port)
    }

    pub fn fail(&self, failure: Failure) {
        self.failure.send_replace(failure);
    }
}

/// A connection through the proxy.
struct Relay {
    failure: watch::Receiver<Failure>,
    /// Whether it was opened during [`Failure::Silence`], and therefore works.
    works: bool,
    /// Whether the next response answers a COMMIT and is lost.
    loses_response: AtomicBool,
}

/// Passes bytes in both directions until one side closes or the connection fails.
async fn relay(client: TcpStream, server: UnixStream, failure: watch::Receiver<Failure>) {
    let works = *failure.borrow() == Failure::Silence;
    let relay = Relay { failure, works, loses_response: AtomicBool::new(false) };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        _ = relay.requests(from_client, to_server) => {}
        _ = relay.responses(from_server, to_client) => {}
    }
}

impl Relay {
    async fn requests(
        &self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 65_536];
        loop {
            let length = from.read(&mut buffer).await?;
            if length == 0 {
                return Ok(());
            }
            let (bytes, failure) = (&buffer[..length], self.passes().await);
            if bytes.windows(6).any(|word| word == b"COMMIT") {
                match failure {
                    Failure::LoseCommit => return Ok(()),
                    Failure::LoseCommitResponse | Failure::LoseDatabaseAtCommit => {
                        self.loses_response.store(true, Ordering::Relaxed);
                    }
                    _ => {}
                }
            }
            to.write_all(bytes).await?;
        }
    }

    async fn responses(
        &self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 65_536];
        loop {
            let length = from.read(&mut buffer).await?;
            self.passes().await;
            if length == 0 || self.loses_response.load(Ordering::Relaxed) {
                return Ok(());
            }
            to.write_all(&buffer[..length]).await?;
        }
    }

    /// Waits until bytes may pass: forever on a connection that stopped responding.
    async fn passes(&self) -> Failure {
        let mut failure = self.failure.clone();
        let stops = |failure: &Failure| match failure {
            Failure::Freeze => true,
            Failure::Silence => !self.works,
            _ => false,
        };
        let first = *failure.borrow();
        if first == Failure::Silence && stops(&first) {
            pending::<()>().await;
        }
        *failure.wait_for(|failure| !stops(failure)).await.expect("the proxy runs")
    }
}
