//! What a handler is given of a request besides its call.

use std::cell::OnceCell;

use actix_web::{HttpRequest, web::Bytes};
use chrono::{DateTime, Utc};

use super::problem::Problem;

/// A request that has arrived whole.
pub struct Input {
    pub request: HttpRequest,
    pub body: Bytes,
    /// When the token was good, for what goes on longer than it is.
    pub good_at: OnceCell<DateTime<Utc>>,
}

/// What a handler may ask for besides its call.
pub trait FromInput: Sized {
    const TAKES_BODY: bool = false;
    /// The query parameters it understands; one that nobody understands is refused.
    const QUERY: &'static [&'static str] = &[];

    fn from_input(input: &Input) -> Result<Self, Problem>;
}
