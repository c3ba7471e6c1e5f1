//! Downloads of any length.

use std::{fs, io::Write, path::Path};

use futures_util::StreamExt;

/// Sends a GET request and passes the chunks of the response body to `on_chunk`.
fn get(address: &str, path: &str, token: &str, mut on_chunk: impl FnMut(&[u8])) {
    actix_web::rt::System::new().block_on(async {
        let request = reqwest::Client::new().get(format!("http://{address}{path}"));
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        let response = request.send().await.expect("the server responds");
        assert!(response.status().is_success(), "{path} succeeds: {}", response.status());
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            on_chunk(&chunk.expect("the body is complete"));
        }
    });
}

/// Body of a response, as text. No token is sent if it is empty.
pub fn text(address: &str, path: &str, token: &str) -> String {
    let mut bytes = Vec::new();
    get(address, path, token, |chunk| bytes.extend_from_slice(chunk));
    String::from_utf8(bytes).expect("the body is UTF-8")
}

/// Saves an export. Returns the number of its lines.
pub fn save_export(address: &str, path: &str, token: &str, file: &Path) -> usize {
    let (mut output, mut lines) = (fs::File::create(file).expect("the file is created"), 0);
    get(address, path, token, |chunk| {
        lines += chunk.split(|byte| *byte == b'\n').count() - 1;
        output.write_all(chunk).expect("the file is written");
    });
    lines
}
