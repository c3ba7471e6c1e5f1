//! `list_my_sessions`.

use postern_tests::{App, on_both};
use serde_json::json;

on_both![sessions_are_listed_in_pages];

async fn sessions_are_listed_in_pages(t: &App) {
    let current = t.sign_in("member@acme.example").await;
    t.sign_in("member@acme.example").await;
    let first_page = current.get("/v1/me/sessions?limit=1").await.expect(200);
    let (newest, cursor) = (first_page.text("/data/0/id"), first_page.text("/next_cursor"));
    let rest = current.get(&format!("/v1/me/sessions?limit=1&cursor={cursor}")).await.expect(200);
    assert_eq!(rest.json["next_cursor"], json!(null), "the second page is the last");
    assert_ne!(rest.text("/data/0/id"), newest, "the second page lists another session");
}
