//! `read_readiness`.

use futures_util::future::join;
use postern_tests::{App, on_both};

on_both![readyz_fails_while_draining];

async fn readyz_fails_while_draining(t: &App) {
    let draining = App::start(t.backend, |config| config.server.drain_seconds = 3).await;
    draining.anonymous().get("/readyz").await.expect(200);
    let poll = async {
        while draining.anonymous().get("/readyz").await.status == 200 {}
        draining.anonymous().get("/readyz").await.problem(503, "unavailable");
        draining.anonymous().get("/healthz").await.expect(200);
    };
    join(draining.handle().stop(), poll).await;
    draining.finish().await;
}
