//! docs/frontend.md: the front end, compiled, and run in a browser on an origin of its own.

use std::{os::unix::fs::symlink, process::Command};

use chrono::TimeDelta;
use postern_api::config::LOOPBACK_ORIGINS;
use postern_tests::{App, PASSWORD, tests_on};

use super::{block, output_of, shell};
use crate::{
    audit::start_worker,
    contract::{KillOnDrop, contract_folder, tools},
};

tests_on! { browser, Sqlite: documented_front_end_works }

/// The origins are those that the demo allows (`demo_allows_pages_on_localhost`).
async fn documented_front_end_works(t: &App) {
    let origins = LOOPBACK_ORIGINS.map(str::to_owned);
    let server = App::start(t.backend, |config| config.server.cors_origins = origins.into()).await;
    let _worker = KillOnDrop(start_worker(&server));
    let folder = server.folder.path().join("frontend");
    std::fs::create_dir(&folder).expect("the directory is created");
    symlink(tools().join("node_modules"), folder.join("node_modules")).expect("a link is created");
    let types = block("frontend-types").replace("http://localhost:8080", &server.address);
    output_of(shell(&types, &folder)).await;
    let tokens = server.log_in("owner@acme.example", PASSWORD).await.expect(200).body;
    server.clock.advance(TimeDelta::minutes(11));
    let mut command = Command::new(contract_folder().join("frontend.sh"));
    command.args([&server.address, &tokens]).current_dir(&folder);
    let output = output_of(command).await;
    assert!(output.contains("all tasks succeeded"), "the front end works: {output}");
    server.finish().await;
}
