//! The server as a process of its own, from the release build.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::http;

/// Makes the schema.
pub fn migrate(folder: &Path, database: &str, owner: &str) {
    let mut command = Command::new(binary());
    command
        .arg("migrate")
        .current_dir(folder)
        .env("POSTERN__DATABASE__URL", database)
        .env("POSTERN__DATABASE__OWNER_URL", owner);
    assert!(command.stdout(Stdio::null()).status().expect("runs").success(), "the schema is made");
}

/// The least, the middle and the most of some measurements.
pub fn spread(mut all: Vec<f64>, digits: usize) -> String {
    all.sort_by(f64::total_cmp);
    format!("{1:.0$} ({2:.0$} to {3:.0$})", digits, all[all.len() / 2], all[0], all[all.len() - 1])
}

/// A server of its own process, from the release build.
pub struct Served {
    process: Child,
    pub address: String,
    /// How long it took from its start to its first answer that it is ready.
    pub ready: Duration,
}

impl Served {
    pub fn start(folder: &Path, database: &str, demo: bool) -> Self {
        let free =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
        let mut command = Command::new(binary());
        command.arg("serve").args(demo.then_some("--demo")).current_dir(folder);
        command
            .env("POSTERN__SERVER__LISTEN", free.to_string())
            .env("POSTERN__DATABASE__URL", database);
        command.env("POSTERN__LOG__FILTER", "warn").stdout(Stdio::null());
        let begun = Instant::now();
        let process = command.spawn().expect("starts");
        let address = free.to_string();
        while http::status(&address, "/readyz") != Some(200) {
            std::thread::yield_now();
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not get ready");
        }
        Self { process, address, ready: begun.elapsed() }
    }

    pub fn sign_in(&self, email: &str) -> String {
        let body = json!({ "email": email, "password": postern_tests::PASSWORD });
        let answer =
            http::Request::new(&self.address, "POST", "/v1/auth/login", "", Some(body)).answer();
        answer["access_token"].as_str().expect("signed in").to_owned()
    }

    pub fn get(&self, token: &str, path: &str) -> Value {
        http::Request::new(&self.address, "GET", path, token, None).answer()
    }

    /// A line of `/proc/…/status`, in MiB.
    pub fn memory(&self, line: &str) -> f64 {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("runs");
        let kib = status.lines().find_map(|text| {
            text.strip_prefix(line)?
                .strip_prefix(':')?
                .split_whitespace()
                .next()?
                .parse::<f64>()
                .ok()
        });
        kib.expect("a figure") / 1024.0
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
