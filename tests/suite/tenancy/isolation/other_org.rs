//! Another org, `globex`, with data that no caller outside of it may see.

use std::collections::BTreeMap;

use postern_domain::{
    clock::Clock,
    id::{EventId, ImpersonationId, MemberId, OrgId, SessionId, UserId},
};
use postern_tests::{App, PASSWORD};
use serde_json::json;

/// A value of the other org, and one of the same kind that does not exist.
pub struct Pair {
    pub existing: String,
    pub nonexistent: String,
}

/// Values of the other org.
pub struct OtherOrg {
    /// IDs by prefix, such as `mem`.
    pub ids: BTreeMap<&'static str, Pair>,
    /// Other filter values.
    pub words: Vec<Pair>,
    /// Texts that no response may contain.
    pub markers: Vec<String>,
}

impl Pair {
    pub fn new(existing: &impl ToString, nonexistent: &impl ToString) -> Self {
        Self { existing: existing.to_string(), nonexistent: nonexistent.to_string() }
    }
}

impl OtherOrg {
    /// Adds an impersonation and a change to globex, and collects its values.
    pub async fn create(t: &App) -> Self {
        let owner = t.log_in("owner@globex.example", PASSWORD).await.expect(200);
        let owner = t.bearer(&owner.text("/access_token"));
        let impersonation = impersonate_member(t).await;
        owner.patch("/v1/orgs/globex", json!({ "name": "Globex Worldwide" })).await.expect(200);
        let ids = ids(t, impersonation).await;
        let words = vec![
            Pair::new(&"globex", &"nowhere"),
            Pair::new(&"owner@globex.example", &"owner@nowhere.example"),
            Pair::new(&"Gita Rao", &"Unknown Rao"),
            Pair::new(&"GLX-7001", &"GLX-0000"),
        ];
        let mut markers = ["lobex", "Gita", "Goran", "Marc Petit", "Viktor", "GLX-7001"]
            .map(str::to_owned)
            .to_vec();
        markers.extend(ids.values().map(|id| id.existing.clone()));
        Self { ids, words, markers }
    }
}

async fn impersonate_member(t: &App) -> ImpersonationId {
    let support = t.sign_in("support@postern.example").await;
    let target = t.user_id("member@globex.example").await;
    let body = json!({
        "target_user_id": target,
        "org": "globex",
        "reason": "cannot open the reports page",
        "ticket_ref": "GLX-7001",
    });
    let started = support.post("/v1/admin/impersonations", body).await.expect(201);
    started.text("/impersonation/id").parse().expect("the id is valid")
}

async fn ids(t: &App, impersonation: ImpersonationId) -> BTreeMap<&'static str, Pair> {
    let of_globex = |table: &str| {
        format!(
            "SELECT id FROM {table} WHERE org_id = (SELECT id FROM organization WHERE slug = \
             'globex') LIMIT 1"
        )
    };
    let session = "SELECT s.id FROM session s JOIN \"user\" u ON u.id = s.user_id WHERE u.email = \
                   'owner@globex.example'";
    let org = OrgId::new(t.db.uuid("SELECT id FROM organization WHERE slug = 'globex'").await);
    let user = t.user_id("owner@globex.example").await;
    let member = MemberId::new(t.db.uuid(&of_globex("membership")).await);
    let session = SessionId::new(t.db.uuid(session).await);
    let event = EventId::new(t.db.uuid(&of_globex("audit_event")).await);
    let random_uuid = || t.state.ids.next::<()>(t.clock.now()).uuid();
    BTreeMap::from([
        ("org", Pair::new(&org, &OrgId::new(random_uuid()))),
        ("user", Pair::new(&user, &UserId::new(random_uuid()))),
        ("mem", Pair::new(&member, &MemberId::new(random_uuid()))),
        ("sess", Pair::new(&session, &SessionId::new(random_uuid()))),
        ("imp", Pair::new(&impersonation, &ImpersonationId::new(random_uuid()))),
        ("evt", Pair::new(&event, &EventId::new(random_uuid()))),
    ])
}
