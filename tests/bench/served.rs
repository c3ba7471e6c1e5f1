//! The server as a separate process, from the release build.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::http;

/// Creates the schema.
pub fn migrate(folder: &Path, database: &str, owner: &str) {
    let mut command = Command::new(binary());
    command
        .arg("migrate")
        .current_dir(folder)
        .env("POSTERN__DATABASE__URL", database)
        .env("POSTERN__DATABASE__OWNER_URL", owner);
    let status = command.stdout(Stdio::null()).status().expect("the command runs");
    assert!(status.success(), "`postern migrate` succeeds");
}

/// Median of measurements, with minimum and maximum in parentheses.
pub fn spread(mut values: Vec<f64>, digits: usize) -> String {
    values.sort_by(f64::total_cmp);
    let (median, max) = (values[values.len() / 2], values[values.len() - 1]);
    format!("{median:.digits$} ({:.digits$} to {max:.digits$})", values[0])
}

/// A running server process.
pub struct Served {
    process: Child,
    pub address: String,
    /// Time from the start of the process until `/readyz` returned 200.
    pub ready: Duration,
}

impl Served {
    pub fn start(folder: &Path, database: &str, demo: bool) -> Self {
        let free = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port is free");
        let mut command = Command::new(binary());
        command.arg("serve").args(demo.then_some("--demo")).current_dir(folder);
        command
            .env("POSTERN__SERVER__LISTEN", free.to_string())
            .env("POSTERN__DATABASE__URL", database);
        command.env("POSTERN__LOG__FILTER", "warn").stdout(Stdio::null());
        let start = Instant::now();
        let process = command.spawn().expect("the server starts");
        let address = free.to_string();
        while http::status(&address, "/readyz") != Some(200) {
            std::thread::yield_now();
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "the server gets ready within 30 seconds"
            );
        }
        Self { process, address, ready: start.elapsed() }
    }

    pub fn sign_in(&self, email: &str) -> String {
        let body = json!({ "email": email, "password": postern_tests::PASSWORD });
        let tokens =
            http::Request::new(&self.address, "POST", "/v1/auth/login", "", Some(body)).response();
        tokens["access_token"].as_str().expect("an access token").to_owned()
    }

    pub fn get(&self, token: &str, path: &str) -> Value {
        http::Request::new(&self.address, "GET", path, token, None).response()
    }

    /// A field of `/proc/…/status`, in MiB.
    pub fn memory(&self, field: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))
            .expect("the server is running");
        let kib = status.lines().find_map(|line| {
            line.strip_prefix(field)?
                .strip_prefix(':')?
                .split_whitespace()
                .next()?
                .parse::<f64>()
                .ok()
        });
        kib.expect("a number of KiB") / 1024.0
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn binary() -> PathBuf {
    std::env::current_exe().expect("a path").with_file_name("postern")
}
