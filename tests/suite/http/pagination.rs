//! Links between pages (RFC 8288), and pages whose rows were removed.

use postern_tests::{App, Response, on_both};
use serde_json::{Value, json};

on_both![pages_link_to_next_and_previous, empty_pages_lead_back];

async fn pages_link_to_next_and_previous(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let first = owner.get("/v1/orgs/acme/members?limit=1&q=acme").await.expect(200);
    let next = link(&first, "next").expect("the first page links to the next");
    assert!(
        link(&first, "prev").is_none() && next.contains("q=acme"),
        "the first page has no previous page, and the next link keeps the filter: {next}"
    );
    let second = owner.get(&next).await.expect(200);
    assert_ne!(second.json["data"], first.json["data"], "the second page differs from the first");
    let back = owner
        .get(&link(&second, "prev").expect("the second page links to the previous"))
        .await
        .expect(200);
    assert_eq!(back.json["data"], first.json["data"], "the previous link leads to the first page");
    assert!(
        !owner.get("/v1/orgs/acme/members?q=unmatched").await.expect(200).has_header("link"),
        "an empty page has no links"
    );
    // A percent-encoded `cursor` parameter is replaced in the next link, not repeated.
    let encoded = next.replace("cursor=", "%63ursor=");
    let third =
        link(&owner.get(&encoded).await.expect(200), "next").expect("the page links to the next");
    assert_eq!(third.matches("ursor=").count(), 1, "the next link has one cursor: {third}");
    owner.get(&third).await.expect(200);
}

/// Target of the link with this relation in the `Link` header (RFC 8288).
fn link(response: &Response, relation: &str) -> Option<String> {
    let links = response.header("link");
    let entry = links.split(", ").find(|link| link.ends_with(&format!("rel=\"{relation}\"")))?;
    Some(entry.split(['<', '>']).nth(1)?.to_owned())
}

/// Callers and lists in which one row, the newest or the oldest, stays; and SQL that removes the
/// others.
const LISTS: [(&str, &str, &str); 3] = [
    (
        "viewer@acme.example",
        "/v1/orgs/acme/members",
        "DELETE FROM membership WHERE role IN ('member', 'admin', 'owner')",
    ),
    (
        "owner@globex.example",
        "/v1/orgs/globex/members",
        "DELETE FROM membership WHERE role IN ('member', 'admin', 'viewer')",
    ),
    (
        "eng@postern.example",
        "/v1/me/sessions",
        "UPDATE session SET ended_at = created_at WHERE id <> (SELECT s.id FROM session s JOIN \
         \"user\" u ON u.id = s.user_id WHERE u.email = 'eng@postern.example' ORDER BY s.id DESC \
         LIMIT 1)",
    ),
];

/// If the rows behind a cursor are removed, the page is empty, and leads back to the page that the
/// cursor came from.
async fn empty_pages_lead_back(t: &App) {
    for (email, path, removal) in LISTS {
        let server = App::start(t.backend, |_| {}).await;
        for _ in 0..2 {
            server.sign_in(email).await;
        }
        let caller = server.sign_in(email).await;
        let page = |cursor: String| {
            let (caller, path) = (&caller, format!("{path}?limit=1&cursor={cursor}"));
            async move { caller.get(&path).await.expect(200) }
        };
        let first = caller.get(&format!("{path}?limit=1")).await.expect(200);
        let mut last = page(first.text("/next_cursor")).await;
        while last.json["next_cursor"].is_string() {
            last = page(last.text("/next_cursor")).await;
        }
        server.run_sql(removal).await;
        let only = caller.get(path).await.expect(200);
        let (there, back, cursor) = if only.json["data"] == first.json["data"] {
            ("/next_cursor", "/prev_cursor", first.text("/next_cursor"))
        } else {
            assert_eq!(only.json["data"], last.json["data"], "{path}: one row is left");
            ("/prev_cursor", "/next_cursor", last.text("/prev_cursor"))
        };
        let empty = page(cursor).await;
        assert_eq!(empty.json["data"], json!([]), "{path}: the page is empty");
        assert_eq!(empty.json.pointer(there), Some(&Value::Null), "{path}: the list ends here");
        assert!(empty.has_header("link"), "{path}: the empty page has a link");
        let returned = page(empty.text(back)).await;
        assert_eq!(returned.json["data"], only.json["data"], "{path}: the way back is kept");
        server.finish().await;
    }
}
