//! Responses other than JSON: text and bytes, complete or streamed while they are produced.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    HttpResponse,
    body::{BodySize, MessageBody},
    http::header::{self, ContentEncoding},
    web::Bytes,
};
use tokio::{sync::mpsc, time::timeout};

use super::{
    html_page::{HTML, PAGE_POLICY},
    reply::Respond,
};

/// Number of chunks buffered for a slow client; then the producer waits.
const CHUNKS: usize = 2;

/// Media type of server-sent events.
pub const EVENT_STREAM: &str = "text/event-stream";

/// A text, bytes, or a stream.
pub struct Download {
    content_type: &'static str,
    file_name: Option<String>,
    policy: Option<&'static str>,
    content: Content,
}

enum Content {
    Whole(Bytes),
    Stream(Chunks),
}

/// Writing end of a streamed response. [`StreamWriter::finish`] completes the response. Dropping
/// the writer without it aborts the response, so that clients do not mistake a part for the whole.
pub struct StreamWriter {
    to: mpsc::Sender<Bytes>,
    finished: Arc<AtomicBool>,
    /// Maximum time to wait for a slow client; then the response is aborted.
    timeout: Duration,
}

/// The client has disconnected, or reads too slowly.
#[derive(Debug)]
pub struct Disconnected;

#[derive(Debug, thiserror::Error)]
#[error("the response could not be completed")]
struct Incomplete;

impl StreamWriter {
    /// Sends a chunk; waits for the client up to the timeout.
    pub async fn send(&self, chunk: Vec<u8>) -> Result<(), Disconnected> {
        // In HTTP/1.1 an empty chunk ends the body.
        if chunk.is_empty() {
            return if self.to.is_closed() { Err(Disconnected) } else { Ok(()) };
        }
        match timeout(self.timeout, self.to.send(chunk.into())).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Disconnected),
        }
    }

    /// Waits until the client disconnects.
    pub async fn disconnected(&self) {
        self.to.closed().await;
    }

    /// Marks the response as complete.
    pub fn finish(self) {
        self.finished.store(true, Ordering::Release);
    }
}

struct Chunks {
    from: mpsc::Receiver<Bytes>,
    finished: Arc<AtomicBool>,
}

impl MessageBody for Chunks {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.from.poll_recv(context).map(|chunk| match chunk {
            Some(chunk) => Some(Ok(chunk)),
            None if self.finished.load(Ordering::Acquire) => None,
            None => Some(Err(Incomplete.into())),
        })
    }
}

impl Download {
    pub fn text(text: String) -> Self {
        Self {
            content_type: "text/plain; charset=utf-8",
            file_name: None,
            policy: None,
            content: Content::Whole(text.into()),
        }
    }

    /// A page, which may load stylesheets of this server.
    pub fn html(page: String) -> Self {
        Self { content_type: HTML, policy: Some(PAGE_POLICY), ..Self::text(page) }
    }

    pub fn bytes(bytes: Vec<u8>) -> Self {
        Self {
            content_type: "application/octet-stream",
            file_name: None,
            policy: None,
            content: Content::Whole(bytes.into()),
        }
    }

    pub fn stream(content_type: &'static str, timeout: Duration) -> (StreamWriter, Self) {
        let ((to, from), finished) = (mpsc::channel(CHUNKS), Arc::<AtomicBool>::default());
        let chunks = Chunks { from, finished: Arc::clone(&finished) };
        (
            StreamWriter { to, finished, timeout },
            Self { content_type, file_name: None, policy: None, content: Content::Stream(chunks) },
        )
    }

    /// Sets the name under which browsers save it.
    #[must_use]
    pub fn named(self, file_name: String) -> Self {
        Self { file_name: Some(file_name), ..self }
    }
}

impl Respond for Download {
    fn respond(self, _: bool) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response.content_type(self.content_type);
        if let Some(policy) = self.policy {
            response.insert_header((header::CONTENT_SECURITY_POLICY, policy));
        }
        if let Some(name) = self.file_name {
            response.insert_header((
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"{name}\""),
            ));
        }
        match self.content {
            Content::Whole(bytes) => response.body(bytes),
            Content::Stream(chunks) => {
                // Compression would hold an event back until later ones fill the buffer.
                if self.content_type == EVENT_STREAM {
                    response.insert_header(ContentEncoding::Identity);
                }
                response.body(chunks)
            }
        }
    }
}
