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

/// The test programs run the recipes of the table.
#[test]
fn recipes_for_null_are_those_of_the_programs() {
    let programs = [
        include_str!("../../contract/typescript/main.ts"),
        include_str!("../../contract/python/main_job.py"),
        include_str!("../../contract/rust/src/main.rs"),
    ];
    for (program, recipe) in programs.into_iter().zip([
        "patch({ support_email: null })",
        "UpdateSettingsBody(support_email=None)",
        r#".json(&json!({ "support_email": null }))"#,
    ]) {
        let document = include_str!("../../../docs/integrate.md");
        assert!(document.contains(recipe), "docs/integrate.md has the recipe {recipe}");
        assert!(program.contains(recipe), "a test program runs the recipe {recipe}");
    }
}
