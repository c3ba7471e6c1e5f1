//! The commands that run until a stop signal: HTTP server and worker.

use std::{
    io::{self, Write},
    net::TcpListener,
    sync::Arc,
    time::Duration,
};

use postern_api::{Server, State, config::LOOPBACK_ORIGINS};
use postern_domain::{
    chain,
    clock::{Clock, SystemClock},
};
use postern_persistence::{Fault, Store, demo, schema};
use postern_worker::Worker;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use super::{demo::load_demo, doctor};
use crate::{
    config::Config,
    runtime::{CliResult, open},
};

/// Time for the last events and for closing connections, after the server has stopped.
const FINISH_TIME: Duration = Duration::from_secs(3);

/// Background jobs of this process.
fn worker(config: &Config, store: Arc<Store>) -> Worker {
    Worker {
        store,
        clock: Arc::new(SystemClock),
        interval: Duration::from_millis(config.audit.sequencer_interval_milliseconds),
    }
}

/// Runs the worker alone.
pub async fn run_worker(config: &Config) -> CliResult {
    let store = open(config).await?;
    reject(&schema::examine(&store, SystemClock.now()).await?)?;
    let stop = stop_on_signal()?;
    let late = stop_deadline(stop.clone(), config.api.server.stop_limit());
    let finish = async {
        worker(config, Arc::clone(&store)).run(stop).await;
        store.close().await;
        Ok(())
    };
    tokio::select! {
        result = finish => result,
        error = late => Err(error.into()),
    }
}

/// Fails if checks failed.
fn reject(faults: &[Fault]) -> Result<(), String> {
    if faults.is_empty() {
        return Ok(());
    }
    Err(format!("refusing to start, checks failed:{}", doctor::format_faults(faults)))
}

/// Turns true on SIGTERM or SIGINT.
fn stop_on_signal() -> io::Result<watch::Receiver<bool>> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        sender.send_replace(true);
    });
    Ok(receiver)
}

/// Runs the server, and the worker if `with_worker`.
pub async fn serve(mut config: Config, demo: bool, with_worker: bool) -> CliResult {
    let store = open(&config).await?;
    reject(&doctor::examine(&config, &store, demo).await?)?;
    if demo {
        config.api.server.cors_origins.extend(LOOPBACK_ORIGINS.map(str::to_owned));
        load_demo(&config, &store).await?;
    }
    let listener = bind(&config.api.server.listen)?;
    let address = config.api.server.public_url.clone();
    let worker_store = store.separate_pool(&config.store_options(SystemClock.now())?).await?;
    let worker = with_worker.then(|| worker(&config, Arc::clone(&worker_store)));
    let state = Arc::new(State::new(config.api, Arc::clone(&store), Arc::new(SystemClock))?);
    let server = Server::start(Arc::clone(&state), listener)?;
    let handle = server.handle();
    let mut stop = stop_on_signal()?;
    let late = stop_deadline(stop.clone(), state.server.stop_limit());
    tokio::spawn(async move {
        if stop.wait_for(|stop| *stop).await.is_ok() {
            tracing::info!("stopping: waiting for running requests");
            handle.stop().await;
        }
    });
    tokio::spawn(watch_keys(state));
    tokio::spawn(listen_for_log_changes(Arc::clone(&worker_store)));
    // Runs until the last request has finished, so that its events get into the log.
    let (shutdown_tx, shutdown_rx) = watch::channel(false);
    let worker_task = worker.map(|worker| tokio::spawn(worker.run(shutdown_rx)));
    // Standard output may be closed. The server does not need it.
    if let Err(error) = print_banner(&address, demo) {
        tracing::warn!(%error, "could not print the startup banner");
    }
    let finish = async {
        server.run().await?;
        shutdown_tx.send_replace(true);
        if let Some(worker_task) = worker_task {
            worker_task.await?;
        }
        worker_store.close().await;
        store.close().await;
        tracing::info!("stopped");
        Ok(())
    };
    tokio::select! {
        result = finish => result,
        error = late => Err(error.into()),
    }
}

fn bind(address: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))
}

/// Waits for the stop signal, and then until the server must have stopped. Returns the error.
async fn stop_deadline(mut stop: watch::Receiver<bool>, limit: Duration) -> &'static str {
    // Fails if signals cannot be received any more.
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(limit + FINISH_TIME).await;
    "stopped with unfinished requests or events: the database does not respond, or requests took \
     longer than server.shutdown_timeout_seconds"
}

/// Receives log changes from other processes, for the streams of this one. While the connection is
/// lost, streams poll.
async fn listen_for_log_changes(store: Arc<Store>) {
    loop {
        if let Err(error) = store.listen().await {
            tracing::debug!(
                error = chain(&error),
                "not notified of log entries from other processes; retrying in 5 s"
            );
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

/// Reloads signing keys every minute: they can be rotated by another process that shares the
/// directory.
async fn watch_keys(state: Arc<State>) {
    let mut minutes = tokio::time::interval(std::time::Duration::from_mins(1));
    loop {
        minutes.tick().await;
        let audit_keys = state.store.audit_keys().map(|audit_keys| audit_keys.reload());
        if let Err(error) = state.tokens.keys().reload().and(audit_keys.unwrap_or(Ok(()))) {
            tracing::error!(%error, "cannot reload the signing keys; the loaded ones stay in use");
        }
    }
}

fn print_banner(address: &str, demo: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "\nPostern is running at {address}\n  Swagger UI  {address}/docs/\n  OpenAPI     \
         {address}/openapi.json\n"
    )?;
    if demo {
        writeln!(out, "Demo accounts, password {}:", demo::PASSWORD)?;
        for (group, emails) in demo::sign_ins() {
            writeln!(out, "  {group:<22} {}", emails.join("  "))?;
        }
        writeln!(out)?;
    }
    out.flush()
}
