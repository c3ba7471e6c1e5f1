//! Response headers of deprecated operations: `Deprecation` (RFC 9745), `Sunset` (RFC 8594), and a
//! `Link` to the documentation.

use std::time::{Duration, SystemTime};

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue, HttpDate};
use chrono::{NaiveDate, NaiveTime};
use postern_domain::operation::Deprecation;

pub fn announce(headers: &mut HeaderMap, deprecated: &Deprecation) {
    let value = |text: String| HeaderValue::from_str(&text).expect("visible ASCII");
    headers.insert(
        HeaderName::from_static("deprecation"),
        value(format!("@{}", seconds(deprecated.since))),
    );
    let until =
        HttpDate::from(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds(deprecated.sunset)));
    headers.insert(HeaderName::from_static("sunset"), value(until.to_string()));
    // Appended, because lists have a `Link` header for their pages.
    headers.append(
        header::LINK,
        HeaderValue::from_static("</docs/>; rel=\"deprecation\"; type=\"text/html\""),
    );
}

/// Unix time of the start of the day in UTC.
fn seconds(day: NaiveDate) -> u64 {
    day.and_time(NaiveTime::MIN).and_utc().timestamp().max(0).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_header_has_its_date_format() {
        let mut headers = HeaderMap::new();
        headers.insert(header::LINK, HeaderValue::from_static("</v1/orgs?cursor=x>; rel=\"next\""));
        // Computed with date(1).
        announce(&mut headers, &Deprecation::new((2026, 12, 1), (2027, 6, 1), "read_org"));
        assert_eq!(
            headers.get("deprecation").expect("is set"),
            "@1796083200",
            "RFC 9745: a Unix time"
        );
        assert_eq!(
            headers.get("sunset").expect("is set"),
            "Tue, 01 Jun 2027 00:00:00 GMT",
            "RFC 8594: an HTTP date"
        );
        assert_eq!(headers.get_all(header::LINK).count(), 2, "the existing Link header is kept");
    }
}
