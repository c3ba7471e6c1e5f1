//! Which of several media types an answer is given in. (RFC 9110, 12)

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, Accept, Header, HeaderValue, Quality},
};

use super::{Download, FromInput, Input, Problem, Reply, Respond};

/// JSON, or the same as something else.
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
        // In one line: Cors goes by the first, and may be the only one to add to it.
        response
            .headers_mut()
            .insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
        response
    }
}

/// The kinds of file that a list may be asked for as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Ndjson,
    Csv,
}

impl Format {
    const ALL: [Self; 2] = [Self::Ndjson, Self::Csv];

    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
        }
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }
}

/// What a list is wanted as: a file, or the page that everybody else gets.
#[derive(Debug)]
pub struct StartRequest(pub Option<Format>);

impl FromInput for StartRequest {
    fn from_input(input: &Input) -> Result<Self, Problem> {
        let wanted = accepted(
            &input.request,
            &[JSON, Format::Ndjson.media_type(), Format::Csv.media_type()],
        );
        Ok(Self(Format::ALL.into_iter().find(|format| format.media_type() == wanted)))
    }
}

/// Whether it is a browser that asks, for a person.
#[derive(Debug)]
pub struct ForPerson(pub bool);

impl FromInput for ForPerson {
    fn from_input(input: &Input) -> Result<Self, Problem> {
        Ok(Self(accepted(&input.request, &[JSON, HTML]) == HTML))
    }
}

const JSON: &str = "application/json";
const HTML: &str = "text/html";

/// What of the media types offered is accepted before all others: the first, where `Accept` says nothing that could be understood.
fn accepted<'o>(request: &HttpRequest, offered: &[&'o str]) -> &'o str {
    let Ok(Accept(ranges)) = Accept::parse(request) else { return offered[0] };
    let (wanted, refused): (Vec<_>, Vec<_>) =
        ranges.into_iter().partition(|range| range.quality > Quality::ZERO);
    let is_refused = |kind: &str| refused.iter().any(|range| range.item.essence_str() == kind);
    let wanted = Accept(wanted).ranked();
    let fits = |range: &str, kind: &str| {
        range == "*/*"
            || range == kind
            || range
                .strip_suffix('*')
                .is_some_and(|family| family.ends_with('/') && kind.starts_with(family))
    };
    let first = |range: &str| offered.iter().find(|kind| fits(range, kind) && !is_refused(kind));
    wanted.iter().find_map(|range| first(range.essence_str())).unwrap_or(&offered[0])
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_most_wanted_is_given_and_json_where_nothing_fits() {
        for (accept, given) in [
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
            assert_eq!(accepted(&request, &[JSON, HTML, "text/csv"]), given, "{accept}");
        }
    }
}
