//! Tenant isolation sweep: sends every operation with another org's id in every parameter and field
//! that takes an id, as a member of an org and as support impersonating that member. The response
//! equals the response for an id that does not exist, byte for byte.
//!
//! The operations come from the OpenAPI document, so new ones are included. The sweep fails on a
//! parameter or field that `prefix` does not know.

use std::collections::BTreeMap;

use postern_domain::{
    clock::Clock,
    id::{EventId, ImpersonationId, MemberId, OrgId, SessionId, UserId},
};
use postern_tests::{Answer, App, Person, on_all};
use serde_json::{Value, json};

on_all![
    ids_of_another_org_look_nonexistent,
    cursor_of_another_org_is_invalid,
    taken_slug_reveals_nothing_else
];

/// Values of the other org, each with a counterpart that does not exist.
struct Loot {
    /// IDs by prefix, such as `mem`: the other org's, and a random one.
    ids: BTreeMap<&'static str, (String, String)>,
    /// Other filter values: the other org's, and a nonexistent one.
    words: Vec<(String, String)>,
    /// Texts that no response may contain.
    markers: Vec<String>,
}

async fn loot(t: &App) -> Loot {
    let owner = t.log_in("owner@globex.example", postern_tests::PASSWORD).await.expect(200);
    let owner = t.bearer(&owner.text("/access_token"));
    let support = t.sign_in("support@postern.example").await;
    let target = t.user_id("member@globex.example").await;
    let body = json!({
        "target_user_id": target,
        "org": "globex",
        "reason": "cannot open the reports page",
        "ticket_ref": "GLX-7001",
    });
    let impersonation =
        support.post("/v1/admin/impersonations", body).await.expect(201).text("/impersonation/id");
    owner.patch("/v1/orgs/globex", json!({ "name": "Globex Worldwide" })).await.expect(200);
    let of_globex = |table: &str| {
        format!(
            "SELECT id FROM {table} WHERE org_id = (SELECT id FROM organization WHERE slug = \
             'globex') LIMIT 1"
        )
    };
    let org = t.db.uuid("SELECT id FROM organization WHERE slug = 'globex'").await;
    let session =
        t.db.uuid(
            "SELECT s.id FROM session s JOIN \"user\" u ON u.id = s.user_id WHERE u.email = \
             'owner@globex.example'",
        )
        .await;
    let (member, event) =
        (t.db.uuid(&of_globex("membership")).await, t.db.uuid(&of_globex("audit_event")).await);
    let impersonation: ImpersonationId = impersonation.parse().expect("the id is valid");
    let random_uuid = || t.state.ids.next::<()>(t.clock.now()).uuid();
    let ids = BTreeMap::from([
        ("org", (OrgId::new(org).to_string(), OrgId::new(random_uuid()).to_string())),
        ("user", (t.user_id("owner@globex.example").await, UserId::new(random_uuid()).to_string())),
        ("mem", (MemberId::new(member).to_string(), MemberId::new(random_uuid()).to_string())),
        ("sess", (SessionId::new(session).to_string(), SessionId::new(random_uuid()).to_string())),
        ("imp", (impersonation.to_string(), ImpersonationId::new(random_uuid()).to_string())),
        ("evt", (EventId::new(event).to_string(), EventId::new(random_uuid()).to_string())),
    ]);
    let words = [
        ("globex", "nowhere"),
        ("owner@globex.example", "owner@nowhere.example"),
        ("Gita Rao", "Unknown Rao"),
        ("GLX-7001", "GLX-0000"),
    ];
    let mut markers =
        ["lobex", "Gita", "Goran", "Marc Petit", "Viktor", "GLX-7001"].map(str::to_owned).to_vec();
    markers.extend(ids.values().map(|(existing, _)| existing.clone()));
    Loot {
        ids,
        words: words
            .map(|(existing, nonexistent)| (existing.to_owned(), nonexistent.to_owned()))
            .to_vec(),
        markers,
    }
}

/// An operation of the OpenAPI document.
pub struct Swept {
    pub method: String,
    pub path: String,
    /// Names of its string query parameters, without `cursor`.
    pub query: Vec<String>,
    body: Option<Value>,
    /// JSON pointers to the ids in the body.
    ids_in_body: Vec<String>,
    needs_nobody: bool,
}

pub async fn contract(t: &App) -> Vec<Swept> {
    let document = t.anonymous().get("/openapi.json").await.expect(200).json;
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths is an object") {
        for (method, operation) in methods.as_object().expect("a path is an object") {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let text = |parameter: &Value| parameter["schema"]["type"] != "integer";
            let query = parameters.iter().filter(|parameter| {
                parameter["in"] == "query" && parameter["name"] != "cursor" && text(parameter)
            });
            let body = operation.pointer("/requestBody/content/application~1json/example").cloned();
            let ids_in_body = body.as_ref().map(|body| ids_in(body, "")).unwrap_or_default();
            all.push(Swept {
                method: method.to_uppercase(),
                path: path.clone(),
                query: query
                    .map(|parameter| {
                        parameter["name"].as_str().expect("name is a string").to_owned()
                    })
                    .collect(),
                body,
                ids_in_body,
                needs_nobody: operation["security"].as_array().is_none_or(Vec::is_empty),
            });
        }
    }
    assert!(all.len() >= 40, "the document has at least 40 operations, not {}", all.len());
    all
}

/// JSON pointers to the ids in a body: fields named `…_id` or `org`, and strings that look like an
/// id.
fn ids_in(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| ids_in(value, &format!("{at}/{name}"))).collect()
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(n, value)| ids_in(value, &format!("{at}/{n}")))
            .collect(),
        Value::String(text) => {
            let name = at.rsplit('/').next().unwrap_or_default();
            let id = name.ends_with("_id")
                || name == "org"
                || text.split_once('_').is_some_and(|(_, rest)| rest.len() == 26);
            if id { vec![at.to_owned()] } else { Vec::new() }
        }
        _ => Vec::new(),
    }
}

/// ID prefix that a path parameter or body field of this name takes.
fn prefix(name: &str) -> &str {
    match name {
        "org" => "org",
        "member" => "mem",
        "event" => "evt",
        "session" => "sess",
        "impersonation" => "imp",
        "user" | "target_user_id" => "user",
        other => panic!("add the id prefix of {other} here"),
    }
}

async fn ids_of_another_org_look_nonexistent(t: &App) {
    let loot = loot(t).await;
    let contract = contract(t).await;
    let before = seen_by_its_owner(t).await;
    let support = t.sign_in("ops@postern.example").await;
    let callers = [
        t.sign_in("owner@acme.example").await,
        t.impersonate(&support, "owner@acme.example", "acme", "full").await.0,
    ];
    let mut tried = 0;
    // Filters first: later requests are recorded with their paths in the caller's log, and would
    // match.
    for caller in &callers {
        for operation in &contract {
            tried += sweep_query(&loot, caller, operation).await;
        }
    }
    for caller in &callers {
        for operation in &contract {
            tried += sweep_path(t, &loot, caller, operation).await;
            tried += sweep_body(&loot, caller, operation).await;
        }
    }
    assert!(tried > 250, "more than 250 parameters and fields are tried, not {tried}");
    assert_eq!(before, seen_by_its_owner(t).await, "the other org and its audit log are unchanged");
}

/// Response bodies of the read operations, as the other org's owner sees them.
async fn seen_by_its_owner(t: &App) -> Vec<String> {
    let owner = t.sign_in("owner@globex.example").await;
    let mut bodies = Vec::new();
    for resource in [
        "",
        "/members",
        "/settings",
        "/features",
        "/dashboard",
        "/impersonations",
        "/audit-events?limit=100",
    ] {
        bodies.push(owner.get(&format!("/v1/orgs/globex{resource}")).await.expect(200).body);
    }
    bodies
}

/// Path of the operation with `value` for the parameter `name`. `{org}` is the caller's org; other
/// ids are nonexistent ones.
fn path_with(
    operation: &Swept,
    name: &str,
    value: &str,
    ids: &BTreeMap<&'static str, (String, String)>,
) -> String {
    let filled = operation
        .path
        .replace(&format!("{{{name}}}"), value)
        .replace("{org}", "acme")
        .replace("{key}", "sso")
        .replace("{code}", "not_found")
        .replace("{level}", "0")
        .replace("{tile}", "000.p/1");
    let mut filled = filled;
    while let Some((head, rest)) = filled.split_once('{') {
        let (other, tail) = rest.split_once('}').expect("the path parameter is closed");
        filled = format!("{head}{}{tail}", ids[prefix(other)].1);
    }
    filled
}

async fn sweep_path(t: &App, loot: &Loot, caller: &Person<'_>, operation: &Swept) -> u32 {
    let names = operation
        .path
        .split('{')
        .skip(1)
        .map(|part| part.split('}').next().expect("the parameter has a name"));
    let mut tried = 0;
    for name in names.filter(|name| !["key", "code", "level", "tile"].contains(name)) {
        let (existing, nonexistent) = &loot.ids[prefix(name)];
        let mut pairs = vec![(existing.clone(), nonexistent.clone())];
        if name == "org" {
            pairs.push(("globex".to_owned(), "nowhere".to_owned()));
        }
        for (existing, nonexistent) in pairs {
            let denied = t.recorded("permission.denied").await;
            let response =
                send(caller, operation, &path_with(operation, name, &existing, &loot.ids)).await;
            let denials = t.recorded("permission.denied").await - denied;
            let reference =
                send(caller, operation, &path_with(operation, name, &nonexistent, &loot.ids)).await;
            same(
                loot,
                operation,
                (existing.as_str(), &response),
                (nonexistent.as_str(), &reference),
            );
            assert!(
                [403, 404].contains(&response.status),
                "{} {} is denied: {} {}",
                operation.method,
                operation.path,
                response.status,
                response.body
            );
            assert_eq!(
                denials, 1,
                "{} {}: one permission.denied event",
                operation.method, operation.path
            );
            tried += 1;
        }
    }
    tried
}

async fn sweep_query(loot: &Loot, caller: &Person<'_>, operation: &Swept) -> u32 {
    let path = path_with(operation, "org", "acme", &loot.ids);
    let mut tried = 0;
    for name in &operation.query {
        for (existing, nonexistent) in loot.ids.values().chain(&loot.words) {
            // Only the responses are compared: a rejected search is recorded in the caller's log.
            let with = |value: &str| {
                format!("{path}?{name}={}", value.replace('@', "%40").replace(' ', "%20"))
            };
            let (response, reference) = (
                send(caller, operation, &with(existing)).await,
                send(caller, operation, &with(nonexistent)).await,
            );
            same(
                loot,
                operation,
                (existing.as_str(), &response),
                (nonexistent.as_str(), &reference),
            );
            tried += 1;
        }
    }
    tried
}

async fn sweep_body(loot: &Loot, caller: &Person<'_>, operation: &Swept) -> u32 {
    let mut tried = 0;
    for pointer in &operation.ids_in_body {
        let name = pointer.rsplit('/').next().expect("the pointer ends with a name");
        let (existing, nonexistent) = &loot.ids[prefix(name)];
        let path = path_with(operation, "org", "acme", &loot.ids);
        let with = |value: &str| {
            let mut body = operation.body.clone().expect("the operation has a body");
            *body.pointer_mut(pointer).expect("the pointer resolves") = json!(value);
            body
        };
        let response = caller.send(&operation.method, &path, Some(with(existing))).await;
        let reference = caller.send(&operation.method, &path, Some(with(nonexistent))).await;
        same(loot, operation, (existing.as_str(), &response), (nonexistent.as_str(), &reference));
        assert!(
            (400..500).contains(&response.status),
            "{} {} is rejected: {}",
            operation.method,
            operation.path,
            response.body
        );
        tried += 1;
    }
    tried
}

async fn send(caller: &Person<'_>, operation: &Swept, path: &str) -> Answer {
    if operation.needs_nobody {
        return caller.send(&operation.method, path, None).await;
    }
    caller.send(&operation.method, path, operation.body.clone()).await
}

/// Asserts that both responses are equal except for the value that was sent, and contain no marker.
fn same(
    loot: &Loot,
    operation: &Swept,
    (sent, existing): (&str, &Answer),
    (nonexistent_sent, nonexistent): (&str, &Answer),
) {
    let request = format!("{} {} with {sent}", operation.method, operation.path);
    assert_eq!(
        existing.status, nonexistent.status,
        "{request}: same status: {} / {}",
        existing.body, nonexistent.body
    );
    let body =
        |answer: &Answer, sent: &str| answer.without_request_id().replace(sent, "<sent value>");
    assert_eq!(body(existing, sent), body(nonexistent, nonexistent_sent), "{request}: same body");
    let headers = |answer: &Answer| {
        let mut all: Vec<_> =
            answer.headers.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        // The length differs if the response repeats the value.
        all.retain(|(name, _)| {
            !["date", "x-request-id", "content-length"].contains(&name.as_str())
        });
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    assert_eq!(headers(existing), headers(nonexistent), "{request}: same headers");
    for marker in &loot.markers {
        assert!(
            !body(existing, sent).contains(marker),
            "{request} does not reveal {marker}: {}",
            existing.body
        );
        let in_headers = existing
            .headers
            .values()
            .any(|value| value.to_str().is_ok_and(|value| value.contains(marker)));
        assert!(!in_headers, "{request} does not reveal {marker}: {:?}", existing.headers);
    }
}

async fn cursor_of_another_org_is_invalid(t: &App) {
    loot(t).await;
    let globex = t.sign_in("owner@globex.example").await;
    let acme = t.sign_in("owner@acme.example").await;
    for list in ["members", "audit-events"] {
        let cursor = globex
            .get(&format!("/v1/orgs/globex/{list}?limit=1"))
            .await
            .expect(200)
            .text("/next_cursor");
        let response = acme
            .get(&format!("/v1/orgs/acme/{list}?limit=1&cursor={cursor}"))
            .await
            .problem(400, "invalid_cursor");
        let forged: String = cursor.chars().rev().collect();
        let reference = acme
            .get(&format!("/v1/orgs/acme/{list}?limit=1&cursor={forged}"))
            .await
            .problem(400, "invalid_cursor");
        assert_eq!(
            response.without_request_id(),
            reference.without_request_id(),
            "a cursor of another org gets the same response as a forged one"
        );
    }
}

async fn taken_slug_reveals_nothing_else(t: &App) {
    let loot = loot(t).await;
    let me = t.sign_in("member@acme.example").await;
    let taken = me
        .post("/v1/orgs", json!({ "name": "Mine", "slug": "globex" }))
        .await
        .problem(409, "slug_taken");
    for marker in loot.markers.iter().filter(|marker| *marker != "lobex") {
        assert!(
            !taken.body.contains(marker),
            "the response does not reveal {marker}: {}",
            taken.body
        );
    }
    // Slugs of the caller's org, of another org and of a deleted org get the same response.
    let own_slug = me
        .post("/v1/orgs", json!({ "name": "Mine", "slug": "acme" }))
        .await
        .problem(409, "slug_taken");
    assert_eq!(
        taken.without_request_id(),
        own_slug.without_request_id(),
        "the response is the same for the caller's own org"
    );
    let initech = t.sign_in("owner@initech.example").await;
    initech
        .send("DELETE", "/v1/orgs/initech", Some(json!({ "confirm_slug": "initech" })))
        .await
        .expect(204);
    let deleted = me
        .post("/v1/orgs", json!({ "name": "Mine", "slug": "initech" }))
        .await
        .problem(409, "slug_taken");
    assert_eq!(
        taken.without_request_id(),
        deleted.without_request_id(),
        "the response is the same for a deleted org"
    );
}
