use chrono::Duration;
use postern_domain::{
    id::UserId,
    impersonation_start::{self, MissingTarget, StartRequest},
    impersonation_view::ImpersonationView,
    justification::{Reason, TicketRef},
    mode::Mode,
    org_key::OrgKey,
    permission::Permission,
    policy::{self, Denial},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    http::{Call, FieldCode, HandlerResult, Problem, Valid, created},
    operations::op::{self, StartImpersonation},
};

/// Impersonation to start.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartImpersonationBody {
    /// ID of the user to impersonate.
    target_user_id: UserId,
    /// Org, by ID or slug. The access token is valid for this org only.
    #[schema(example = "acme")]
    org: OrgKey,
    /// Reason. The customer can read it.
    reason: Reason,
    /// Reference of the support ticket.
    ticket_ref: TicketRef,
    /// Access mode. Defaults to `read_only`.
    #[serde(default)]
    mode: Mode,
}

/// Started impersonation with its access token.
#[derive(Serialize, ToSchema)]
pub struct StartedView {
    impersonation: ImpersonationView,
    /// Access token. Send it as `Authorization: Bearer …`. It expires with the impersonation and
    /// cannot be refreshed.
    #[schema(example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.e30.c2ln", max_length = 2048)]
    access_token: String,
    /// Token type: always `Bearer`.
    #[schema(example = "Bearer", max_length = 40)]
    token_type: &'static str,
    /// Lifetime of the access token in seconds, unless the impersonation ends earlier.
    #[schema(example = 1800)]
    expires_in: i64,
}

/// Start an impersonation.
///
/// Lets you act as a member of an org for at most 30 minutes, in that org only, and read-only
/// unless `mode` is `full`. Audit events name both you and the impersonated user. You cannot
/// impersonate staff, suspended users or yourself, or start an impersonation under impersonation.
#[utoipa::path(
    post, path = "/v1/admin/impersonations", tag = "support", impl_for = StartImpersonation,
    request_body = StartImpersonationBody, responses(
    (status = 201, body = StartedView, description = "Impersonation started. The access token is \
        returned only in this response and its replays. A replay returns the original response, \
        even if the impersonation has ended since."),
    (status = 403,
        description = "`cannot_impersonate`: the user is staff, suspended, or yourself."),
    (status = 404,
        description = "`not_found`: the user or the org does not exist, or the user is not a \
            member of the org. `errors` says which.")
))]
pub async fn start_impersonation(
    call: Call<op::StartImpersonation>,
    body: Valid<StartImpersonationBody>,
) -> HandlerResult<StartedView> {
    let StartImpersonationBody { target_user_id, org, reason, ticket_ref, mode } =
        body.into_inner();
    let (state, context) = (std::sync::Arc::clone(call.shared()), call.context().clone());
    let staff = call.staff_caller().clone();

    let mut work = call.begin();
    let parties =
        work.accounts().impersonation_parties(staff.session(), target_user_id, &org).await?;
    // Again, under locks: the session or the tier may have ended since the request was authorized.
    let caller = policy::authenticate(parties.caller, context.now)?;
    if !caller.accountable_tier().is_some_and(|tier| Permission::Impersonate.granted_to_tier(tier))
    {
        return Err(Denial::Forbidden(Permission::Impersonate).into());
    }
    let target = parties.target.map_err(|missing| missing_target(missing, target_user_id, &org))?;
    let request = StartRequest {
        mode,
        reason,
        ticket: ticket_ref,
        duration: Duration::minutes(state.impersonation.minutes),
    };
    let change = impersonation_start::start(context.id(), &caller, target, &request, context.now)?;
    let impersonation = work.save(change).await?.0;

    let access_token = state.tokens.impersonation(&impersonation, &context);
    let started = StartedView {
        access_token,
        token_type: "Bearer",
        expires_in: (impersonation.expires_at - context.now).num_seconds(),
        impersonation: impersonation.view(context.now),
    };
    let location = format!("/v1/admin/impersonations/{}", started.impersonation.id);
    work.commit(created(started, location)).await
}

/// 404 for a nonexistent user, org or membership. Staff may search all accounts, so it says what is
/// missing.
fn missing_target(missing: MissingTarget, user: UserId, org: &OrgKey) -> Problem {
    let (pointer, detail) = match missing {
        MissingTarget::User => (
            "/target_user_id",
            format!("the user {user} does not exist: find the ID with GET /v1/admin/search"),
        ),
        MissingTarget::Org => (
            "/org",
            format!("the org {org} does not exist: find its slug with GET /v1/admin/search"),
        ),
        MissingTarget::DeletedOrg { slug } => (
            "/org",
            format!("deletion of the org {slug} was requested: its members cannot be impersonated"),
        ),
        MissingTarget::Membership { email, slug } => (
            "/target_user_id",
            format!("{email} is not a member of {slug}: name an org that the user belongs to"),
        ),
    };
    Problem::not_found().detail(&*detail).field(pointer, FieldCode::NotFound, detail)
}
