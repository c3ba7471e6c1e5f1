//! Event drafts for requests that change no state: denials, requests under impersonation, account
//! searches, and access to audit logs.

use serde::Serialize;

use crate::{
    action::Action,
    event_draft::{EventDraft, Outcome, Target, TargetType},
    id::EventId,
    org_ref::OrgRef,
};

/// A request of an operation, as it is named in events.
#[derive(Debug, Clone, Copy)]
pub struct RequestLine<'a> {
    /// Operation id.
    pub operation: &'static str,
    pub method: &'a str,
    /// The path without its query.
    pub path: &'a str,
}

impl RequestLine<'_> {
    fn draft(self, action: Action, predicate: impl Into<String>) -> EventDraft {
        let Self { operation, method, path } = self;
        let target = Target {
            kind: TargetType::Operation,
            id: Some(operation.to_owned()),
            label: format!("{method} {path}"),
        };
        EventDraft::new(action, target, predicate)
            .with_metadata("method", method)
            .with_metadata("path", path)
    }
}

/// Event for a denied request. `problem` is the code of the response.
pub fn denied(request: RequestLine<'_>, problem: &str) -> EventDraft {
    request
        .draft(Action::PermissionDenied, format!("was denied {} ({problem})", request.operation))
        .with_outcome(Outcome::Denied)
        .with_metadata("problem", problem)
}

/// Event for a request under impersonation, recorded before it runs.
pub fn requested_under_impersonation(request: RequestLine<'_>) -> EventDraft {
    let predicate = format!("requested {} {}", request.method, request.path);
    request.draft(Action::ImpersonationRequest, predicate)
}

/// Event for a search over all accounts.
pub fn accounts_searched(query: &str, results: usize) -> EventDraft {
    let target = Target { kind: TargetType::Search, id: None, label: query.to_owned() };
    let predicate = format!("searched accounts for “{query}” (results: {results})");
    EventDraft::new(Action::SearchPerformed, target, predicate)
        .with_metadata("query", query)
        .with_metadata("hits", results)
}

/// Logs that staff access.
#[derive(Debug, Clone)]
pub enum AccessedLogs {
    Org(OrgRef),
    Platform,
    All,
}

/// Kind of access to audit logs.
#[derive(Debug, Clone, Copy)]
pub enum LogAccess {
    Read,
    Streamed,
}

/// Event for staff who can read all audit logs, and list or stream events.
pub fn log_viewed(
    logs: AccessedLogs,
    access: LogAccess,
    filter: Option<impl Serialize>,
) -> EventDraft {
    let verb = match access {
        LogAccess::Read => "read",
        LogAccess::Streamed => "streamed",
    };
    let (org, label) = match logs {
        AccessedLogs::Org(org) => (Some(org.clone()), org.slug),
        AccessedLogs::Platform => (None, "the platform".to_owned()),
        AccessedLogs::All => (None, "all orgs and the platform".to_owned()),
    };
    let target = Target {
        kind: TargetType::Log,
        id: org.as_ref().map(|org| org.id.to_string()),
        label: label.clone(),
    };
    let predicate = format!("{verb} the audit log of {label}");
    let draft = EventDraft::new(Action::AuditViewed, target, predicate).in_org_log(org);
    match filter {
        Some(filter) => draft.with_metadata("filter", filter),
        None => draft,
    }
}

/// Event for the export of an audit log with this origin and number of entries.
pub fn log_exported(
    org: Option<OrgRef>,
    origin: &str,
    format: &str,
    filter: impl Serialize,
    entries: u64,
) -> EventDraft {
    let target = Target {
        kind: TargetType::Log,
        id: org.as_ref().map(|org| org.id.to_string()),
        label: origin.to_owned(),
    };
    let predicate = format!("exported the audit log {origin} as {format}");
    EventDraft::new(Action::AuditExported, target, predicate)
        .with_metadata("format", format)
        .with_metadata("filter", filter)
        .with_metadata("entries", entries)
        .in_org_log(org)
}

/// Event for an entry in the audit queue without a valid MAC, which is not added to the log.
pub fn entry_rejected(event: EventId) -> EventDraft {
    EventDraft::new(
        Action::AuditEntryRejected,
        Target::new(TargetType::Event, event, "audit queue entry"),
        "rejected an unauthenticated entry in the audit queue",
    )
    .with_outcome(Outcome::Denied)
}
