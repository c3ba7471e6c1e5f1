//! The catalogue of audit actions, as an operation and as the table `openapi/audit-actions.md`.

use std::sync::LazyLock;

use postern_domain::{action::Action, event_draft::TargetType, metadata, samples};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    http::{Asset, AssetReply, CacheControl, Call, ETag, IfNoneMatch, Problem},
    operations::{
        TABLE,
        op::{self, ListAuditActions},
    },
};

/// All audit actions.
#[derive(Serialize, ToSchema)]
pub struct AuditActionList {
    /// The actions, in the order of the catalogue.
    pub data: Vec<AuditActionView>,
}

/// An audit action, and the content of its events.
#[derive(Serialize, ToSchema)]
pub struct AuditActionView {
    pub action: Action,
    /// Meaning of the action.
    #[schema(
        value_type = String, max_length = 1000, example = "A member's role was changed."
    )]
    pub description: &'static str,
    /// Type of the target of its events.
    pub target_type: TargetType,
    /// Summaries of sample events, one for each wording.
    #[schema(
        max_length = 1000,
        example = json!(["Ana Costa changed bo@acme.example from viewer to member"])
    )]
    pub sample_summaries: Vec<String>,
    /// IDs of the operations that record it. Background jobs, the command line, and effects of
    /// other changes can record it too.
    #[schema(
        value_type = Vec<String>, max_length = 64, example = json!(["change_member_role"])
    )]
    pub operations: Vec<&'static str>,
    /// JSON Schema (2020-12) of the `metadata` of its events. Erased metadata does not match it.
    #[schema(value_type = Object, example = json!({ "type": "object" }))]
    pub metadata_schema: Value,
}

impl AuditActionList {
    pub fn all() -> Self {
        Self { data: Action::ALL.iter().map(|action| AuditActionView::of(*action)).collect() }
    }
}

impl AuditActionView {
    fn of(action: Action) -> Self {
        let rows = TABLE.iter().filter(|row| row.records.actions().contains(&action));
        Self {
            action,
            description: action.about().trim(),
            target_type: samples::target_type(action),
            sample_summaries: samples::summaries(action),
            operations: rows.map(|row| row.id).collect(),
            metadata_schema: metadata::schema(action.metadata()),
        }
    }
}

/// List audit actions.
///
/// Returns every action with its meaning, sample summaries, the type of its target, the operations
/// that record it, and the JSON Schema of its metadata. The list is complete: it has no pages and
/// is the same for all callers. It changes only with the version of the server, so store it, and
/// send its `ETag` in `If-None-Match`.
#[utoipa::path(
    get, path = "/v1/audit-actions", tag = "audit", impl_for = ListAuditActions, responses(
    (status = 200, description = "All audit actions.", body = AuditActionList,
        headers(
            ("ETag" = inline(ETag), description = "Version of the list."),
            ("Cache-Control" = inline(CacheControl), description = "Always `private, no-cache`."),
        )),
    (status = 304, description = "The list is unchanged.")
))]
pub async fn list_audit_actions(
    _call: Call<op::ListAuditActions>,
    known: IfNoneMatch,
) -> Result<AssetReply, Problem> {
    static LIST: LazyLock<Asset> = LazyLock::new(|| {
        let list = serde_json::to_string(&AuditActionList::all());
        Asset::new("application/json", list.expect("the list serializes to JSON")).private()
    });
    Ok(AssetReply::new(&LIST, &known))
}
