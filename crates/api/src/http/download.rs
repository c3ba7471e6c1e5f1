//! Answers that are no JSON: texts and bytes, at once or as a stream that is made while it is read.

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

use super::Respond;

/// So many chunks wait for somebody who reads slowly; then their making waits.
const CHUNKS: usize = 2;

/// The media type of server-sent events.
pub const EVENT_STREAM: &str = "text/event-stream";

/// A text, some bytes, or a stream.
pub struct Download {
    content_type: &'static str,
    file_name: Option<String>,
    content: Content,
}

enum Content {
    Whole(Bytes),
    Stream(Chunks),
}

/// Where a stream is written to. [`Sink::finish`] ends it well; if it is dropped without that, it is cut off, so that nobody takes a part for the
/// whole.
pub struct Sink {
    to: mpsc::Sender<Bytes>,
    finished: Arc<AtomicBool>,
    /// How long somebody may take to make room: who reads more slowly is cut off.
    patience: Duration,
}

/// Nobody reads any more.
#[derive(Debug)]
pub struct Gone;

#[derive(Debug, thiserror::Error)]
#[error("the answer could not be completed")]
struct Broken;

impl Sink {
    /// Waits until there is room, but not for ever.
    pub async fn send(&self, chunk: Vec<u8>) -> Result<(), Gone> {
        // In HTTP/1.1 an empty chunk is the end.
        if chunk.is_empty() {
            return if self.to.is_closed() { Err(Gone) } else { Ok(()) };
        }
        match timeout(self.patience, self.to.send(chunk.into())).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone),
        }
    }

    /// Waits until nobody reads any more.
    pub async fn gone(&self) {
        self.to.closed().await;
    }

    /// What was sent is all there is.
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
            None => Some(Err(Broken.into())),
        })
    }
}

impl Download {
    pub fn text(text: String) -> Self {
        Self {
            content_type: "text/plain; charset=utf-8",
            file_name: None,
            content: Content::Whole(text.into()),
        }
    }

    pub fn html(page: String) -> Self {
        Self { content_type: "text/html; charset=utf-8", ..Self::text(page) }
    }

    pub fn bytes(bytes: Vec<u8>) -> Self {
        Self {
            content_type: "application/octet-stream",
            file_name: None,
            content: Content::Whole(bytes.into()),
        }
    }

    pub fn stream(content_type: &'static str, patience: Duration) -> (Sink, Self) {
        let ((to, from), finished) = (mpsc::channel(CHUNKS), Arc::<AtomicBool>::default());
        let chunks = Chunks { from, finished: Arc::clone(&finished) };
        (
            Sink { to, finished, patience },
            Self { content_type, file_name: None, content: Content::Stream(chunks) },
        )
    }

    /// What a browser saves it as.
    #[must_use]
    pub fn named(self, file_name: String) -> Self {
        Self { file_name: Some(file_name), ..self }
    }
}

impl Respond for Download {
    fn respond(self, _: bool) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response.content_type(self.content_type);
        if let Some(name) = self.file_name {
            response.insert_header((
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"{name}\""),
            ));
        }
        match self.content {
            Content::Whole(bytes) => response.body(bytes),
            Content::Stream(chunks) => {
                // Compressed, an event would wait for those after it.
                if self.content_type == EVENT_STREAM {
                    response.insert_header(ContentEncoding::Identity);
                }
                response.body(chunks)
            }
        }
    }
}
