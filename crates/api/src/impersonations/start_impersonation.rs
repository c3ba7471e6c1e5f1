use chrono::{DateTime, Duration, Utc};
use postern_domain::{
    id::UserId,
    impersonation::{self, Impersonation, StartRequest},
    justification::{Reason, TicketRef},
    mode::Mode,
    org_key::OrgKey,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    http::{Call, HandlerResult, Problem, Valid, created},
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
    impersonation: Impersonation,
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
    /// Time at which the impersonation expires.
    expires_at: DateTime<Utc>,
    /// Text to show on every page during the impersonation.
    #[schema(
        max_length = 500,
        example = "Sam Okoro of support is acting as Ana Costa in acme until 10:01 UTC \
            with read-only access. Everything is recorded under both names."
    )]
    banner: String,
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
        description = "`not_found`: the org does not exist, or the user is not a member of it.")
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
    let target = work
        .accounts()
        .impersonation_target(target_user_id, &org)
        .await?
        .ok_or_else(Problem::not_found)?;
    let target_name = target.user.name.clone();
    let request = StartRequest {
        mode,
        reason,
        ticket: ticket_ref,
        duration: Duration::minutes(state.impersonation.minutes),
    };
    let change = Impersonation::start(context.id(), &staff, target, &request, context.now)?;
    let impersonation = work.save(change).await?.0;

    let expires_at = impersonation.expires_at;
    let started = StartedView {
        access_token: state.tokens.impersonation(&impersonation, &context),
        token_type: "Bearer",
        expires_in: (expires_at - context.now).num_seconds(),
        expires_at,
        banner: impersonation::banner_text(
            &staff.accountable().name,
            &target_name,
            &impersonation.org,
            mode,
            expires_at,
        ),
        impersonation,
    };
    let location = format!("/v1/admin/impersonations/{}", started.impersonation.id);
    work.commit(created(started, location)).await
}
