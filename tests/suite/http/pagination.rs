//! Links between pages (RFC 8288).

use postern_tests::{App, Response, on_both};

on_both![pages_link_to_next_and_previous];

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
