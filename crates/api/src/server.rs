//! The server: the app that every worker runs, and its life from the first connection to the last.

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use actix_cors::Cors;
use actix_web::{App, HttpServer, dev::ServerHandle, middleware, web};
use tracing_actix_web::TracingLogger;

use crate::{
    docs::Docs,
    http::{self, Asset, document},
    routes,
    spans::RootSpan,
    state::State,
};

/// The contract as JSON, as `GET /openapi.json` gives it: keys in a stable order, a line each.
#[must_use]
pub fn openapi() -> String {
    let mut text = serde_json::to_string_pretty(&document::document(&routes()))
        .expect("a document is plain data");
    text.push('\n');
    text
}

/// A server that accepts connections.
pub struct Server {
    state: Arc<State>,
    running: actix_web::dev::Server,
}

impl Server {
    /// Starts on a socket that is bound already.
    pub fn start(state: Arc<State>, listener: TcpListener) -> io::Result<Self> {
        let routes = Arc::new(routes());
        let contract = Asset::new("application/json", openapi());
        let docs = Docs::new();
        let config = state.server.clone();
        let app_state = web::Data::from(Arc::clone(&state));
        let origins = config.cors_origins.clone();
        let app = move || {
            let (routes, docs) = (Arc::clone(&routes), docs.clone());
            App::new()
                .app_data(app_state.clone())
                .configure(move |config| routes.configure(config))
                .service(contract.clone().at("/openapi.json"))
                .configure(move |config| docs.configure(config))
                .default_service(web::to(http::not_found))
                .wrap(middleware::Compress::default())
                .wrap(middleware::Condition::new(!origins.is_empty(), cors(&origins)))
                .wrap(middleware::from_fn(http::in_our_own_words))
                .wrap(TracingLogger::<RootSpan>::new())
                .wrap(middleware::from_fn(http::request_info_middleware))
        };
        let workers = match config.workers {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            workers => workers,
        };
        let running = HttpServer::new(app)
            .workers(workers)
            .client_request_timeout(config.request_timeout())
            .client_disconnect_timeout(Duration::from_secs(2))
            .keep_alive(Duration::from_secs(config.keep_alive_seconds))
            .shutdown_timeout(config.shutdown_timeout_seconds)
            // Whoever has hung up is noticed, even where there is nothing to send them.
            .h1_allow_half_closed(false)
            .disable_signals()
            .listen(listener)?
            .run();
        Ok(Self { state, running })
    }

    /// What stops it from elsewhere.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle { state: Arc::clone(&self.state), server: self.running.handle() }
    }

    /// Serves until it is stopped.
    pub async fn run(self) -> io::Result<()> {
        self.running.await
    }
}

/// Stops a server.
#[derive(Clone)]
pub struct Handle {
    state: Arc<State>,
    server: ServerHandle,
}

impl Handle {
    /// Says that it is not ready, lets those who ask see it, takes no more connections, and finishes what is running.
    pub async fn stop(self) {
        self.state.stop();
        tokio::time::sleep(Duration::from_secs(self.state.server.drain_seconds)).await;
        self.server.stop(true).await;
    }
}

/// Lets pages of these origins call from a browser, without cookies: there are none.
fn cors(origins: &[String]) -> Cors {
    let told = [
        "content-disposition",
        "deprecation",
        "etag",
        "idempotency-replayed",
        "link",
        "location",
        "retry-after",
        "sunset",
        "www-authenticate",
        "x-request-id",
    ];
    let taken = [
        "accept",
        "authorization",
        "content-type",
        "idempotency-key",
        "if-match",
        "if-none-match",
        "last-event-id",
        "traceparent",
        "tracestate",
        "x-request-id",
    ];
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers(taken)
        .expose_headers(told)
        .max_age(600);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}
