//! Audit events for denied requests and for requests under impersonation.

use std::{rc::Rc, sync::Arc};

use actix_web::HttpRequest;
use postern_domain::{
    action::Action,
    actor::Actor,
    clock::RequestContext,
    event::{EventDraft, Outcome, Target, TargetType},
    operation::Operation,
    org::OrgRef,
};
use postern_persistence::pre_auth;

use super::{code::Code, input::Input, problem::Problem};
use crate::state::State;

/// Data for the denial event, kept while the handler runs.
pub struct DenialContext {
    pub operation: &'static Operation,
    pub actor: Actor,
    pub org: Option<OrgRef>,
    pub state: Arc<State>,
    pub input: Rc<Input>,
    pub context: RequestContext,
}

impl DenialContext {
    pub async fn record(self, code: Code) -> Result<(), Problem> {
        let draft = denied(self.operation.id, &self.input.request, code);
        Ok(pre_auth::record_in_own_tx(
            &self.state.store,
            draft,
            &self.actor,
            self.org,
            &self.context,
        )
        .await?)
    }
}

/// The path without its query, at most 300 characters.
fn path(request: &HttpRequest) -> String {
    request.path().chars().take(300).collect()
}

/// Event for a denied request.
pub fn denied(operation: &'static str, request: &HttpRequest, code: Code) -> EventDraft {
    let (method, path) = (request.method(), path(request));
    let target = Target {
        kind: TargetType::Operation,
        id: Some(operation.to_owned()),
        label: format!("{method} {path}"),
    };
    EventDraft::new(
        Action::PermissionDenied,
        target,
        format!("was denied {operation} ({})", code.name()),
    )
    .with_outcome(Outcome::Denied)
    .with_metadata("method", method.as_str())
    .with_metadata("path", &path)
    .with_metadata("problem", code.name())
}

/// Event for a request under impersonation, recorded before it runs.
pub fn requested(operation: &'static str, request: &HttpRequest) -> EventDraft {
    let (method, path) = (request.method(), path(request));
    let target = Target {
        kind: TargetType::Operation,
        id: Some(operation.to_owned()),
        label: format!("{method} {path}"),
    };
    EventDraft::new(Action::ImpersonationRequest, target, format!("requested {method} {path}"))
        .with_metadata("method", method.as_str())
        .with_metadata("path", path)
}
