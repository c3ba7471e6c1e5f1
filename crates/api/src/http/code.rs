//! Catalogue of problems: stable code, status, title and remedy of each. `openapi/problems.md` is
//! generated from here.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use postern_domain::string_enum;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

macro_rules! problems {
    ($($name:ident = $status:literal $code:literal $title:literal, $remedy:literal;)+) => {
        string_enum! {
            /// Stable code of a problem.
            Code { $($name = $code),+ }
        }

        impl Code {
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }

            /// Action for the caller to take.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy),+ }
            }

            #[must_use]
            pub fn status(self) -> StatusCode {
                let status = match self { $(Self::$name => $status),+ };
                StatusCode::from_u16(status).expect("the catalogue has valid status codes")
            }
        }
    };
}

problems! {
    MalformedJson = 400 "malformed_json" "Body is not valid JSON",
        "Send one JSON value in UTF-8, nested less than 128 levels deep, without duplicate fields.";
    InvalidQuery = 400 "invalid_query" "Invalid query parameter",
        "Correct the parameter that `errors` names. The API document lists the parameters of each \
         operation.";
    InvalidCursor = 400 "invalid_cursor" "Invalid cursor",
        "Send `next_cursor` or `prev_cursor` unchanged, to the list and with the filters that \
         returned it. Omit `cursor` to start over.";
    InvalidId = 400 "invalid_id" "Malformed ID in the path",
        "Send IDs exactly as the API returns them, such as `mem_01k7fgpr00e00800000000000g`.";
    InvalidHeader = 400 "invalid_header" "Invalid header",
        "Correct the header that the detail names.";
    IdempotencyKeyRequired = 400 "idempotency_key_required" "Idempotency-Key header required",
        "Send an `Idempotency-Key` header: a new random value for each new operation, the same \
         value for each retry.";
    Unauthenticated = 401 "unauthenticated" "Authentication required",
        "Send `Authorization: Bearer …` with an access token from `POST /v1/auth/login`.";
    InvalidToken = 401 "invalid_token" "Invalid access token",
        "Send an access token exactly as it was issued. Refresh tokens, API keys and tokens of \
         other issuers are not accepted.";
    TokenExpired = 401 "token_expired" "Access token expired",
        "Get a new access token with `POST /v1/auth/refresh`.";
    SessionEnded = 401 "session_ended" "Session ended",
        "Sign in again.";
    ImpersonationExpired = 401 "impersonation_expired" "Impersonation expired",
        "Use your own access token. If you still need access, start a new impersonation with its \
         own reason.";
    ImpersonationEnded = 401 "impersonation_ended" "Impersonation ended",
        "Use your own access token. If you still need access, start a new impersonation with its \
         own reason.";
    InvalidCredentials = 401 "invalid_credentials" "Wrong e-mail address or password",
        "Check both. The response is the same whether or not the account exists.";
    InvalidRefreshToken = 401 "invalid_refresh_token" "Invalid refresh token",
        "Sign in again. A refresh token works once, and using it twice ends its session.";
    PermissionDenied = 403 "permission_denied" "Permission denied",
        "Ask an owner of the org for the permission that the detail names, or a super admin if it \
         is a staff permission.";
    ImpersonationBlocked = 403 "impersonation_blocked" "Blocked under impersonation",
        "Ask the user to do this themselves. For staff operations use your own access token.";
    ImpersonationReadOnly = 403 "impersonation_read_only" "This impersonation is read-only",
        "Start an impersonation with `mode: full`, and give the reason for it.";
    AboveOwnRole = 403 "above_own_role" "Role above your own",
        "Ask a member who has that role or a higher one.";
    CannotImpersonate = 403 "cannot_impersonate" "User cannot be impersonated",
        "Choose another user. You cannot impersonate yourself, staff or suspended users.";
    WrongPassword = 403 "wrong_password" "Current password is wrong",
        "Send the password that you sign in with.";
    OwnTier = 403 "own_tier" "Cannot change your own tier",
        "Ask another super admin.";
    NotFound = 404 "not_found" "Not found",
        "Check the address. Resources of orgs that you do not belong to return the same response.";
    MethodNotAllowed = 405 "method_not_allowed" "Method not allowed",
        "Use a method that the `Allow` header lists.";
    NotAcceptable = 406 "not_acceptable" "Media type not available",
        "Accept `application/json`. To download audit events as NDJSON or CSV, use \
         `GET /v1/orgs/{org}/audit-events/export` or, as staff, \
         `GET /v1/admin/audit-events/export`.";
    RequestTimeout = 408 "request_timeout" "Request body timed out",
        "Send the whole body without pauses.";
    LastOwner = 409 "last_owner" "Org must keep an owner",
        "Make another member an owner first.";
    SlugTaken = 409 "slug_taken" "Slug already taken",
        "Choose another slug. Slugs are unique and never reused.";
    SuperAdminLimit = 409 "super_admin_limit" "Super admin limit reached",
        "Change the tier of a super admin first, or raise `staff.max_super_admins` in the \
         configuration.";
    LastSuperAdmin = 409 "last_super_admin" "A super admin must remain",
        "Make another user a super admin first.";
    IdempotencyInFlight = 409 "idempotency_in_flight" "First request still in progress",
        "Wait as long as `Retry-After` says, then repeat the request unchanged.";
    Conflict = 409 "conflict" "Conflict with another request",
        "Read the resource again, and repeat the request if it still applies.";
    AlreadyEnded = 409 "already_ended" "Already ended",
        "No action is required.";
    Stale = 412 "stale" "Resource changed since you read it",
        "Read it again, apply your change to the current version, and send its `ETag` in \
         `If-Match`.";
    BodyTooLarge = 413 "body_too_large" "Body too large",
        "Send a smaller body. The detail gives the limit.";
    UnsupportedMediaType = 415 "unsupported_media_type" "Unsupported media type",
        "Send `Content-Type: application/json` without `Content-Encoding`.";
    InvalidBody = 422 "invalid_body" "Invalid body",
        "Correct the fields that `errors` lists by JSON pointer.";
    WeakPassword = 422 "weak_password" "New password too weak",
        "Choose 12 to 128 characters that are hard to guess, such as four random words.";
    NotConfirmed = 422 "not_confirmed" "Confirmation does not match",
        "Send the exact slug of the org as `confirm_slug`.";
    IdempotencyKeyReused = 422 "idempotency_key_reused" "Idempotency-Key used for another request",
        "Send a new key for each new operation.";
    NotStaff = 422 "not_staff" "User is not staff",
        "No action is required: the user has no tier.";
    TooManyAttempts = 429 "too_many_attempts" "Too many failed attempts",
        "Wait as long as `Retry-After` says. Existing sessions keep working.";
    TooManyStreams = 429 "too_many_streams" "Too many open streams or exports",
        "Close one, or wait until one ends.";
    Internal = 500 "internal" "Internal server error",
        "Report `request_id` to the operator: it identifies the cause in the server's log. \
         Nothing was changed.";
    Unavailable = 503 "unavailable" "Service unavailable",
        "Wait as long as `Retry-After` says, then repeat the request, with the same \
         `Idempotency-Key` if it had one.";
}

impl utoipa::PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(Self::DESCRIPTION.trim()));
        schema.enum_values(Some(Self::ALL.iter().map(|code| code.name()))).into()
    }
}

impl utoipa::ToSchema for Code {
    fn name() -> Cow<'static, str> {
        "ProblemCode".into()
    }
}

impl Code {
    /// Whether the problem is temporary: its responses have `Retry-After`.
    #[must_use]
    pub const fn is_temporary(self) -> bool {
        matches!(
            self,
            Self::IdempotencyInFlight
                | Self::TooManyAttempts
                | Self::TooManyStreams
                | Self::Unavailable
        )
    }
}
