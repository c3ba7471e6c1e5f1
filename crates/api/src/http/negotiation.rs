//! Content negotiation: the media type of a response (RFC 9110, 12).

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, Accept, Header, HeaderValue, Quality},
};

use super::{
    code::Code,
    download::Download,
    input::{FromInput, Input},
    problem::Problem,
    reply::{Reply, Respond},
};

/// JSON, or the same content in another media type.
pub enum Negotiated<T> {
    Json(Reply<T>),
    Other(Download),
}

impl<T> Respond for Negotiated<T> {
    fn respond(self, replayed: bool) -> HttpResponse {
        let mut response = match self {
            Self::Json(reply) => reply.respond(replayed),
            Self::Other(download) => download.respond(replayed),
        };
        // A single header: Cors reads and extends only the first `Vary`.
        response
            .headers_mut()
            .insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
        response
    }
}

/// A client that accepts JSON. Others get 406, if they expect something else than a page.
#[derive(Debug)]
pub struct AcceptsJson;

impl FromInput for AcceptsJson {
    const PROBLEMS: &'static [Code] = &[Code::NotAcceptable];

    fn from_input(input: &Input) -> Result<Self, Problem> {
        let accepted = preferred(&input.request, &[JSON]);
        accepted.map(|_| Self).ok_or_else(|| Problem::new(Code::NotAcceptable))
    }
}

/// Whether the client prefers HTML, as browsers do.
#[derive(Debug)]
pub struct PrefersHtml(pub bool);

impl FromInput for PrefersHtml {
    fn from_input(input: &Input) -> Result<Self, Problem> {
        Ok(Self(accepted(&input.request, &[JSON, HTML]) == HTML))
    }
}

const JSON: &str = "application/json";
const HTML: &str = "text/html";

/// The offered media type that the client prefers: the first if it accepts none.
fn accepted<'o>(request: &HttpRequest, offered: &[&'o str]) -> &'o str {
    preferred(request, offered).unwrap_or(offered[0])
}

/// The offered media type that the client prefers: the first if `Accept` is missing or malformed,
/// none if the client accepts none.
fn preferred<'o>(request: &HttpRequest, offered: &[&'o str]) -> Option<&'o str> {
    let ranges = Accept::parse(request).map(|accept| accept.0).unwrap_or_default();
    if ranges.is_empty() {
        return offered.first().copied();
    }
    let (accepted, excluded): (Vec<_>, Vec<_>) =
        ranges.into_iter().partition(|range| range.quality > Quality::ZERO);
    let is_excluded = |kind: &str| excluded.iter().any(|range| range.item.essence_str() == kind);
    let accepted = Accept(accepted).ranked();
    let matches = |range: &str, kind: &str| {
        range == "*/*"
            || range == kind
            || range
                .strip_suffix('*')
                .is_some_and(|family| family.ends_with('/') && kind.starts_with(family))
    };
    let first =
        |range: &str| offered.iter().find(|kind| matches(range, kind) && !is_excluded(kind));
    accepted.iter().find_map(|range| first(range.essence_str())).copied()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn preferred_media_type_is_selected_and_json_is_the_default() {
        for (accept, expected) in [
            ("", JSON),
            ("*/*", JSON),
            ("text/csv", "text/csv"),
            ("text/*", HTML),
            ("text/csv;q=0.1, application/json", JSON),
            ("application/json;q=0.1, text/csv", "text/csv"),
            ("text/csv;q=0, */*", JSON),
            ("text/html;q=0, text/*", "text/csv"),
            ("application/json;q=0, */*", HTML),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML),
            ("image/png", JSON),
            ("nonsense", JSON),
        ] {
            let request =
                TestRequest::default().insert_header(("accept", accept)).to_http_request();
            assert_eq!(accepted(&request, &[JSON, HTML, "text/csv"]), expected, "{accept}");
        }
    }

    #[test]
    fn json_is_accepted_unless_accept_excludes_it() {
        for (accept, is_accepted) in [
            ("", true),
            ("nonsense", true),
            ("*/*", true),
            ("application/*", true),
            ("text/csv, application/json;q=0.1", true),
            ("text/csv", false),
            ("application/x-ndjson, text/*", false),
            ("application/json;q=0, */*", false),
        ] {
            let request =
                TestRequest::default().insert_header(("accept", accept)).to_http_request();
            assert_eq!(preferred(&request, &[JSON]).is_some(), is_accepted, "{accept}");
        }
    }
}
