//! A caller of the API and the responses to it.

use reqwest::{RequestBuilder, header::HeaderMap};
use serde_json::Value;

use crate::{App, contract};

/// A caller of the API, signed in or not.
pub struct Person<'a> {
    app: &'a App,
    pub token: Option<String>,
}

/// A complete response.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
    /// Null if the body is not JSON.
    pub json: Value,
}

impl<'a> Person<'a> {
    pub const fn new(app: &'a App, token: Option<String>) -> Self {
        Self { app, token }
    }

    /// Builder of a request with the caller's token.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = method.parse().expect("an HTTP method");
        let request = self.app.client.request(method, format!("{}{path}", self.app.address));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> Response {
        let response = Response::of(self.request("GET", path).send().await).await;
        contract::assert_documented("GET", path, &response);
        response
    }

    pub async fn post(&self, path: &str, body: Value) -> Response {
        self.send("POST", path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Response {
        self.send("PATCH", path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Response {
        self.send("PUT", path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Response {
        self.send("DELETE", path, None).await
    }

    /// Sends a request and checks the response against the contract. A POST gets a new idempotency
    /// key.
    pub async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Response {
        let mut request = self.request(method, path);
        if method == "POST" {
            request = request.header("idempotency-key", self.app.state.new_request_id());
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = Response::of(request.send().await).await;
        contract::assert_documented(method, path, &response);
        response
    }
}

impl Response {
    pub async fn of(response: Result<reqwest::Response, reqwest::Error>) -> Self {
        let response = response.expect("the server responds");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // The body of an event stream does not end.
        let is_stream = headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let body = if is_stream {
            String::new()
        } else {
            response.text().await.expect("the body is complete")
        };
        let json = serde_json::from_str(&body).unwrap_or(Value::Null);
        Self { status, headers, body, json }
    }

    /// Asserts the status, and for errors the shape of a problem.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "the response has status {status}: {}", self.body);
        if status >= 400 {
            assert_eq!(
                self.header("content-type"),
                "application/problem+json",
                "an error is a problem: {}",
                self.body
            );
            assert_eq!(self.json["status"], status, "the problem has the status: {}", self.body);
            assert_eq!(
                self.json["request_id"],
                self.header("x-request-id"),
                "the problem has the request id of the header"
            );
            assert_eq!(
                self.json["type"],
                format!("/problems/{}", self.text("/code")),
                "the type of the problem refers to its code"
            );
        }
        if status == 401 {
            assert!(
                self.header("www-authenticate").starts_with("Bearer"),
                "401 has the header WWW-Authenticate: Bearer"
            );
        }
        if status == 429 || status == 503 {
            let retry_after = self.header("retry-after");
            assert!(
                retry_after.parse::<u64>().is_ok_and(|seconds| seconds > 0),
                "{status} has a Retry-After in seconds, not {retry_after:?}"
            );
        }
        self
    }

    /// Asserts a problem with this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Self {
        let response = self.expect(status);
        assert_eq!(response.json["code"], code, "the problem is {code}: {}", response.body);
        response
    }

    /// The string at a JSON pointer.
    #[track_caller]
    pub fn text(&self, pointer: &str) -> String {
        let value = self.json.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_else(|| panic!("no string at {pointer} of {}", self.body)).to_owned()
    }

    /// Value of a header; empty if there is none.
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }

    pub fn has_header(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// The body without the request id: what must be equal for missing and inaccessible resources.
    pub fn without_request_id(&self) -> String {
        self.body.replace(&self.header("x-request-id"), "")
    }
}
