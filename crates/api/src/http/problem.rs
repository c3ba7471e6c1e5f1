//! Every way in which Postern says no, once: RFC 9457 problems with a stable code, and for each a page that tells a
//! person what it means and what to do. `openapi/problems.md` is printed from here.

use std::{borrow::Cow, time::Duration};

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use chrono::TimeDelta;
use postern_domain::{
    chain,
    policy::{Denial, Unrecognised},
};
use postern_persistence::StoreError;
use serde::Serialize;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

use super::Facts;
use crate::identity::Busy;

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
        let words = ObjectBuilder::new().schema_type(Type::String).description(Some("The kind of a problem, as a stable word."));
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
        matches!(self, Self::IdempotencyInFlight | Self::TooManyAttempts | Self::TooManyOpen | Self::Unavailable)
    }
}

/// RFC 9457, 3.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// So much of what a request said is said back: characters of a detail, and of a pointer.
const DETAIL: usize = 1_000;
const POINTER: usize = 500;

fn cut(text: String, at: usize) -> String {
    if text.len() <= at { text } else { text.chars().take(at).collect() }
}

/// A way of saying no.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    detail: Option<String>,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    allow: Option<String>,
    close: bool,
    may_come: bool,
}

/// What is wrong with one field of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// Where it is: a JSON pointer (RFC 6901) into the body, or `/name` of a query or path parameter.
    #[schema(example = "/email")]
    pub pointer: String,
    /// What is wrong, as a stable word: `required`, `unknown`, `duplicate`, `invalid` (of another type), `nul_character`, or the rule that does not hold: `length`, `range`,
    /// `format`, `name`, `slug`, `email`, `colour`, `url`, `action`, `moment`, `weak`, `mismatch`, `taken`.
    #[schema(example = "format")]
    pub code: String,
    /// What is wrong, in words.
    #[schema(example = "an e-mail address looks like name@example.com")]
    pub detail: String,
}

/// A problem as it is sent (RFC 9457).
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// The address of a page about this kind of problem.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", example = "/problems/permission_denied")]
    kind: String,
    /// What it is, in a line; the same for each of its kind.
    #[schema(example = "You may not do this")]
    title: &'a str,
    /// The status of the answer once more.
    #[schema(example = 403, minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong this time, and what to do.
    #[schema(example = "this needs the permission members:manage")]
    detail: &'a str,
    /// The kind of problem.
    #[schema(value_type = Code)]
    code: &'a str,
    /// Leads to this request in the server's log.
    #[schema(example = "0b8a1c7e4f5d4a1b9c3e2d1f0a9b8c7d")]
    request_id: &'a str,
    /// For invalid input: each fault.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [FieldError],
}

impl Problem {
    #[must_use]
    pub const fn new(code: Code) -> Self {
        Self { code, detail: None, errors: Vec::new(), retry_after: None, allow: None, close: false, may_come: false }
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(cut(detail.into(), DETAIL));
        self
    }

    #[must_use]
    pub fn field(mut self, pointer: impl Into<String>, code: impl Into<String>, detail: impl Into<String>) -> Self {
        let (pointer, detail) = (cut(pointer.into(), POINTER), cut(detail.into(), DETAIL));
        self.errors.push(FieldError { pointer, code: code.into(), detail });
        self
    }

    #[must_use]
    pub fn fields(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    #[must_use]
    pub const fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    #[must_use]
    pub fn allow(mut self, methods: String) -> Self {
        self.allow = Some(methods);
        self
    }

    /// The rest of the request is not worth reading: the connection is closed after the answer.
    #[must_use]
    pub const fn close(mut self) -> Self {
        self.close = true;
        self
    }

    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    #[cfg(test)]
    pub fn first_error(&self) -> (String, String) {
        self.errors.first().map(|error| (error.pointer.clone(), error.code.clone())).unwrap_or_default()
    }

    /// What is not there, or must look as if it were not. Always the same words.
    #[must_use]
    pub const fn not_found() -> Self {
        Self::new(Code::NotFound)
    }

    /// What is not there, and may be later, or was once: whoever asks knows where it would stand, and is denied nothing.
    #[must_use]
    pub fn not_there_now() -> Self {
        Self { may_come: true, ..Self::not_found() }
    }

    /// Whether it is about something that is not here, or must look as if it were not.
    #[must_use]
    pub const fn hides(&self) -> bool {
        matches!(self.code, Code::NotFound) && !self.may_come
    }

    /// Too many failures to prove a password; `wait` is how long they count.
    #[must_use]
    pub fn too_many_attempts(wait: TimeDelta) -> Self {
        Self::new(Code::TooManyAttempts).retry_after(Duration::from_secs(wait.num_seconds().max(1).unsigned_abs()))
    }

    #[must_use]
    pub fn respond(&self, facts: &Facts) -> HttpResponse {
        let status = self.code.status();
        let mut response = HttpResponse::build(status);
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, HeaderValue::from_static(self.challenge())));
        }
        if let Some(wait) = self.retry_after.or_else(|| self.code.is_passing().then_some(Duration::from_secs(2))) {
            response.insert_header((header::RETRY_AFTER, wait.as_secs().max(1).to_string()));
        }
        if let Some(methods) = &self.allow {
            response.insert_header((header::ALLOW, methods.as_str()));
        }
        if self.close {
            response.force_close();
        }
        let body = ProblemBody {
            kind: format!("/problems/{}", self.code.name()),
            title: self.code.title(),
            status: status.as_u16(),
            detail: self.detail.as_deref().unwrap_or(self.code.remedy()),
            code: self.code.name(),
            request_id: &facts.request_id,
            errors: &self.errors,
        };
        response.content_type(MEDIA_TYPE).body(serde_json::to_string(&body).expect("a problem is plain data"))
    }

    /// RFC 6750, 3: no error code where no token was sent.
    const fn challenge(&self) -> &'static str {
        match self.code {
            Code::Unauthenticated | Code::InvalidCredentials | Code::InvalidRefreshToken => "Bearer realm=\"postern\"",
            _ => "Bearer realm=\"postern\", error=\"invalid_token\"",
        }
    }
}

impl From<Denial> for Problem {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::NotFound => Self::not_found(),
            Denial::Forbidden(permission) => Self::new(Code::PermissionDenied).detail(format!("this needs the permission {permission}")),
            Denial::Blocked => Self::new(Code::ImpersonationBlocked),
            Denial::ReadOnly => Self::new(Code::ImpersonationReadOnly),
        }
    }
}

impl From<Unrecognised> for Problem {
    fn from(unrecognised: Unrecognised) -> Self {
        Self::new(match unrecognised {
            Unrecognised::SessionEnded => Code::SessionEnded,
            Unrecognised::ImpersonationEnded => Code::ImpersonationEnded,
            Unrecognised::ImpersonationExpired => Code::ImpersonationExpired,
        })
    }
}

/// The cause is logged here, once; the client gets the request id that leads to it.
impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let cause = chain(&error);
        match error {
            StoreError::Conflict(_) => {
                tracing::info!(cause, "a write conflicts with what is there");
                Self::new(Code::Conflict)
            }
            StoreError::Unavailable(_) => {
                tracing::error!(cause, "the database is not available");
                Self::new(Code::Unavailable)
            }
            StoreError::Corrupt(_) | StoreError::Broken(_) => {
                tracing::error!(cause, "this should not have happened");
                Self::new(Code::Internal)
            }
        }
    }
}

impl From<Busy> for Problem {
    fn from(busy: Busy) -> Self {
        tracing::warn!("{busy}");
        Self::new(Code::Unavailable).detail(busy.to_string()).retry_after(Duration::from_secs(5))
    }
}
