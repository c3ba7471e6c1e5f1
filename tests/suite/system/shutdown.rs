//! Shutdown of the server.

use std::sync::Arc;

use futures_util::future::join;
use postern_tests::{App, PASSWORD, on_both};

on_both![shutdown_finishes_running_requests, connections_are_closed_while_stopping];

async fn shutdown_finishes_running_requests(t: &App) {
    let slow = App::start(t.backend, |config| {
        config.passwords.memory_kib = 19_456;
        config.passwords.max_concurrent_hashes = 1;
    })
    .await;
    // Demo accounts have cheap hashes; the sign-in of an unknown user computes an expensive one.
    let sign_in = slow.log_in("unknown@acme.example", PASSWORD);
    let state = Arc::clone(&slow.state);
    let stop = async {
        // Waits until the request has sent a statement.
        let before = state.store.statements();
        while state.store.statements() == before {
            tokio::task::yield_now().await;
        }
        slow.handle().stop().await;
    };
    let (response, ()) = join(sign_in, stop).await;
    response.problem(401, "invalid_credentials");
    assert!(state.is_stopping(), "the server is stopping");
    slow.finish().await;
}

/// A client could lose a request that it sends on a connection which the server closes.
async fn connections_are_closed_while_stopping(t: &App) {
    let server = App::start(t.backend, |config| config.server.drain_seconds = 1).await;
    let me = server.sign_in("owner@acme.example").await;
    let before = me.get("/v1/me").await.expect(200);
    assert_ne!(before.header("connection"), "close", "connections are kept");
    let requests = async {
        while !server.state.is_stopping() {
            tokio::task::yield_now().await;
        }
        for path in ["/v1/me", "/v1/orgs/missing", "/docs/"] {
            let response = me.get(path).await;
            assert_eq!(response.header("connection"), "close", "{path} closes the connection");
        }
    };
    join(server.handle().stop(), requests).await;
    server.finish().await;
}
