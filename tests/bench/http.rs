//! A load of requests that costs as little as may be: the machine is shared with what is measured.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// A request as the bytes that are sent.
#[derive(Clone)]
pub struct Request {
    address: String,
    bytes: Vec<u8>,
}

impl Request {
    pub fn new(address: &str, method: &str, path: &str, token: &str, body: Option<Value>) -> Self {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let authorization = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
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

/// Requests a second over so many connections, each sending the requests in turn.
pub fn rate(requests: &[Request], connections: usize, lasts: Duration) -> f64 {
    let (stop, start) = (Arc::new(AtomicBool::new(false)), Arc::new(Barrier::new(connections + 1)));
    let workers: Vec<_> = (0..connections)
        .map(|n| {
            let (requests, stop, start) = (requests.to_vec(), Arc::clone(&stop), Arc::clone(&start));
            std::thread::spawn(move || {
                let mut stream = connect(&requests[0].address).expect("connects");
                start.wait();
                let mut done = 0_u32;
                for request in requests.iter().cycle().skip(n) {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let (status, _) = exchange(&mut stream, &request.bytes).expect("answered");
                    assert!(status < 300, "{status}");
                    done += 1;
                }
                done
            })
        })
        .collect();
    start.wait();
    let begun = Instant::now();
    std::thread::sleep(lasts);
    stop.store(true, Ordering::Relaxed);
    let done: u32 = workers.into_iter().map(|worker| worker.join().expect("runs")).sum();
    f64::from(done) / begun.elapsed().as_secs_f64()
}

/// How many of so many people who sign in at once get in.
pub fn sign_ins(address: &str, people: usize) -> usize {
    let body = json!({ "email": "owner@acme.example", "password": postern_tests::PASSWORD });
    let request = Request::new(address, "POST", "/v1/auth/login", "", Some(body));
    let people: Vec<_> = (0..people)
        .map(|_| {
            let request = request.clone();
            std::thread::spawn(move || {
                let answered = connect(&request.address).and_then(|mut stream| exchange(&mut stream, &request.bytes));
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
        let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let length: usize = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok()).unwrap_or(0);
        if buffer.len() >= head + 4 + length {
            let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
            return Ok((status, buffer.split_off(head + 4)));
        }
    }
}
