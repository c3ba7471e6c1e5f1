//! A client of an event stream.

use std::{pin::Pin, time::Duration};

use futures_util::{Stream, StreamExt};
use postern_tests::Person;
use serde_json::Value;

/// Path of acme's event stream.
pub const ACME_STREAM: &str = "/v1/orgs/acme/audit-events/stream";

/// An open event stream.
pub struct EventStream {
    chunks: Pin<Box<dyn Stream<Item = reqwest::Result<Vec<u8>>>>>,
    /// Text that was received and not yet returned.
    buffer: String,
}

impl EventStream {
    /// Opens the stream, with this `Last-Event-ID`.
    pub async fn open(caller: &Person<'_>, path: &str, last_event_id: Option<&str>) -> Self {
        let mut request = caller.request("GET", path).header("accept", "text/event-stream");
        if let Some(last) = last_event_id {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.expect("the server responds");
        assert_eq!(response.status(), 200, "the stream starts");
        assert_eq!(
            response.headers()["content-type"],
            "text/event-stream",
            "the response is an event stream"
        );
        let chunks = response.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec()));
        let mut stream = Self { chunks: Box::pin(chunks), buffer: String::new() };
        // The server subscribes to new events before it sends the `retry` line.
        let first = stream.next_block().await.expect("the stream starts with a block");
        assert!(first.starts_with("retry: 2000"), "the first block sets the retry time: {first}");
        stream
    }

    /// The next block without its final empty line, or none at the end of the stream.
    pub async fn next_block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.buffer = rest;
                return Some(block);
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.chunks.next())
                .await
                .expect("a block arrives within 30 seconds")?;
            self.buffer += std::str::from_utf8(&chunk.ok()?).expect("the stream is UTF-8");
        }
    }

    /// The next event with its `id` line, or none at the end of the stream.
    pub async fn next_event(&mut self) -> Option<(String, Value)> {
        loop {
            let block = self.next_block().await?;
            let line = |name: &str| {
                block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
            };
            if let (Some(id), Some(data)) = (line("id: "), line("data: ")) {
                assert_eq!(
                    line("event: ").as_deref(),
                    Some("audit_event"),
                    "events have the type audit_event"
                );
                return Some((id, serde_json::from_str(&data).expect("the text is valid JSON")));
            }
        }
    }

    /// The new name of acme in the next event.
    pub async fn next_name(&mut self) -> Value {
        let (_, event) = self.next_event().await.expect("an event arrives");
        event["metadata"]["name"]["new"].clone()
    }
}
