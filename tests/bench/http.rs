//! A load of requests that costs as little as may be: the machine is shared with what is measured.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use actix_web::rt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A request as the bytes that are sent.
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
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\n{authorization}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        Self { address: address.to_owned(), bytes: text.into_bytes() }
    }

    /// Sends it once, and insists on success.
    pub fn once(&self) {
        let mut stream = connect(&self.address).expect("connects");
        let (status, body) = exchange(&mut stream, &self.bytes).expect("answered");
        assert!(status < 300, "{status}: {}", String::from_utf8_lossy(&body));
    }

    pub fn answer(&self) -> Value {
        let mut stream = connect(&self.address).expect("connects");
        let (_, body) = exchange(&mut stream, &self.bytes).expect("answered");
        serde_json::from_slice(&body).expect("JSON")
    }
}

/// How many threads share the connections: as many as `pgbench` is given.
pub const THREADS: usize = 2;

/// Requests a second over so many connections, each sending the requests in turn.
pub fn rate(requests: &[Request], connections: usize, lasts: Duration) -> f64 {
    let begun = Instant::now();
    let until = begun + lasts;
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let requests = requests.to_vec();
            std::thread::spawn(move || {
                let mine: Vec<usize> = (thread..connections).step_by(THREADS).collect();
                rt::System::new().block_on(async {
                    let senders =
                        mine.into_iter().map(|nth| rt::spawn(send(requests.clone(), nth, until)));
                    let mut done = 0;
                    for sender in senders.collect::<Vec<_>>() {
                        done += sender.await.expect("runs");
                    }
                    done
                })
            })
        })
        .collect();
    let done: u32 = threads.into_iter().map(|thread| thread.join().expect("runs")).sum();
    f64::from(done) / begun.elapsed().as_secs_f64()
}

/// Sends the requests in turn over one connection, beginning with the `nth`, and counts them.
async fn send(requests: Vec<Request>, nth: usize, until: Instant) -> u32 {
    let mut stream = tokio::net::TcpStream::connect(&requests[0].address).await.expect("connects");
    stream.set_nodelay(true).expect("a socket");
    let (mut done, mut buffer) = (0, Vec::with_capacity(1 << 16));
    for request in requests.iter().cycle().skip(nth) {
        if Instant::now() > until {
            break;
        }
        stream.write_all(&request.bytes).await.expect("sent");
        buffer.clear();
        let status = loop {
            let read = stream.read_buf(&mut buffer).await.expect("answered");
            assert!(read > 0, "the server hung up");
            if let Some((status, _)) = whole(&buffer) {
                break status;
            }
        };
        assert!(status < 300, "{status}");
        done += 1;
    }
    done
}

/// How many of so many people who sign in at once get in.
pub fn sign_ins(address: &str, people: usize) -> usize {
    let body = json!({ "email": "owner@acme.example", "password": postern_tests::PASSWORD });
    let request = Request::new(address, "POST", "/v1/auth/login", "", Some(body));
    let people: Vec<_> = (0..people)
        .map(|_| {
            let request = request.clone();
            std::thread::spawn(move || {
                let answered = connect(&request.address)
                    .and_then(|mut stream| exchange(&mut stream, &request.bytes));
                answered.is_ok_and(|(status, _)| status == 200)
            })
        })
        .collect();
    people.into_iter().map(|one| one.join().expect("runs")).filter(|in_| *in_).count()
}

/// The status of a GET, if anybody answers.
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
        if let Some((status, head)) = whole(&buffer) {
            return Ok((status, buffer.split_off(head)));
        }
    }
}

/// The status of an answer and the length of its head, once all of it is there.
fn whole(buffer: &[u8]) -> Option<(u16, usize)> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).expect("a head is ASCII");
    let length = text.lines().find_map(|line| {
        line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
    });
    let length: usize = length.map_or(0, |(_, length)| length.parse().expect("a length"));
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (buffer.len() >= head + length).then_some((status, head))
}
