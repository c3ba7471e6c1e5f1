//! Catalogue of problems: stable code, status, title, cause and remedy of each.
//! `openapi/problems.md` is generated from here.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use postern_domain::string_enum;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

macro_rules! problems {
    ($($name:ident = $status:literal $code:literal $title:literal, $cause:literal,
        $remedy:literal;)+) => {
        string_enum! {
            /// Stable code of a problem.
            Code { $($name = $code),+ }
        }

        impl Code {
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }

            /// Situation in which the problem occurs.
            #[must_use]
            pub const fn cause(self) -> &'static str {
                match self { $(Self::$name => $cause),+ }
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
        "The body is empty, is not one JSON value in UTF-8, or names a field twice.",
        "Send one JSON value in UTF-8, nested less than 128 levels deep, without duplicate fields.";
    InvalidQuery = 400 "invalid_query" "Invalid query parameter",
        "A query parameter is unknown, missing, repeated, or has an invalid value.",
        "Correct the parameter that `errors` names. The API document lists the parameters of each \
         operation.";
    InvalidCursor = 400 "invalid_cursor" "Invalid cursor",
        "The cursor was changed, or belongs to another list, other filters or another caller.",
        "Send `next_cursor` or `prev_cursor` unchanged, to the list and with the filters that \
         returned it. Omit `cursor` to start over.";
    InvalidId = 400 "invalid_id" "Malformed ID in the path",
        "An ID in the path has the wrong prefix, length or characters.",
        "Send IDs exactly as the API returns them, such as `mem_01k7fgpr00e00800000000000g`.";
    InvalidHeader = 400 "invalid_header" "Invalid header",
        "A header is repeated or has an invalid value, or a CORS preflight request is not allowed.",
        "Correct the header that the detail names.";
    IdempotencyKeyRequired = 400 "idempotency_key_required" "Idempotency-Key header required",
        "The operation creates something that a retry must not create twice.",
        "Send an `Idempotency-Key` header: a new random value for each new operation, the same \
         value for each retry.";
    Unauthenticated = 401 "unauthenticated" "Authentication required",
        "The operation needs a signed-in caller, and the request has no access token.",
        "Send `Authorization: Bearer …` with an access token from `POST /v1/auth/login`.";
    InvalidToken = 401 "invalid_token" "Invalid access token",
        "The token was changed, or was not issued by this server for this API.",
        "Send an access token exactly as it was issued. Refresh tokens, API keys and tokens of \
         other issuers are not accepted.";
    TokenExpired = 401 "token_expired" "Access token expired",
        "The lifetime of the access token is over: ten minutes by default.",
        "Get a new access token with `POST /v1/auth/refresh`.";
    SessionEnded = 401 "session_ended" "Session ended",
        "The session was signed out, revoked or has expired, or a password change ended it.",
        "Sign in again.";
    ImpersonationExpired = 401 "impersonation_expired" "Impersonation expired",
        "The impersonation has reached `expires_at`.",
        "Use your own access token. If you still need access, start a new impersonation with its \
         own reason.";
    ImpersonationEnded = 401 "impersonation_ended" "Impersonation ended",
        "The impersonation was ended before it expired. Its `end_cause` names the cause.",
        "Use your own access token. If you still need access, start a new impersonation with its \
         own reason.";
    InvalidCredentials = 401 "invalid_credentials" "Wrong e-mail address or password",
        "No account has this e-mail address and password.",
        "Check both. The response is the same whether or not the account exists.";
    InvalidRefreshToken = 401 "invalid_refresh_token" "Invalid refresh token",
        "The refresh token is unknown, was used before, or its session has ended.",
        "Sign in again. A refresh token works once, and using it twice ends its session.";
    PermissionDenied = 403 "permission_denied" "Permission denied",
        "Your role in the org, or your staff tier, does not have the permission.",
        "Ask an owner of the org for the permission that the detail names, or a super admin if it \
         is a staff permission.";
    ImpersonationBlocked = 403 "impersonation_blocked" "Blocked under impersonation",
        "Staff cannot run the operation on behalf of a user, in any access mode.",
        "Ask the user to do this themselves. For staff operations use your own access token.";
    ImpersonationReadOnly = 403 "impersonation_read_only" "This impersonation is read-only",
        "The operation changes data, and the impersonation has read access only.",
        "Start an impersonation with `mode: full`, and give the reason for it.";
    AboveOwnRole = 403 "above_own_role" "Role above your own",
        "The change concerns a member above your role, or grants a role above it.",
        "Ask a member who has that role or a higher one.";
    CannotImpersonate = 403 "cannot_impersonate" "User cannot be impersonated",
        "The user is staff, suspended, or yourself.",
        "Choose another user. You cannot impersonate yourself, staff or suspended users.";
    WrongPassword = 403 "wrong_password" "Current password is wrong",
        "A password change needs the current password, and it does not match.",
        "Send the password that you sign in with.";
    OwnTier = 403 "own_tier" "Cannot change your own tier",
        "Staff members cannot grant, change or remove their own tier.",
        "Ask another super admin.";
    NotFound = 404 "not_found" "Not found",
        "The address or the resource does not exist, or you have no access to it.",
        "Check the address. Resources of orgs that you do not belong to return the same response.";
    MethodNotAllowed = 405 "method_not_allowed" "Method not allowed",
        "The address exists, but does not support the method of the request.",
        "Use a method that the `Allow` header lists.";
    NotAcceptable = 406 "not_acceptable" "Media type not available",
        "The `Accept` header of a list of audit events excludes `application/json`.",
        "Accept `application/json`. To download audit events as NDJSON or CSV, use \
         `GET /v1/orgs/{org}/audit-events/export` or, as staff, \
         `GET /v1/admin/audit-events/export`.";
    RequestTimeout = 408 "request_timeout" "Request body timed out",
        "The server did not receive the whole body in time.",
        "Send the whole body without pauses.";
    LastOwner = 409 "last_owner" "Org must keep an owner",
        "The change would leave the org without an owner.",
        "Make another member an owner first.";
    SlugTaken = 409 "slug_taken" "Slug already taken",
        "Another org has the slug, or had it before it was deleted.",
        "Choose another slug. Slugs are unique and never reused.";
    SuperAdminLimit = 409 "super_admin_limit" "Super admin limit reached",
        "The vendor already has the maximum number of super admins.",
        "Change the tier of a super admin first, or raise `staff.max_super_admins` in the \
         configuration.";
    LastSuperAdmin = 409 "last_super_admin" "A super admin must remain",
        "The change would leave the vendor without a super admin.",
        "Make another user a super admin first.";
    IdempotencyInFlight = 409 "idempotency_in_flight" "First request still in progress",
        "A request with the same `Idempotency-Key` is still being processed.",
        "Wait as long as `Retry-After` says, then repeat the request unchanged.";
    Conflict = 409 "conflict" "Conflict with another request",
        "Another request changed the same data at the same time.",
        "Read the resource again, and repeat the request if it still applies.";
    AlreadyEnded = 409 "already_ended" "Already ended",
        "The impersonation has already ended or expired.",
        "No action is required.";
    Stale = 412 "stale" "Resource changed since you read it",
        "The version in `If-Match` is not the current one.",
        "Read it again, apply your change to the current version, and send its `ETag` in \
         `If-Match`.";
    BodyTooLarge = 413 "body_too_large" "Body too large",
        "The body is larger than the server accepts.",
        "Send a smaller body. The detail gives the limit.";
    UnsupportedMediaType = 415 "unsupported_media_type" "Unsupported media type",
        "The body is not declared as JSON, or is compressed.",
        "Send `Content-Type: application/json` without `Content-Encoding`.";
    InvalidBody = 422 "invalid_body" "Invalid body",
        "A field of the body is unknown, missing, or has an invalid value.",
        "Correct the fields that `errors` lists by JSON pointer.";
    WeakPassword = 422 "weak_password" "New password too weak",
        "The new password is too short, common, or derived from your account.",
        "Choose 12 to 128 characters that are hard to guess, such as four random words.";
    NotConfirmed = 422 "not_confirmed" "Confirmation does not match",
        "The confirmation differs from the slug of the org in the path.",
        "Send the exact slug of the org as `confirm_slug`.";
    IdempotencyKeyReused = 422 "idempotency_key_reused" "Idempotency-Key used for another request",
        "The key was used for a request with another path or body within 24 hours.",
        "Send a new key for each new operation.";
    NotStaff = 422 "not_staff" "User is not staff",
        "The user to remove from staff has no staff tier.",
        "No action is required: the user has no tier.";
    TooManyAttempts = 429 "too_many_attempts" "Too many failed attempts",
        "Too many sign-ins or password checks failed for the account or from your address.",
        "Wait as long as `Retry-After` says. Existing sessions keep working.";
    TooManyStreams = 429 "too_many_streams" "Too many open streams or exports",
        "You or your org have the maximum number of open streams, exports and searches.",
        "Close one, or wait until one ends.";
    Internal = 500 "internal" "Internal server error",
        "The server failed in a way that it does not handle.",
        "Report `request_id` to the operator: it identifies the cause in the server's log. \
         Nothing was changed.";
    Unavailable = 503 "unavailable" "Service unavailable",
        "The database does not respond, or the server is overloaded or stopping.",
        "Wait as long as `Retry-After` says, then repeat the request, with the same \
         `Idempotency-Key` if it had one.";
    OutcomeUnknown = 503 "outcome_unknown" "Outcome unknown",
        "The connection to the database was lost during a commit.",
        "Repeat the request with the same `Idempotency-Key`, or read the resource: the change may \
         have been made.";
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
                | Self::OutcomeUnknown
        )
    }
}
