//! The README's tour, run as it stands.

use std::process::Command;

use postern_tests::{App, on_both};

on_both![the_tour_works_as_printed];

async fn the_tour_works_as_printed(t: &App) {
    let readme = include_str!("../../README.md");
    let tour = readme.split("<!-- tour").nth(1).and_then(|rest| rest.split("```sh\n").nth(1)).and_then(|rest| rest.split("```").next());
    let tour = tour.expect("the README has a tour").replace("http://127.0.0.1:8080", &t.address);
    let output =
        tokio::task::spawn_blocking(move || Command::new("sh").args(["-eu", "-c", &tour]).output().expect("a shell")).await.expect("runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for expected in [
        "\"members_by_role\"",
        "\"role\":\"member\"",
        "Sam Okoro of support is acting as Ana Costa",
        "\"code\":\"impersonation_blocked\"",
        "Sam Okoro (support), as Ana Costa, changed viewer@acme.example from member to viewer",
        "Sam Okoro (support), as Ana Costa, was denied change_password (impersonation_blocked)",
    ] {
        assert!(said.contains(expected), "{expected} is not in {said}");
    }
}
