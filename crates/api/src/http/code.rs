//! Every way in which Postern says no, once, by a stable code; and for each what a person should know of it. `openapi/problems.md` is printed from here.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

macro_rules! problems {
    ($($name:ident = $status:literal $code:literal $title:literal, $remedy:literal;)+) => {
        /// What kind of problem it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($name),+ }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }

            /// What to do about it.
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
    MalformedJson = 400 "malformed_json" "The body is not JSON",
        "Send one JSON value in UTF-8, nested no deeper than 128 levels, with no member twice in one object.";
    InvalidQuery = 400 "invalid_query" "A query parameter is not acceptable",
        "Look up in the API document which parameters the operation takes and in what form; `errors` names the one.";
    InvalidCursor = 400 "invalid_cursor" "The cursor is not one of this list",
        "Use `next_cursor` and `prev_cursor` as they were given, with the same filters, in the same list. To start over, leave it out.";
    InvalidId = 400 "invalid_id" "An id in the path is not well-formed",
        "Ids are given out by the API, as in `mem_01k7fgpr00e00800000000000g`; use them as they are.";
    InvalidHeader = 400 "invalid_header" "A header is not acceptable",
        "The detail says which header, and what it must look like.";
    IdempotencyKeyRequired = 400 "idempotency_key_required" "The operation needs an Idempotency-Key",
        "Send an `Idempotency-Key` header with a new random value for each new intention, and the same value when you repeat a request.";
    Unauthenticated = 401 "unauthenticated" "Nobody is signed in",
        "Send `Authorization: Bearer …` with an access token from `POST /v1/auth/login`.";
    InvalidToken = 401 "invalid_token" "The access token is not valid",
        "Use an access token as it was given out. Refresh tokens, API keys and tokens of other issuers do not open this door.";
    TokenExpired = 401 "token_expired" "The access token has expired",
        "Get a fresh one with `POST /v1/auth/refresh`.";
    SessionEnded = 401 "session_ended" "The session has ended",
        "Sign in again.";
    ImpersonationExpired = 401 "impersonation_expired" "The impersonation has expired",
        "If it is still needed, start another one, with its own reason.";
    ImpersonationEnded = 401 "impersonation_ended" "The impersonation has ended",
        "If it is still needed, start another one, with its own reason.";
    InvalidCredentials = 401 "invalid_credentials" "E-mail address or password is wrong",
        "Check both. Nobody is told which of them was wrong.";
    InvalidRefreshToken = 401 "invalid_refresh_token" "The refresh token is not valid",
        "Each refresh token works once. If one was used twice its session has been ended: sign in again.";
    PermissionDenied = 403 "permission_denied" "You may not do this",
        "The detail names the permission. An owner of the org, or for staff a super admin, can give it to you.";
    ImpersonationBlocked = 403 "impersonation_blocked" "This is never done under impersonation",
        "The person themselves must do it.";
    ImpersonationReadOnly = 403 "impersonation_read_only" "This impersonation may only look",
        "Start one with `mode: full`, and say in its reason why.";
    AboveOwnRole = 403 "above_own_role" "Nobody acts on, or grants, a role above their own",
        "Ask somebody with the higher role.";
    CannotImpersonate = 403 "cannot_impersonate" "This person cannot be impersonated",
        "Staff, oneself and suspended users are never impersonated.";
    WrongPassword = 403 "wrong_password" "The current password is wrong",
        "Give the password you sign in with now.";
    OwnTier = 403 "own_tier" "Nobody changes their own tier",
        "Ask another super admin.";
    NotFound = 404 "not_found" "There is no such thing here",
        "Check the address. What belongs to an org that you are not in looks the same as what does not exist.";
    MethodNotAllowed = 405 "method_not_allowed" "The resource does not know this method",
        "The `Allow` header lists the methods it knows.";
    RequestTimeout = 408 "request_timeout" "The request took too long to arrive",
        "Send the whole body without pausing.";
    LastOwner = 409 "last_owner" "An org keeps at least one owner",
        "Make somebody else an owner first.";
    SlugTaken = 409 "slug_taken" "The slug is taken",
        "Choose another one; slugs are unique and never given out again.";
    SuperAdminLimit = 409 "super_admin_limit" "There are as many super admins as there may be",
        "Give one of them another tier first, or raise `staff.max_super_admins` in the configuration.";
    LastSuperAdmin = 409 "last_super_admin" "The last super admin stays one",
        "Make somebody else a super admin first.";
    IdempotencyInFlight = 409 "idempotency_in_flight" "The first request with this Idempotency-Key is still running",
        "Wait a moment and repeat the request as it is.";
    Conflict = 409 "conflict" "Somebody else changed this meanwhile",
        "Read it again, and decide again.";
    AlreadyEnded = 409 "already_ended" "It has ended already",
        "There is nothing left to do.";
    Stale = 412 "stale" "The resource has changed since you read it",
        "Read it again, apply your change to what it is now, and send that with the new `ETag` in `If-Match`.";
    BodyTooLarge = 413 "body_too_large" "The body is too large",
        "Send less; the detail says how much is accepted.";
    UnsupportedMediaType = 415 "unsupported_media_type" "The body is not of a supported media type",
        "Send `Content-Type: application/json`, uncompressed.";
    InvalidBody = 422 "invalid_body" "The body is not acceptable",
        "`errors` says for each field, by JSON pointer, what is wrong with it.";
    WeakPassword = 422 "weak_password" "The new password is too easy to guess",
        "Take 12 to 128 characters that nobody else takes: four random words do well.";
    NotConfirmed = 422 "not_confirmed" "The confirmation does not match",
        "Give the org's slug, exactly as it is, as `confirm_slug`.";
    IdempotencyKeyReused = 422 "idempotency_key_reused" "The Idempotency-Key was used for another request",
        "Take a new key for each new intention.";
    NotStaff = 422 "not_staff" "This person is not staff",
        "There is no tier to take away.";
    TooManyAttempts = 429 "too_many_attempts" "Too many failed attempts",
        "Wait as long as `Retry-After` says. Sessions that are open go on working.";
    TooManyOpen = 429 "too_many_open" "You have too many streams and exports open",
        "Close one, or wait until one has ended.";
    Internal = 500 "internal" "Something is wrong with the server",
        "Nothing was changed. Tell the operator the `request_id`, which leads to the cause in the server's log.";
    Unavailable = 503 "unavailable" "The service is not available right now",
        "Nothing was changed. Repeat the request after the time in `Retry-After`.";
}

impl utoipa::PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        let words = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The kind of a problem, as a stable word."));
        words.enum_values(Some(Self::ALL.iter().map(|code| code.name()))).into()
    }
}

impl utoipa::ToSchema for Code {
    fn name() -> Cow<'static, str> {
        "ProblemCode".into()
    }
}

impl Code {
    /// Whether waiting helps: such a problem says for how long.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        matches!(
            self,
            Self::IdempotencyInFlight
                | Self::TooManyAttempts
                | Self::TooManyOpen
                | Self::Unavailable
        )
    }
}
