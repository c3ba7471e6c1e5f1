//! The isolation sweep: every operation of the contract, with another org's id in every place that takes one, by a member of
//! an org and by support in a member's name. The answer is the one for an id that exists nowhere, byte for byte.
//!
//! What is swept is read from the OpenAPI document: nobody adds an operation here. A place whose kind of id is not known
//! fails the sweep.

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

/// What belongs to the other org, and beside each the like of it that belongs to nobody.
struct Loot {
    /// By the prefix of the id, as in `mem`.
    ids: BTreeMap<&'static str, (String, String)>,
    /// What else a filter may be tried with.
    words: Vec<(String, String)>,
    /// What must appear in no answer.
    markers: Vec<String>,
}

async fn loot(t: &App) -> Loot {
    let owner = t.log_in("owner@globex.example", postern_tests::PASSWORD).await.expect(200);
    let owner = t.bearer(&owner.text("/access_token"));
    let support = t.sign_in("support@postern.example").await;
    let target = t.user_id("member@globex.example").await;
    let body = json!({ "target_user_id": target, "org": "globex", "reason": "cannot open the reports page", "ticket_ref": "GLX-7001" });
    let impersonation =
        support.post("/v1/admin/impersonations", body).await.expect(201).text("/impersonation/id");
    owner.patch("/v1/orgs/globex", json!({ "name": "Globex Worldwide" })).await.expect(200);
    let of_globex = |table: &str| {
        format!(
            "SELECT id FROM {table} WHERE org_id = (SELECT id FROM organization WHERE slug = 'globex') LIMIT 1"
        )
    };
    let org = t.db.uuid("SELECT id FROM organization WHERE slug = 'globex'").await;
    let session = t.db.uuid("SELECT s.id FROM session s JOIN \"user\" u ON u.id = s.user_id WHERE u.email = 'owner@globex.example'").await;
    let (member, event) =
        (t.db.uuid(&of_globex("membership")).await, t.db.uuid(&of_globex("audit_event")).await);
    let impersonation: ImpersonationId = impersonation.parse().expect("an id");
    let nobody = || t.state.ids.next::<()>(t.clock.now()).uuid();
    let ids = BTreeMap::from([
        ("org", (OrgId::new(org).to_string(), OrgId::new(nobody()).to_string())),
        ("user", (t.user_id("owner@globex.example").await, UserId::new(nobody()).to_string())),
        ("mem", (MemberId::new(member).to_string(), MemberId::new(nobody()).to_string())),
        ("sess", (SessionId::new(session).to_string(), SessionId::new(nobody()).to_string())),
        ("imp", (impersonation.to_string(), ImpersonationId::new(nobody()).to_string())),
        ("evt", (EventId::new(event).to_string(), EventId::new(nobody()).to_string())),
    ]);
    let words = [
        ("globex", "nowhere"),
        ("owner@globex.example", "owner@nowhere.example"),
        ("Gita Rao", "Nobody Rao"),
        ("GLX-7001", "GLX-0000"),
    ];
    let mut markers =
        ["lobex", "Gita", "Goran", "Marc Petit", "Viktor", "GLX-7001"].map(str::to_owned).to_vec();
    markers.extend(ids.values().map(|(theirs, _)| theirs.clone()));
    Loot {
        ids,
        words: words.map(|(theirs, nobodys)| (theirs.to_owned(), nobodys.to_owned())).to_vec(),
        markers,
    }
}

/// An operation of the document, ready to be sent.
pub struct Swept {
    pub method: String,
    pub path: String,
    /// The parameters of its query that are texts.
    pub query: Vec<String>,
    body: Option<Value>,
    /// JSON pointers to the ids in the body.
    ids_in_body: Vec<String>,
    needs_nobody: bool,
}

pub async fn contract(t: &App) -> Vec<Swept> {
    let document = t.anonymous().get("/openapi.json").await.expect(200).json;
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let text = |parameter: &Value| parameter["schema"]["type"] != "integer";
            let query = parameters
                .iter()
                .filter(|one| one["in"] == "query" && one["name"] != "cursor" && text(one));
            let body = operation.pointer("/requestBody/content/application~1json/example").cloned();
            let ids_in_body = body.as_ref().map(|body| ids_in(body, "")).unwrap_or_default();
            all.push(Swept {
                method: method.to_uppercase(),
                path: path.clone(),
                query: query.map(|one| one["name"].as_str().expect("a name").to_owned()).collect(),
                body,
                ids_in_body,
                needs_nobody: operation["security"].as_array().is_none_or(Vec::is_empty),
            });
        }
    }
    assert!(all.len() >= 40, "the document has all operations");
    all
}

/// Where a body names something by id: `…_id`, `org`, or whatever looks like an id, in arrays as well.
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

/// What a path or a body field of this name takes.
fn prefix(name: &str) -> &str {
    match name {
        "org" => "org",
        "member" => "mem",
        "event" => "evt",
        "session" => "sess",
        "impersonation" => "imp",
        "user" | "target_user_id" => "user",
        other => panic!("the sweep does not know what {other} is the id of; say so here"),
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
    // Filters first: later requests leave their paths in the caller's own log, where a filter would find them.
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
    assert!(tried > 250, "only {tried} places were tried");
    assert_eq!(
        before,
        seen_by_its_owner(t).await,
        "the other org is as it was, and its log says nothing of strangers"
    );
}

/// All that the other org's owner sees of it.
async fn seen_by_its_owner(t: &App) -> Vec<String> {
    let owner = t.sign_in("owner@globex.example").await;
    let mut seen = Vec::new();
    for what in [
        "",
        "/members",
        "/settings",
        "/features",
        "/dashboard",
        "/impersonations",
        "/audit-events?limit=100",
    ] {
        seen.push(owner.get(&format!("/v1/orgs/globex{what}")).await.expect(200).body);
    }
    seen
}

/// The path with the caller's own things in it; but `there` in the place of `name`.
fn path_with(
    operation: &Swept,
    name: &str,
    there: &str,
    own: &BTreeMap<&'static str, (String, String)>,
) -> String {
    let filled = operation
        .path
        .replace(&format!("{{{name}}}"), there)
        .replace("{org}", "acme")
        .replace("{key}", "sso")
        .replace("{code}", "not_found")
        .replace("{level}", "0")
        .replace("{tile}", "000.p/1");
    let mut filled = filled;
    while let Some((head, rest)) = filled.split_once('{') {
        let (other, tail) = rest.split_once('}').expect("a parameter ends");
        filled = format!("{head}{}{tail}", own[prefix(other)].1);
    }
    filled
}

async fn sweep_path(t: &App, loot: &Loot, caller: &Person<'_>, operation: &Swept) -> u32 {
    let names =
        operation.path.split('{').skip(1).map(|part| part.split('}').next().expect("a name"));
    let mut tried = 0;
    for name in names.filter(|name| !["key", "code", "level", "tile"].contains(name)) {
        let (theirs, nobodys) = &loot.ids[prefix(name)];
        let mut pairs = vec![(theirs.clone(), nobodys.clone())];
        if name == "org" {
            pairs.push(("globex".to_owned(), "nowhere".to_owned()));
        }
        for (theirs, nobodys) in pairs {
            let denied = t.recorded("permission.denied").await;
            let answer =
                send(caller, operation, &path_with(operation, name, &theirs, &loot.ids)).await;
            let known = t.recorded("permission.denied").await - denied;
            let like =
                send(caller, operation, &path_with(operation, name, &nobodys, &loot.ids)).await;
            same(loot, operation, (theirs.as_str(), &answer), (nobodys.as_str(), &like));
            assert!(
                [403, 404].contains(&answer.status),
                "{} {}: {} {}",
                operation.method,
                operation.path,
                answer.status,
                answer.body
            );
            assert_eq!(known, 1, "{} {}: a denial is an event", operation.method, operation.path);
            tried += 1;
        }
    }
    tried
}

async fn sweep_query(loot: &Loot, caller: &Person<'_>, operation: &Swept) -> u32 {
    let path = path_with(operation, "org", "acme", &loot.ids);
    let mut tried = 0;
    for name in &operation.query {
        for (theirs, nobodys) in loot.ids.values().chain(&loot.words) {
            // A search that is refused is recorded, in the caller's own log: the answers, not the logs, have to be alike.
            let with = |value: &str| {
                format!("{path}?{name}={}", value.replace('@', "%40").replace(' ', "%20"))
            };
            let (answer, like) = (
                send(caller, operation, &with(theirs)).await,
                send(caller, operation, &with(nobodys)).await,
            );
            same(loot, operation, (theirs.as_str(), &answer), (nobodys.as_str(), &like));
            tried += 1;
        }
    }
    tried
}

async fn sweep_body(loot: &Loot, caller: &Person<'_>, operation: &Swept) -> u32 {
    let mut tried = 0;
    for pointer in &operation.ids_in_body {
        let name = pointer.rsplit('/').next().expect("a name");
        let (theirs, nobodys) = &loot.ids[prefix(name)];
        let path = path_with(operation, "org", "acme", &loot.ids);
        let with = |value: &str| {
            let mut body = operation.body.clone().expect("a body");
            *body.pointer_mut(pointer).expect("is there") = json!(value);
            body
        };
        let answer = caller.send(&operation.method, &path, Some(with(theirs))).await;
        let like = caller.send(&operation.method, &path, Some(with(nobodys))).await;
        same(loot, operation, (theirs.as_str(), &answer), (nobodys.as_str(), &like));
        assert!((400..500).contains(&answer.status), "{}", answer.body);
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

/// Two answers that nobody can tell apart, but by what they say back of what was sent.
fn same(
    loot: &Loot,
    operation: &Swept,
    (sent, theirs): (&str, &Answer),
    (sent_too, nobodys): (&str, &Answer),
) {
    let what = format!("{} {} with {sent}", operation.method, operation.path);
    assert_eq!(theirs.status, nobodys.status, "{what}: {} / {}", theirs.body, nobodys.body);
    let body =
        |answer: &Answer, sent: &str| answer.without_request_id().replace(sent, "WHAT WAS SENT");
    assert_eq!(body(theirs, sent), body(nobodys, sent_too), "{what}");
    let headers = |answer: &Answer| {
        let mut all: Vec<_> =
            answer.headers.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        // The length differs where what was sent is said back.
        all.retain(|(name, _)| {
            !["date", "x-request-id", "content-length"].contains(&name.as_str())
        });
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    assert_eq!(headers(theirs), headers(nobodys), "{what}");
    for marker in &loot.markers {
        assert!(!body(theirs, sent).contains(marker), "{what} tells {marker}: {}", theirs.body);
        let told = theirs
            .headers
            .values()
            .any(|value| value.to_str().is_ok_and(|value| value.contains(marker)));
        assert!(!told, "{what} tells {marker}: {:?}", theirs.headers);
    }
}

async fn cursor_of_another_org_is_invalid(t: &App) {
    loot(t).await;
    let theirs = t.sign_in("owner@globex.example").await;
    let mine = t.sign_in("owner@acme.example").await;
    for list in ["members", "audit-events"] {
        let cursor = theirs
            .get(&format!("/v1/orgs/globex/{list}?limit=1"))
            .await
            .expect(200)
            .text("/next_cursor");
        let answer = mine
            .get(&format!("/v1/orgs/acme/{list}?limit=1&cursor={cursor}"))
            .await
            .problem(400, "invalid_cursor");
        let forged: String = cursor.chars().rev().collect();
        let like = mine
            .get(&format!("/v1/orgs/acme/{list}?limit=1&cursor={forged}"))
            .await
            .problem(400, "invalid_cursor");
        assert_eq!(answer.without_request_id(), like.without_request_id());
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
        assert!(!taken.body.contains(marker), "{}", taken.body);
    }
    // One's own, another's and a deleted one are all just taken.
    let own = me
        .post("/v1/orgs", json!({ "name": "Mine", "slug": "acme" }))
        .await
        .problem(409, "slug_taken");
    assert_eq!(taken.without_request_id(), own.without_request_id());
    let initech = t.sign_in("owner@initech.example").await;
    initech
        .send("DELETE", "/v1/orgs/initech", Some(json!({ "confirm_slug": "initech" })))
        .await
        .expect(204);
    let gone = me
        .post("/v1/orgs", json!({ "name": "Mine", "slug": "initech" }))
        .await
        .problem(409, "slug_taken");
    assert_eq!(taken.without_request_id(), gone.without_request_id());
}
