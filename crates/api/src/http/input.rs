//! What a handler is given of a request besides its call.

use actix_web::{HttpRequest, web::Bytes};

use super::problem::Problem;

/// A request that has arrived whole.
pub struct Input {
    pub request: HttpRequest,
    pub body: Bytes,
}

/// What a handler may ask for besides its call.
pub trait FromInput: Sized {
    const TAKES_BODY: bool = false;
    /// The query parameters it understands; one that nobody understands is refused.
    const QUERY: &'static [&'static str] = &[];

    fn from_input(input: &Input) -> Result<Self, Problem>;
}
