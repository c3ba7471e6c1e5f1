//! Lists of audit events: filters, paging, and events that staff read.

use postern_tests::{App, Person, Response, on_both};
use serde_json::json;

on_both![
    filters_are_combined_with_and,
    filters_ignore_case_and_surrounding_spaces,
    blank_filters_are_ignored,
    list_is_json_only,
    invalid_filters_are_rejected,
    list_contains_no_events_of_other_orgs,
    staff_read_own_or_all_events,
    events_page_from_newest_to_oldest,
];

/// Changes acme's name as support under impersonation at 09:00, and as its owner at 09:01. Returns
/// the owner and the ids of the impersonation and the staff member.
async fn rename_acme_twice(t: &App) -> (Person<'_>, String, String) {
    let support = t.sign_in("support@postern.example").await;
    let (target, started) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    target.patch("/v1/orgs/acme", json!({ "name": "Acme One" })).await.expect(200);
    t.clock.advance(chrono::TimeDelta::minutes(1));
    let owner = t.sign_in("owner@acme.example").await;
    owner.patch("/v1/orgs/acme", json!({ "name": "Acme Two" })).await.expect(200);
    let text = |pointer: &str| {
        let field = started["impersonation"].pointer(pointer).and_then(|field| field.as_str());
        field.expect("the field is a string").to_owned()
    };
    (owner, text("/id"), text("/staff/id"))
}

async fn filters_are_combined_with_and(t: &App) {
    let (owner, impersonation, staff) = rename_acme_twice(t).await;
    for (query, expected) in [
        ("action=org.updated".to_owned(), 2),
        ("action=org.*".to_owned(), 3),
        ("action=org.updated&actor=support@postern.example".to_owned(), 1),
        (format!("action=org.updated&actor={staff}"), 1),
        ("action=org.updated&on_behalf_of=owner@acme.example".to_owned(), 1),
        (format!("impersonation={impersonation}"), 3),
        ("ticket_ref=SUP-4312".to_owned(), 3),
        ("target=acme&action=org.updated".to_owned(), 2),
        ("outcome=denied".to_owned(), 0),
        ("q=acme two".to_owned(), 1),
        ("from=2026-11-20T09:01:00Z".to_owned(), 1),
        ("to=2026-11-20T09:01:00Z&action=org.updated".to_owned(), 1),
        ("ip=127.0.0.1&action=org.updated".to_owned(), 2),
        ("ip=203.0.113.9".to_owned(), 0),
    ] {
        let page =
            owner.get(&format!("/v1/orgs/acme/audit-events?limit=100&{query}")).await.expect(200);
        let events = page.json["data"].as_array().map_or(0, Vec::len);
        assert_eq!(events, expected, "number of events for {query}");
    }
}

/// A filter matches what it would match without surrounding spaces and in the case of its values.
async fn filters_ignore_case_and_surrounding_spaces(t: &App) {
    let (owner, impersonation, staff) = rename_acme_twice(t).await;
    let acme = owner.get("/v1/orgs/acme").await.expect(200).text("/id");
    for (plain, variant) in [
        (
            "actor=support@postern.example".to_owned(),
            "actor=%20Support@Postern.Example ".to_owned(),
        ),
        (format!("actor={staff}"), format!("actor=%09{staff}%20")),
        ("on_behalf_of=owner@acme.example".to_owned(), "on_behalf_of= OWNER@acme.example".into()),
        ("target=owner@acme.example".to_owned(), "target=%20Owner@ACME.example%20".to_owned()),
        ("target=acme".to_owned(), "target=%20Acme".to_owned()),
        (format!("target={acme}"), format!("target=%20{acme}%20")),
        ("target=update_org".to_owned(), "target=update_org%0A".to_owned()),
        ("target=PATCH /v1/orgs/acme".to_owned(), "target=PATCH /v1/orgs/acme ".to_owned()),
        ("ticket_ref=SUP-4312".to_owned(), "ticket_ref=sup-4312".to_owned()),
        ("ticket_ref=SUP-4312".to_owned(), "ticket_ref=%20Sup-4312%20".to_owned()),
        ("action=org.updated".to_owned(), "action=%20org.updated%20".to_owned()),
        ("outcome=succeeded".to_owned(), "outcome=succeeded%20".to_owned()),
        (format!("impersonation={impersonation}"), format!("impersonation=%20{impersonation}")),
        ("ip=127.0.0.1".to_owned(), "ip=%20127.0.0.1".to_owned()),
        ("q=acme two".to_owned(), "q=%20Acme Two%20".to_owned()),
        ("from=2026-11-20T09:01:00Z".to_owned(), "from=%202026-11-20T09:01:00Z".to_owned()),
    ] {
        let events = async |query: &str| {
            let path = format!("/v1/orgs/acme/audit-events?limit=100&{query}");
            owner.get(&path).await.expect(200).json["data"].clone()
        };
        let expected = events(&plain).await;
        assert_ne!(expected, json!([]), "{plain} matches an event");
        assert_eq!(events(&variant).await, expected, "{variant} matches what {plain} matches");
    }
}

async fn blank_filters_are_ignored(t: &App) {
    let (owner, ..) = rename_acme_twice(t).await;
    let all = owner.get("/v1/orgs/acme/audit-events").await.expect(200).json["data"].clone();
    for name in [
        "actor",
        "action",
        "target",
        "on_behalf_of",
        "outcome",
        "ticket_ref",
        "impersonation",
        "ip",
        "from",
        "to",
        "q",
    ] {
        for blank in ["", "%20", "%09%E2%80%83"] {
            let path = format!("/v1/orgs/acme/audit-events?{name}={blank}");
            assert_eq!(
                owner.get(&path).await.expect(200).json["data"],
                all,
                "{name} is ignored if it is blank ({blank:?})"
            );
        }
    }
    owner.get("/v1/orgs/acme/audit-events/export?actor=%20").await.expect(200);
    let exported = owner.get("/v1/orgs/acme/audit-events?action=audit.exported").await.expect(200);
    assert_eq!(
        exported.json["data"][0]["metadata"]["filter"],
        json!({}),
        "an export with a blank filter is recorded as an export of the whole log"
    );
}

/// A client that accepts no JSON gets 406, not another media type than it expects.
async fn list_is_json_only(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let engineer = t.sign_in("eng@postern.example").await;
    for (caller, path) in
        [(&owner, "/v1/orgs/acme/audit-events"), (&engineer, "/v1/admin/audit-events")]
    {
        let get = async |accept: &str| {
            Response::of(caller.request("GET", path).header("accept", accept).send().await).await
        };
        for accept in ["text/csv", "application/x-ndjson", "text/csv, application/json;q=0"] {
            let problem = get(accept).await.problem(406, "not_acceptable");
            assert!(
                problem.text("/detail").contains("/audit-events/export"),
                "the problem names the export: {}",
                problem.body
            );
        }
        for accept in ["text/csv, application/json;q=0.1", "text/csv, */*;q=0.1", "application/*"] {
            let page = get(accept).await.expect(200);
            assert!(page.json["data"].is_array(), "{accept} gets a page: {}", page.body);
        }
    }
    assert_eq!(t.recorded("audit.exported").await, 0, "nothing was exported");
}

async fn invalid_filters_are_rejected(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    for invalid in [
        "action=org",
        "action=*",
        "outcome=maybe",
        "from=yesterday",
        "from=-4714-01-01T00:00:00Z",
        "to=%2B262142-12-31T23:59:59Z",
        "ip=here",
        "impersonation=x",
        "color=red",
        "q=a&q=b",
        "q=%00",
    ] {
        owner
            .get(&format!("/v1/orgs/acme/audit-events?{invalid}"))
            .await
            .problem(400, "invalid_query");
    }
}

async fn list_contains_no_events_of_other_orgs(t: &App) {
    let (owner, impersonation, _) = rename_acme_twice(t).await;
    let event = owner
        .get("/v1/orgs/acme/audit-events?action=org.updated")
        .await
        .expect(200)
        .text("/data/0/id");
    assert_eq!(
        owner.get(&format!("/v1/orgs/acme/audit-events/{event}")).await.expect(200).text("/id"),
        event,
        "the event is returned by its id"
    );
    let other = t.sign_in("owner@globex.example").await;
    other.get(&format!("/v1/orgs/globex/audit-events/{event}")).await.problem(404, "not_found");
    assert_eq!(
        other
            .get(&format!("/v1/orgs/globex/audit-events?impersonation={impersonation}"))
            .await
            .expect(200)
            .json["data"],
        json!([]),
        "another org's log has no event of the impersonation"
    );
}

async fn staff_read_own_or_all_events(t: &App) {
    let (support, eng) =
        (t.sign_in("support@postern.example").await, t.sign_in("eng@postern.example").await);
    t.sign_in("ops@postern.example").await;
    let support_events = support.get("/v1/admin/audit-events").await.expect(200).json;
    assert!(
        support_events["data"]
            .as_array()
            .expect("data is an array")
            .iter()
            .all(|event| event["actor"]["email"] == "support@postern.example"),
        "support reads only its own events"
    );
    let of_others = "/v1/admin/audit-events?actor=ops@postern.example";
    assert_eq!(
        support.get(of_others).await.expect(200).json["data"],
        json!([]),
        "support reads no events of others"
    );
    assert_ne!(
        eng.get(of_others).await.expect(200).json["data"],
        json!([]),
        "engineering reads events of others"
    );
    t.sign_in("owner@acme.example")
        .await
        .get("/v1/admin/audit-events")
        .await
        .problem(403, "permission_denied");
}

async fn events_page_from_newest_to_oldest(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    for n in 0..7 {
        owner.patch("/v1/orgs/acme", json!({ "name": format!("Acme {n}") })).await.expect(200);
    }
    let (mut ids, mut path) =
        (Vec::new(), "/v1/orgs/acme/audit-events?action=org.updated&limit=3".to_owned());
    loop {
        let page = owner.get(&path).await.expect(200);
        ids.extend(
            page.json["data"]
                .as_array()
                .expect("data is an array")
                .iter()
                .map(|event| event["id"].to_string()),
        );
        let Some(cursor) = page.json["next_cursor"].as_str() else { break };
        path = format!("/v1/orgs/acme/audit-events?action=org.updated&limit=3&cursor={cursor}");
    }
    assert_eq!(ids.len(), 7, "all 7 events are listed");
    assert!(ids.windows(2).all(|pair| pair[0] > pair[1]), "each event appears once, newest first");
    // `prev_cursor` leads back over the same events.
    let mut back = Vec::new();
    let mut page = owner.get(&path).await.expect(200).json;
    loop {
        let mut rows: Vec<String> = page["data"]
            .as_array()
            .expect("data is an array")
            .iter()
            .map(|event| event["id"].to_string())
            .collect();
        rows.append(&mut back);
        back = rows;
        let Some(cursor) = page["prev_cursor"].as_str() else { break };
        page = owner
            .get(&format!("/v1/orgs/acme/audit-events?action=org.updated&limit=3&cursor={cursor}"))
            .await
            .expect(200)
            .json;
    }
    assert_eq!(back, ids, "paging back returns the same events");
}
