//! Input of a handler besides its call.

use std::cell::OnceCell;

use actix_web::{HttpRequest, web::Bytes};
use chrono::{DateTime, Utc};

use super::problem::Problem;

/// A request with its complete body.
pub struct Input {
    pub request: HttpRequest,
    pub body: Bytes,
    /// Time at which the access token is verified, for calls that outlast it.
    pub token_checked_at: OnceCell<DateTime<Utc>>,
}

/// An argument that a handler can take besides its call.
pub trait FromInput: Sized {
    const TAKES_BODY: bool = false;
    /// Query parameters that it reads. Parameters that no argument reads are rejected.
    const QUERY: &'static [&'static str] = &[];

    fn from_input(input: &Input) -> Result<Self, Problem>;
}
