//! A way of saying no: what it is sent as (RFC 9457), and what of ours becomes one.

use std::time::Duration;

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
    policy::{AuthenticationError, Denial},
};
use postern_persistence::StoreError;
use serde::Serialize;

use super::{RequestInfo, code::Code};
use crate::identity::Busy;

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
    /// `format`, `name`, `slug`, `email`, `color`, `url`, `action`, `moment`, `weak`, `mismatch`, `taken`.
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
        Self {
            code,
            detail: None,
            errors: Vec::new(),
            retry_after: None,
            allow: None,
            close: false,
            may_come: false,
        }
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(cut(detail.into(), DETAIL));
        self
    }

    #[must_use]
    pub fn field(
        mut self,
        pointer: impl Into<String>,
        code: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
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
        self.errors
            .first()
            .map(|error| (error.pointer.clone(), error.code.clone()))
            .unwrap_or_default()
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
        Self::new(Code::TooManyAttempts)
            .retry_after(Duration::from_secs(wait.num_seconds().max(1).unsigned_abs()))
    }

    #[must_use]
    pub fn respond(&self, request_info: &RequestInfo) -> HttpResponse {
        let status = self.code.status();
        let mut response = HttpResponse::build(status);
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header((
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(self.challenge()),
            ));
        }
        if let Some(wait) =
            self.retry_after.or_else(|| self.code.is_passing().then_some(Duration::from_secs(2)))
        {
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
            request_id: &request_info.request_id,
            errors: &self.errors,
        };
        response
            .content_type(MEDIA_TYPE)
            .body(serde_json::to_string(&body).expect("a problem is plain data"))
    }

    /// RFC 6750, 3: no error code where no token was sent.
    const fn challenge(&self) -> &'static str {
        match self.code {
            Code::Unauthenticated | Code::InvalidCredentials | Code::InvalidRefreshToken => {
                "Bearer realm=\"postern\""
            }
            _ => "Bearer realm=\"postern\", error=\"invalid_token\"",
        }
    }
}

impl From<Denial> for Problem {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::NotFound => Self::not_found(),
            Denial::Forbidden(permission) => Self::new(Code::PermissionDenied)
                .detail(format!("this needs the permission {permission}")),
            Denial::Blocked => Self::new(Code::ImpersonationBlocked),
            Denial::ReadOnly => Self::new(Code::ImpersonationReadOnly),
        }
    }
}

impl From<AuthenticationError> for Problem {
    fn from(unrecognised: AuthenticationError) -> Self {
        Self::new(match unrecognised {
            AuthenticationError::SessionEnded => Code::SessionEnded,
            AuthenticationError::ImpersonationEnded => Code::ImpersonationEnded,
            AuthenticationError::ImpersonationExpired => Code::ImpersonationExpired,
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
