//! Drift of row-level security, caused by a superuser: the checks of `doctor`, start-up and
//! `/readyz` detect it, and `postern migrate` repairs it where possible.

mod extensions;
mod objects;
mod roles;

use postern_domain::clock::{Clock, SystemClock};
use postern_persistence::{Fault, Options, Store, schema};
use postern_tests::{App, on_postgres};

// Over the server's connection, directly and through PgBouncer.
on_postgres![
    migrated_database_has_no_faults,
    clock_difference_is_detected,
    readyz_reports_a_missing_policy,
];

/// Faults that the checks detect. `options` are those of the server.
pub async fn faults(options: &Options) -> Vec<Fault> {
    let store = Store::connect(options).await.expect("the database opens");
    let faults = schema::examine(&store, SystemClock.now()).await.expect("the checks run");
    store.close().await;
    faults
}

async fn migrated_database_has_no_faults(t: &App) {
    assert_eq!(faults(&t.db.options()).await, [], "the database has no faults");
}

async fn clock_difference_is_detected(t: &App) {
    let store = Store::connect(&t.db.options()).await.expect("the database opens");
    for difference in [chrono::TimeDelta::seconds(-60), chrono::TimeDelta::seconds(60)] {
        let detected =
            schema::examine(&store, SystemClock.now() + difference).await.expect("the checks run");
        assert!(
            detected.len() == 1 && detected[0].check.name() == "clock",
            "only the check `clock` fails: {detected:?}"
        );
    }
    store.close().await;
}

async fn readyz_reports_a_missing_policy(t: &App) {
    t.db.execute("DROP POLICY tenant ON membership").await.expect("the statement runs");
    let response = t.anonymous().get("/readyz").await.problem(503, "unavailable");
    assert!(
        response.text("/detail").contains("policies"),
        "the problem names the failed check: {}",
        response.body
    );
}
