//! Input of a handler besides its call.

use std::cell::OnceCell;

use actix_web::{HttpRequest, web::Bytes};
use chrono::{DateTime, Utc};
use utoipa::openapi::path::Parameter;

use super::{code::Code, problem::Problem};

/// A request with its complete body.
pub struct Input {
    pub request: HttpRequest,
    pub body: Bytes,
    /// Time at which the access token is verified, for calls that outlast it.
    pub token_checked_at: OnceCell<DateTime<Utc>>,
}

/// An argument that a handler can take besides its call. It declares its parameters and problems
/// once, for extraction and for the OpenAPI document.
pub trait FromInput: Sized {
    const TAKES_BODY: bool = false;
    /// Whether it selects a page of a list.
    const PAGES: bool = false;
    /// Problems that its extraction can return.
    const PROBLEMS: &'static [Code] = &[];

    /// Parameters that it reads. Query parameters that no argument of a handler reads are rejected.
    #[must_use]
    fn parameters() -> Vec<Parameter> {
        Vec::new()
    }

    fn from_input(input: &Input) -> Result<Self, Problem>;
}
