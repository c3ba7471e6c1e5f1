//! `postern serve` and `postern work`: what runs until somebody tells it to stop.

use std::{
    io::{self, Write},
    net::TcpListener,
    sync::Arc,
    time::Duration,
};

use postern_api::{Server, State};
use postern_domain::{
    chain,
    clock::{Clock, SystemClock},
};
use postern_persistence::{Store, demo, schema};
use postern_worker::Worker;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::{
    commands::{Done, load_demo, open},
    config::Config,
    doctor,
};

/// What happens without a request, until `stop` says so.
fn worker(config: &Config, store: Arc<Store>) -> Worker {
    Worker {
        store,
        clock: Arc::new(SystemClock),
        interval: Duration::from_millis(config.audit.pump_interval_milliseconds),
    }
}

/// `postern work`.
pub async fn work(config: &Config) -> Done {
    let store = open(config).await?;
    let faults = schema::examine(&store, SystemClock.now()).await?;
    if !faults.is_empty() {
        return Err(format!("refusing to work:{}", doctor::told(&faults)).into());
    }
    worker(config, Arc::clone(&store)).run(stops_on_signal()?).await;
    store.close().await;
    Ok(())
}

/// Turns true when somebody tells the process to stop.
fn stops_on_signal() -> io::Result<watch::Receiver<bool>> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tell.send_replace(true);
    });
    Ok(told)
}

/// `postern serve`.
pub async fn serve(config: Config, demo: bool, works: bool) -> Done {
    let store = open(&config).await?;
    let faults = doctor::examine(&config, &store, demo).await?;
    if !faults.is_empty() {
        return Err(format!("refusing to serve:{}", doctor::told(&faults)).into());
    }
    if demo {
        load_demo(&config, &store).await?;
    }
    let listener = TcpListener::bind(&config.api.server.listen)
        .map_err(|error| format!("{}: {error}", config.api.server.listen))?;
    let address = config.api.server.public_url.clone();
    let own = store.separate_pool(&config.store_options(SystemClock.now())?).await?;
    let worker = works.then(|| worker(&config, Arc::clone(&own)));
    let state = Arc::new(State::new(config.api, Arc::clone(&store), Arc::new(SystemClock))?);
    let server = Server::start(Arc::clone(&state), listener)?;
    let handle = server.handle();
    let mut stop = stops_on_signal()?;
    tokio::spawn(async move {
        if stop.wait_for(|stop| *stop).await.is_ok() {
            tracing::info!("finishing what is running, then stopping");
            handle.stop().await;
        }
    });
    tokio::spawn(watch_keys(state));
    tokio::spawn(hear(Arc::clone(&own)));
    // It goes on while what is running finishes, so that what that records has its place in the log.
    let (rest, resting) = watch::channel(false);
    let working = worker.map(|worker| tokio::spawn(worker.run(resting)));
    // Nobody may be reading; that is no reason not to serve.
    if let Err(error) = welcome(&address, demo) {
        tracing::warn!(%error, "nobody was told where this server is");
    }
    server.run().await?;
    rest.send_replace(true);
    if let Some(working) = working {
        working.await?;
    }
    own.close().await;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// What other processes say of the log, for those who follow it here. Where nothing gets through, they look by themselves.
async fn hear(store: Arc<Store>) {
    loop {
        if let Err(error) = store.listen().await {
            tracing::debug!(
                error = chain(&error),
                "nothing is heard from other processes for a while"
            );
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

/// Somebody may have rotated the signing keys, on this machine or on another that shares the folder.
async fn watch_keys(state: Arc<State>) {
    let mut minutes = tokio::time::interval(std::time::Duration::from_mins(1));
    loop {
        minutes.tick().await;
        let audit_keys = state.store.audit_keys().map(|audit_keys| audit_keys.reload());
        if let Err(error) = state.tokens.keys().reload().and(audit_keys.unwrap_or(Ok(()))) {
            tracing::error!(%error, "the signing keys cannot be read again; those read before stay in use");
        }
    }
}

fn welcome(address: &str, demo: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "\nPostern is serving on {address}\n  Swagger UI    {address}/docs/\n  the contract  {address}/openapi.json\n"
    )?;
    if demo {
        writeln!(out, "Demo sign-ins, all with the password {}:", demo::PASSWORD)?;
        for (who, emails) in demo::sign_ins() {
            writeln!(out, "  {who:<22} {}", emails.join("  "))?;
        }
        writeln!(out)?;
    }
    out.flush()
}
