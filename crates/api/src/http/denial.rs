//! Audit events for denied requests and for requests under impersonation.

use std::{rc::Rc, sync::Arc};

use actix_web::HttpRequest;
use postern_domain::{
    access::{self, RequestLine},
    actor::Actor,
    clock::RequestContext,
    event_draft::EventDraft,
    operation::Operation,
    org_ref::OrgRef,
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

/// The request as it is named in events, with at most 300 characters of its path.
fn line<'r>(operation: &'static str, request: &'r HttpRequest) -> RequestLine<'r> {
    let path = request.path();
    let end = path.char_indices().nth(300).map_or(path.len(), |(end, _)| end);
    RequestLine { operation, method: request.method().as_str(), path: &path[..end] }
}

/// Event for a denied request.
pub fn denied(operation: &'static str, request: &HttpRequest, code: Code) -> EventDraft {
    access::denied(line(operation, request), code.name())
}

/// Event for a request under impersonation, recorded before it runs.
pub fn requested(operation: &'static str, request: &HttpRequest) -> EventDraft {
    access::requested_under_impersonation(line(operation, request))
}
