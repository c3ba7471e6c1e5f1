//! Shutdown of the server.

use std::sync::Arc;

use futures_util::future::join;
use postern_tests::{App, PASSWORD, on_both};

on_both![shutdown_finishes_running_requests];

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
