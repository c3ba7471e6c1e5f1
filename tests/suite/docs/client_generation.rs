//! docs/integrate.md: generation of clients.

use postern_tests::{App, tests_on};

use super::{block, output_of, shell};
use crate::contract::tools;

tests_on! { sqlite, Sqlite: documented_client_generation_works }

async fn documented_client_generation_works(t: &App) {
    let tools = tools();
    let script = block("clients").replace("http://localhost:8080", &t.address);
    let mut command = shell(&script, t.folder.path());
    let path = std::env::var("PATH").expect("PATH is set");
    command.env("PATH", format!("{0}/node_modules/.bin:{0}/python/bin:{path}", tools.display()));
    output_of(command).await;
    assert!(
        t.folder.path().join("postern.d.ts").is_file()
            && t.folder.path().join("postern_client/client.py").is_file(),
        "both clients are generated"
    );
}
