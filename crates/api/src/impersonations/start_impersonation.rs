use chrono::{DateTime, Duration, Utc};
use postern_domain::{
    id::UserId,
    impersonation::{self, Impersonation, Mode, StartRequest},
    justification::{Reason, TicketRef},
};
use postern_persistence::pre_auth::OrgKey;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    http::{Answer, Call, Problem, Valid, created},
    operations::op::{self, StartImpersonation},
};

/// Whom to act for, where, and why.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartImpersonationBody {
    /// In whose name.
    target_user_id: UserId,
    /// In which org, by id or by slug; the token opens no other.
    #[validate(length(max = 40, message = "an id or a slug"))]
    #[schema(example = "acme", max_length = 40)]
    org: String,
    /// Why; the customer reads it.
    reason: Reason,
    /// The ticket it belongs to.
    ticket_ref: TicketRef,
    /// `read_only` if left out.
    #[serde(default)]
    mode: Mode,
}

/// An impersonation that has begun.
#[derive(Serialize, ToSchema)]
pub struct StartedView {
    impersonation: Impersonation,
    /// Goes into `Authorization: Bearer …`. There is no refresh token, and it dies with the impersonation.
    #[schema(example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.e30.c2ln")]
    access_token: String,
    /// How the token is sent.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// How many seconds it lasts at the most.
    #[schema(example = 1800)]
    expires_in: i64,
    /// When it ends by itself.
    expires_at: DateTime<Utc>,
    /// To be shown across every page for as long as it lasts.
    #[schema(
        example = "Sam Okoro of support is acting as Ana Costa in acme until 10:01 UTC, read-only. Everything is recorded under both names."
    )]
    banner: String,
}

/// EventDraft in a customer's name.
///
/// For at most thirty minutes, in one org, read-only unless `mode` is `full`, and recorded under both names. Never of staff,
/// of oneself, or of a suspended user; and never from within another impersonation.
#[utoipa::path(post, path = "/v1/admin/impersonations", tag = "support", impl_for = StartImpersonation,
    request_body = StartImpersonationBody, responses(
    (status = 201, description = "Begun. The token stands in this answer and its repeats alone. A repeat is the answer as it was: the impersonation may have ended since.", body = StartedView),
    (status = 403, description = "`cannot_impersonate`: staff, oneself and suspended users are never impersonated."),
    (status = 404, description = "`not_found`: no such org, or nobody of that id belongs to it.")
))]
pub async fn start_impersonation(
    call: Call<op::StartImpersonation>,
    body: Valid<StartImpersonationBody>,
) -> Answer<StartedView> {
    let StartImpersonationBody { target_user_id, org, reason, ticket_ref, mode } =
        body.into_inner();
    let (state, context) = (std::sync::Arc::clone(call.shared()), call.context().clone());
    let by = call.staff_caller().clone();

    let mut work = call.begin();
    let subject = work
        .accounts()
        .subject(target_user_id, &OrgKey::parse(&org))
        .await?
        .ok_or_else(Problem::not_found)?;
    let target_name = subject.user.name.clone();
    let wanted = StartRequest {
        mode,
        reason,
        ticket: ticket_ref,
        lasts: Duration::minutes(state.impersonation.minutes),
    };
    let change = Impersonation::start(context.id(), &by, subject, &wanted, context.now)?;
    let impersonation = work.save(change).await?.0;

    let expires_at = impersonation.expires_at;
    let started = StartedView {
        access_token: state.tokens.impersonation(&impersonation, &context),
        token_type: "Bearer",
        expires_in: (expires_at - context.now).num_seconds(),
        expires_at,
        banner: impersonation::banner_text(
            &by.accountable().name,
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
