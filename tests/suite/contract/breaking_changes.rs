//! Contract changes that break clients, for the tests of `diff.sh`.

use serde_json::{Value, json};

pub struct BreakingChange {
    /// JSON pointer to the changed object.
    pointer: String,
    key: &'static str,
    /// The new value; `None` removes the key.
    value: Option<Value>,
    /// Expected entry of the report.
    pub entry: &'static str,
}

impl BreakingChange {
    pub fn apply(&self, contract: &mut Value) {
        let object = contract
            .pointer_mut(&self.pointer)
            .and_then(Value::as_object_mut)
            .unwrap_or_else(|| panic!("the contract has an object at {}", self.pointer));
        match &self.value {
            Some(value) => drop(object.insert(self.key.to_owned(), value.clone())),
            None => drop(object.remove(self.key).expect("the removed key exists")),
        }
    }
}

/// All changes; each is made alone.
pub fn all() -> impl Iterator<Item = BreakingChange> {
    let groups = [operations(), parameters(), response_schemas(), request_schemas()];
    groups.into_iter().flatten()
}

fn set(
    pointer: impl Into<String>,
    key: &'static str,
    value: Value,
    entry: &'static str,
) -> BreakingChange {
    BreakingChange { pointer: pointer.into(), key, value: Some(value), entry }
}

fn remove(pointer: impl Into<String>, key: &'static str, entry: &'static str) -> BreakingChange {
    BreakingChange { pointer: pointer.into(), key, value: None, entry }
}

const MEMBERS: &str = "/paths/~1v1~1orgs~1{org}~1members/get";
const ME: &str = "/paths/~1v1~1me";

fn operations() -> Vec<BreakingChange> {
    let read_me = format!("{ME}/get");
    vec![
        remove(ME, "patch", "PATCH /v1/me: removed operation"),
        remove("/paths", "/v1/admin/search", "GET /v1/admin/search: removed operation"),
        set(
            "/paths/~1v1~1orgs/post",
            "operationId",
            json!("make_org"),
            "operationId \"create_org\" → \"make_org\"",
        ),
        set(
            &read_me,
            "x-impersonation",
            json!("blocked"),
            "x-impersonation \"allowed\" → \"blocked\"",
        ),
        set(MEMBERS, "x-required-permission", json!("members:manage"), "x-required-permission"),
        set(
            "/paths/~1v1~1auth~1logout/post",
            "requestBody",
            json!({ "required": true, "content": {} }),
            "POST /v1/auth/logout: added requestBody",
        ),
        set(
            "/paths/~1healthz/get",
            "security",
            json!([{ "bearer": [] }]),
            "GET /healthz: added security/0",
        ),
        set("/servers/0", "url", json!("/api"), "servers/0/url"),
        set(
            format!("{read_me}/responses"),
            "202",
            json!({ "description": "later" }),
            "GET /v1/me: added responses/202",
        ),
        set(&read_me, "tags", json!(["people"]), "GET /v1/me: replaced tags/0"),
    ]
}

fn parameters() -> Vec<BreakingChange> {
    let limit = format!("{MEMBERS}/parameters/1");
    let schema = format!("{limit}/schema");
    vec![
        set(&schema, "type", json!("string"), "schema/type \"integer\" → \"string\""),
        set(&schema, "maximum", json!(50), "schema/maximum 100 → 50"),
        set(&limit, "required", json!(true), "parameters/1/required"),
    ]
}

fn response_schemas() -> Vec<BreakingChange> {
    vec![
        remove(schema("Member/properties"), "name", "properties/name"),
        set(schema("Member/properties/created_at"), "format", json!("date"), "created_at/format"),
        set(
            schema("Member/properties/email"),
            "type",
            json!(["string", "null"]),
            "properties/email/type",
        ),
        set(schema("Settings"), "required", json!(["branding"]), "required/"),
        remove(schema("VerifiableEvent/allOf/1/properties"), "opening", "opening"),
        // An open enumeration becomes closed.
        remove(schema("Plan"), "oneOf", "properties/plan/anyOf"),
        set(
            schema("Role"),
            "enum",
            json!(["viewer", "member", "admin", "boss"]),
            "\"owner\" → \"boss\"",
        ),
        set(
            schema("Outcome"),
            "enum",
            json!(["succeeded", "denied", "failed", "unknown"]),
            "enum/3 \"unknown\"",
        ),
    ]
}

fn request_schemas() -> Vec<BreakingChange> {
    let name = schema("UpdateMeBody/properties/name");
    vec![
        set(
            schema("UpdateOrgBody"),
            "required",
            json!(["name"]),
            "PATCH /v1/orgs/{org}: added requestBody/content/application/json/schema/required/0 \
             \"name\"",
        ),
        remove(
            schema("UpdateMeBody/properties"),
            "image_url",
            "PATCH /v1/me: removed \
             requestBody/content/application/json/schema/properties/image_url",
        ),
        set(&name, "enum", json!(["Ana"]), "properties/name/enum"),
        set(&name, "maxLength", json!(10), "name/maxLength 100 → 10"),
        set(schema("CreateOrgBody/properties/slug"), "pattern", json!("^x$"), "slug/pattern"),
        set(schema("SetStaffTierBody/properties/tier"), "enum", json!(["support"]), "tier/enum"),
    ]
}

/// JSON pointer into the schemas.
fn schema(path: &str) -> String {
    format!("/components/schemas/{path}")
}
