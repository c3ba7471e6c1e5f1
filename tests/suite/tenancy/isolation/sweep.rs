//! Requests of the sweep. Each sends one value of the other org, then a nonexistent one, and
//! compares the responses.

use postern_tests::{App, Person, Response};
use serde_json::json;

use super::{
    operations::DocumentedOperation,
    other_org::{OtherOrg, Pair},
};

/// Path parameters that do not identify a row of an org.
const OTHER_PARAMETERS: [&str; 4] = ["key", "code", "level", "tile"];

/// The requests of one caller, a member of acme. Methods return the number of compared pairs.
pub struct Sweep<'a> {
    pub t: &'a App,
    pub other_org: &'a OtherOrg,
    pub caller: &'a Person<'a>,
}

impl Sweep<'_> {
    /// Every path parameter.
    pub async fn path_parameters(&self, operation: &DocumentedOperation) -> u32 {
        let names = operation
            .path
            .split('{')
            .skip(1)
            .map(|part| part.split('}').next().expect("the parameter has a name"));
        let mut compared = 0;
        for name in names.filter(|name| !OTHER_PARAMETERS.contains(name)) {
            self.path_parameter(operation, name, &self.other_org.ids[prefix(name)]).await;
            compared += 1;
            if name == "org" {
                self.path_parameter(operation, name, &Pair::new(&"globex", &"nowhere")).await;
                compared += 1;
            }
        }
        compared
    }

    async fn path_parameter(&self, operation: &DocumentedOperation, name: &str, pair: &Pair) {
        let before = self.t.recorded("permission.denied").await;
        let response = self.send(operation, &self.path(operation, name, &pair.existing)).await;
        let denials = self.t.recorded("permission.denied").await - before;
        let reference = self.send(operation, &self.path(operation, name, &pair.nonexistent)).await;
        self.assert_same_response(operation, pair, &response, &reference);
        assert!(
            [403, 404].contains(&response.status),
            "{operation} is denied: {} {}",
            response.status,
            response.body
        );
        assert_eq!(denials, 1, "{operation}: one permission.denied event");
    }

    /// Every query parameter with every value. Only the responses are compared: a rejected search
    /// is recorded in the caller's log.
    pub async fn query_parameters(&self, operation: &DocumentedOperation) -> u32 {
        let path = self.path(operation, "org", "acme");
        let mut compared = 0;
        for name in &operation.query {
            for pair in self.other_org.ids.values().chain(&self.other_org.words) {
                let with = |value: &str| {
                    format!("{path}?{name}={}", value.replace('@', "%40").replace(' ', "%20"))
                };
                let response = self.send(operation, &with(&pair.existing)).await;
                let reference = self.send(operation, &with(&pair.nonexistent)).await;
                self.assert_same_response(operation, pair, &response, &reference);
                compared += 1;
            }
        }
        compared
    }

    /// Every id in the request body.
    pub async fn body_fields(&self, operation: &DocumentedOperation) -> u32 {
        let mut compared = 0;
        for pointer in &operation.ids_in_body {
            let name = pointer.rsplit('/').next().expect("the pointer ends with a name");
            let pair = &self.other_org.ids[prefix(name)];
            let path = self.path(operation, "org", "acme");
            let with = |value: &str| {
                let mut body = operation.body.clone().expect("the operation has a body");
                *body.pointer_mut(pointer).expect("the pointer resolves") = json!(value);
                Some(body)
            };
            let method = &operation.method;
            let response = self.caller.send(method, &path, with(&pair.existing)).await;
            let reference = self.caller.send(method, &path, with(&pair.nonexistent)).await;
            self.assert_same_response(operation, pair, &response, &reference);
            assert!(
                (400..500).contains(&response.status),
                "{operation} is rejected: {}",
                response.body
            );
            compared += 1;
        }
        compared
    }

    /// Path of the operation with `value` for the parameter `name`. `{org}` is the caller's org;
    /// other ids are nonexistent ones.
    fn path(&self, operation: &DocumentedOperation, name: &str, value: &str) -> String {
        let mut path = operation
            .path
            .replace(&format!("{{{name}}}"), value)
            .replace("{org}", "acme")
            .replace("{key}", "sso")
            .replace("{code}", "not_found")
            .replace("{level}", "0")
            .replace("{tile}", "000.p/1");
        while let Some((head, rest)) = path.split_once('{') {
            let (other, tail) = rest.split_once('}').expect("the path parameter is closed");
            path = format!("{head}{}{tail}", self.other_org.ids[prefix(other)].nonexistent);
        }
        path
    }

    async fn send(&self, operation: &DocumentedOperation, path: &str) -> Response {
        let body = if operation.is_public { None } else { operation.body.clone() };
        self.caller.send(&operation.method, path, body).await
    }

    /// Asserts that both responses are equal except for the value that was sent, and contain no
    /// marker.
    fn assert_same_response(
        &self,
        operation: &DocumentedOperation,
        pair: &Pair,
        existing: &Response,
        nonexistent: &Response,
    ) {
        let request = format!("{operation} with {}", pair.existing);
        assert_eq!(
            existing.status, nonexistent.status,
            "{request}: same status: {} / {}",
            existing.body, nonexistent.body
        );
        let body = without_value(existing, &pair.existing);
        assert_eq!(body, without_value(nonexistent, &pair.nonexistent), "{request}: same body");
        assert_eq!(headers(existing), headers(nonexistent), "{request}: same headers");
        for marker in &self.other_org.markers {
            assert!(
                !body.contains(marker),
                "{request} does not reveal {marker}: {}",
                existing.body
            );
            let in_headers = existing
                .headers
                .values()
                .any(|value| value.to_str().is_ok_and(|value| value.contains(marker)));
            assert!(!in_headers, "{request} does not reveal {marker}: {:?}", existing.headers);
        }
    }
}

/// ID prefix that a path parameter or body field of this name takes.
fn prefix(name: &str) -> &str {
    match name {
        "org" => "org",
        "member" => "mem",
        "event" => "evt",
        "session" => "sess",
        "impersonation" => "imp",
        "user" | "target_user_id" => "user",
        other => panic!("add the id prefix of {other} here"),
    }
}

/// The response body without its request id and the value that was sent.
fn without_value(response: &Response, sent: &str) -> String {
    response.without_request_id().replace(sent, "<sent value>")
}

/// Names and values of the headers, except those that differ between equal responses.
fn headers(response: &Response) -> Vec<(String, Vec<u8>)> {
    let mut headers: Vec<_> = response
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    // The length differs if the response repeats the value.
    headers
        .retain(|(name, _)| !["date", "x-request-id", "content-length"].contains(&name.as_str()));
    headers.sort_by(|a, b| a.0.cmp(&b.0));
    headers
}
