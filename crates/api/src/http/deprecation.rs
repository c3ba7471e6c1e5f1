//! What every answer of an operation says that is on its way out: `Deprecation` (RFC 9745), `Sunset` (RFC 8594), and where to read on.

use std::time::{Duration, SystemTime};

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue, HttpDate};
use chrono::{NaiveDate, NaiveTime};
use postern_domain::operation::Deprecation;

pub fn announce(headers: &mut HeaderMap, deprecated: &Deprecation) {
    let value = |text: String| HeaderValue::from_str(&text).expect("made of visible characters");
    headers.insert(
        HeaderName::from_static("deprecation"),
        value(format!("@{}", seconds(deprecated.since))),
    );
    let until =
        HttpDate::from(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds(deprecated.sunset)));
    headers.insert(HeaderName::from_static("sunset"), value(until.to_string()));
    // Beside the pages that a list may lead to.
    headers.append(
        header::LINK,
        HeaderValue::from_static("</docs/>; rel=\"deprecation\"; type=\"text/html\""),
    );
}

/// From the beginning of 1970 to that of the day, in UTC.
fn seconds(day: NaiveDate) -> u64 {
    day.and_time(NaiveTime::MIN).and_utc().timestamp().max(0).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_each_header_wants_them() {
        let mut headers = HeaderMap::new();
        headers.insert(header::LINK, HeaderValue::from_static("</v1/orgs?cursor=x>; rel=\"next\""));
        // Computed with date(1).
        announce(&mut headers, &Deprecation::new((2026, 12, 1), (2027, 6, 1), "read_org"));
        assert_eq!(headers.get("deprecation").expect("it is there"), "@1796083200");
        assert_eq!(headers.get("sunset").expect("it is there"), "Tue, 01 Jun 2027 00:00:00 GMT");
        assert_eq!(headers.get_all(header::LINK).count(), 2);
    }
}
