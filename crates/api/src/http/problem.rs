//! Problems: error responses (RFC 9457).

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use chrono::TimeDelta;
use serde::Serialize;

use super::{code::Code, field_code::FieldCode, request_info::RequestInfo};

/// Media type of problems (RFC 9457, 3).
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Maximum length of details and pointers in characters, because they can quote the request.
const DETAIL: usize = 1_000;
const POINTER: usize = 500;

fn truncate(text: String, max: usize) -> String {
    if text.len() <= max { text } else { text.chars().take(max).collect() }
}

/// An error response.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    detail: Option<String>,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    allow: Option<String>,
    close: bool,
    unaudited: bool,
}

/// An invalid field or parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body, or `/name` of a query or path parameter.
    #[schema(example = "/email", max_length = 500)]
    pub pointer: String,
    /// Stable code of the error.
    pub code: FieldCode,
    /// Description of the error.
    #[schema(
        example = "must be an e-mail address like name@example.com, at most 254 characters",
        max_length = 1000
    )]
    pub detail: String,
}

/// An error response (RFC 9457).
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// URL of a page that explains the code.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", example = "/problems/permission_denied", max_length = 200)]
    kind: String,
    /// Short description; always the same for a code.
    #[schema(example = "Permission denied", max_length = 100)]
    title: &'a str,
    /// HTTP status of the response.
    #[schema(example = 403, minimum = 400, maximum = 599)]
    status: u16,
    /// Cause of this problem, or the action to take.
    #[schema(example = "requires the permission members:manage", max_length = 1000)]
    detail: &'a str,
    /// Stable code of the problem.
    #[schema(value_type = Code)]
    code: &'a str,
    /// ID of the request in the server's log.
    #[schema(example = "0b8a1c7e4f5d4a1b9c3e2d1f0a9b8c7d", max_length = 64)]
    request_id: &'a str,
    /// Invalid fields and parameters, for invalid input.
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
            unaudited: false,
        }
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(truncate(detail.into(), DETAIL));
        self
    }

    #[must_use]
    pub fn field(
        mut self,
        pointer: impl Into<String>,
        code: FieldCode,
        detail: impl Into<String>,
    ) -> Self {
        let (pointer, detail) =
            (truncate(pointer.into(), POINTER), truncate(detail.into(), DETAIL));
        self.errors.push(FieldError { pointer, code, detail });
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

    /// Closes the connection after the response, without reading the rest of the request.
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
    pub fn first_error(&self) -> Option<(&str, FieldCode)> {
        self.errors.first().map(|error| (error.pointer.as_str(), error.code))
    }

    /// 404 for resources that do not exist, or that the caller has no access to. The text is always
    /// the same.
    #[must_use]
    pub const fn not_found() -> Self {
        Self::new(Code::NotFound)
    }

    /// 404 for resources of a log that the caller has access to, but that do not exist yet or any
    /// more. Not recorded as a denial.
    #[must_use]
    pub fn not_found_yet() -> Self {
        Self { unaudited: true, ..Self::not_found() }
    }

    /// Whether this is a 404 that must be recorded as a denial.
    #[must_use]
    pub const fn is_denial(&self) -> bool {
        matches!(self.code, Code::NotFound) && !self.unaudited
    }

    /// 429 after too many failed password checks. `wait` is the time until the next attempt.
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
            self.retry_after.or_else(|| self.code.is_temporary().then_some(Duration::from_secs(2)))
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
            kind: format!("{}/problems/{}", request_info.base_path, self.code.name()),
            title: self.code.title(),
            status: status.as_u16(),
            detail: self.detail.as_deref().unwrap_or(self.code.remedy()),
            code: self.code.name(),
            request_id: &request_info.request_id,
            errors: &self.errors,
        };
        response
            .content_type(MEDIA_TYPE)
            .body(serde_json::to_string(&body).expect("problems serialize to JSON"))
    }

    /// Value of `WWW-Authenticate`: no error code if no token was sent (RFC 6750, 3).
    const fn challenge(&self) -> &'static str {
        match self.code {
            Code::Unauthenticated | Code::InvalidCredentials | Code::InvalidRefreshToken => {
                "Bearer realm=\"postern\""
            }
            _ => "Bearer realm=\"postern\", error=\"invalid_token\"",
        }
    }
}
