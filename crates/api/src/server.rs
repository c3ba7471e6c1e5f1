//! The HTTP server: the app that each worker runs, start and graceful shutdown.

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use actix_web::{App, HttpServer, dev::ServerHandle, middleware, web};
use serde_json::Value;
use tracing_actix_web::TracingLogger;

use crate::{
    docs::Docs,
    http::{self, Asset, document},
    routes::routes,
    spans::RootSpan,
    state::State,
};

/// The OpenAPI document as `GET /openapi.json` returns it with the default `public_url`: indented,
/// with keys in a stable order.
#[must_use]
pub fn openapi() -> String {
    json_text(&document::golden(&routes()))
}

/// The same document in OpenAPI 3.0.3, as `GET /openapi-3.0.json` returns it.
#[must_use]
pub fn openapi_3_0() -> String {
    json_text(&document::openapi_3_0::convert(document::golden(&routes())))
}

fn json_text(document: &Value) -> String {
    format!("{document:#}\n")
}

/// A server that accepts connections on its socket.
pub struct Server {
    state: Arc<State>,
    running: actix_web::dev::Server,
}

impl Server {
    /// Starts the server on a bound socket.
    pub fn start(state: Arc<State>, listener: TcpListener) -> io::Result<Self> {
        let routes = Arc::new(routes());
        let document = document::document(&routes, &state.server.public_url);
        let contract = Asset::new("application/json", json_text(&document));
        let contract_3_0 = document::openapi_3_0::convert(document);
        let contract_3_0 = Asset::new("application/json", json_text(&contract_3_0));
        let docs = Docs::new(&routes);
        let problem_operations = web::Data::new(http::ProblemOperations::new(&routes));
        let config = state.server.clone();
        let app_state = web::Data::from(Arc::clone(&state));
        let https = config.public_url.starts_with("https:");
        let app = move || {
            let (routes, docs) = (Arc::clone(&routes), docs.clone());
            App::new()
                .app_data(app_state.clone())
                .app_data(problem_operations.clone())
                .configure(move |config| routes.configure(config))
                .service(contract.clone().at("/openapi.json"))
                .service(contract_3_0.clone().at("/openapi-3.0.json"))
                .configure(move |config| docs.configure(config))
                .default_service(web::to(http::not_found))
                .wrap(middleware::Compress::default())
                .wrap(http::cors(&app_state.server))
                .wrap(middleware::from_fn(http::problem_for_middleware_errors))
                .wrap(TracingLogger::<RootSpan>::new())
                .wrap(http::security_headers(https))
                .wrap(middleware::from_fn(http::request_info_middleware))
                .wrap(middleware::from_fn(http::base_path_middleware))
                .wrap(middleware::from_fn(http::close_connections_while_stopping))
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
            // Detects that a client has disconnected even while there is nothing to send.
            .h1_allow_half_closed(false)
            .disable_signals()
            .listen(listener)?
            .run();
        Ok(Self { state, running })
    }

    /// Handle to stop the server from another task.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle { state: Arc::clone(&self.state), server: self.running.handle() }
    }

    /// Serves requests until stopped.
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
    /// Reports that the server is not ready, waits `drain_seconds` for load balancers to notice,
    /// stops accepting connections, and finishes the running requests.
    pub async fn stop(self) {
        self.state.stop();
        tokio::time::sleep(Duration::from_secs(self.state.server.drain_seconds)).await;
        self.server.stop(true).await;
    }
}
