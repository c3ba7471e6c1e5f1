//! A load generator that uses little CPU: it shares the machine with the server.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use actix_web::rt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The bytes of a request.
#[derive(Clone)]
pub struct Request {
    address: String,
    bytes: Vec<u8>,
}

impl Request {
    pub fn new(address: &str, method: &str, path: &str, token: &str, body: Option<Value>) -> Self {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let authorization = if token.is_empty() {
            String::new()
        } else {
            format!("authorization: Bearer {token}\r\n")
        };
        let text = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\n{authorization}\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        Self { address: address.to_owned(), bytes: text.into_bytes() }
    }

    /// Sends the request once and asserts success.
    pub fn once(&self) {
        let mut stream = connect(&self.address).expect("the server accepts the connection");
        let (status, body) = exchange(&mut stream, &self.bytes).expect("the server responds");
        assert!(status < 300, "the request succeeds: {status}: {}", String::from_utf8_lossy(&body));
    }

    /// Sends the request once and returns the JSON body of the response.
    pub fn response(&self) -> Value {
        let mut stream = connect(&self.address).expect("the server accepts the connection");
        let (_, body) = exchange(&mut stream, &self.bytes).expect("the server responds");
        serde_json::from_slice(&body).expect("the body is valid JSON")
    }
}

/// Number of threads that share the connections, the same for `pgbench`.
pub const THREADS: usize = 2;

/// Returns the requests per second over `connections`, each of which sends the requests in turn for
/// the duration.
pub fn rate(requests: &[Request], connections: usize, duration: Duration) -> f64 {
    let start = Instant::now();
    let until = start + duration;
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let requests = requests.to_vec();
            std::thread::spawn(move || {
                let share: Vec<usize> = (thread..connections).step_by(THREADS).collect();
                rt::System::new().block_on(async {
                    let senders =
                        share.into_iter().map(|nth| rt::spawn(send(requests.clone(), nth, until)));
                    let mut count = 0;
                    for sender in senders.collect::<Vec<_>>() {
                        count += sender.await.expect("the sender does not panic");
                    }
                    count
                })
            })
        })
        .collect();
    let count: u32 =
        threads.into_iter().map(|thread| thread.join().expect("the thread does not panic")).sum();
    f64::from(count) / start.elapsed().as_secs_f64()
}

/// Sends the requests in turn over one connection, beginning with the `nth`. Returns their number.
async fn send(requests: Vec<Request>, nth: usize, until: Instant) -> u32 {
    let mut stream = tokio::net::TcpStream::connect(&requests[0].address)
        .await
        .expect("the server accepts the connection");
    stream.set_nodelay(true).expect("the option is set");
    let (mut count, mut buffer) = (0, Vec::with_capacity(1 << 16));
    for request in requests.iter().cycle().skip(nth) {
        if Instant::now() > until {
            break;
        }
        stream.write_all(&request.bytes).await.expect("the request is sent");
        buffer.clear();
        let status = loop {
            let read = stream.read_buf(&mut buffer).await.expect("the server responds");
            assert!(read > 0, "the server keeps the connection open");
            if let Some((status, _)) = parse_head(&buffer) {
                break status;
            }
        };
        assert!(status < 300, "the request succeeds: {status}");
        count += 1;
    }
    count
}

/// Signs in `count` times concurrently. Returns the number of successes.
pub fn sign_ins(address: &str, count: usize) -> usize {
    let body = json!({ "email": "owner@acme.example", "password": postern_tests::PASSWORD });
    let request = Request::new(address, "POST", "/v1/auth/login", "", Some(body));
    let threads: Vec<_> = (0..count)
        .map(|_| {
            let request = request.clone();
            std::thread::spawn(move || {
                let response = connect(&request.address)
                    .and_then(|mut stream| exchange(&mut stream, &request.bytes));
                response.is_ok_and(|(status, _)| status == 200)
            })
        })
        .collect();
    threads
        .into_iter()
        .map(|thread| thread.join().expect("the thread does not panic"))
        .filter(|signed_in| *signed_in)
        .count()
}

/// Status of a GET request; `None` if there is no response.
pub fn status(address: &str, path: &str) -> Option<u16> {
    let request = Request::new(address, "GET", path, "", None);
    let mut stream = connect(address).ok()?;
    exchange(&mut stream, &request.bytes).ok().map(|(status, _)| status)
}

fn connect(address: &str) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn exchange(stream: &mut TcpStream, request: &[u8]) -> std::io::Result<(u16, Vec<u8>)> {
    stream.write_all(request)?;
    let mut buffer = Vec::with_capacity(4096);
    let mut chunk = [0; 8192];
    loop {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        buffer.extend_from_slice(&chunk[..read]);
        if let Some((status, head)) = parse_head(&buffer) {
            return Ok((status, buffer.split_off(head)));
        }
    }
}

/// Status of a response and length of its head; `None` if the response is incomplete.
fn parse_head(buffer: &[u8]) -> Option<(u16, usize)> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).expect("the head is ASCII");
    let length = text.lines().find_map(|line| {
        line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
    });
    let length: usize = length.map_or(0, |(_, length)| length.parse().expect("a length"));
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (buffer.len() >= head + length).then_some((status, head))
}
