//! A demo server in a process of its own.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use postern_tests::LOG_ORIGIN;

use super::binary;

/// A running `postern serve --demo`, killed when it is dropped.
pub struct DemoServer {
    process: Child,
    pub port: u16,
    /// Its standard output up to the demo accounts.
    pub banner: String,
    log: PathBuf,
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        // It may have stopped already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl DemoServer {
    /// Serves the demo in `folder` until its banner is complete.
    pub fn start(folder: &Path) -> Self {
        let mut server = Self::spawn(folder, "server.log", &[]);
        server.read_banner();
        server
    }

    /// Starts to serve the demo, with environment variables.
    pub fn spawn(folder: &Path, log: &str, environment: &[(&str, &str)]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port is free")
            .port();
        let log = folder.join(log);
        // Ignores the signal for files over a size limit: writes fail instead.
        let process = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" serve --demo"])
            .arg(binary())
            .current_dir(folder)
            .env("POSTERN__SERVER__LISTEN", format!("127.0.0.1:{port}"))
            .env("POSTERN__SERVER__PUBLIC_URL", format!("http://127.0.0.1:{port}"))
            .env("POSTERN__SERVER__DRAIN_SECONDS", "0")
            .env("POSTERN__AUDIT__LOG_ORIGIN", LOG_ORIGIN)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("the file is created"))
            .spawn()
            .expect("the process starts");
        Self { process, port, banner: String::new(), log }
    }

    /// Reads the banner, up to the demo accounts or to the end of the process.
    pub fn read_banner(&mut self) {
        let stdout = BufReader::new(self.process.stdout.take().expect("the stream is piped"));
        let lines = stdout.lines().map_while(Result::ok);
        let banner: Vec<String> = lines.take_while(|line| !line.contains("initech (")).collect();
        self.banner = banner.join("\n");
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its standard error so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("the log is readable")
    }

    /// Response to a preflight request, with lower-case header names.
    pub fn preflight(&self, origin: &str) -> String {
        let address = format!("127.0.0.1:{}", self.port);
        let mut stream = TcpStream::connect(&address).expect("the server accepts connections");
        let request = format!(
            "OPTIONS /v1/me HTTP/1.1\r\nhost: {address}\r\norigin: {origin}\r\n\
             access-control-request-method: GET\r\n\
             access-control-request-headers: authorization\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("the request is sent");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("the response arrives");
        response
    }

    /// Stops the server with SIGTERM. Returns its log.
    pub fn stop(mut self) -> String {
        let id = self.process.id().to_string();
        let stopped = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(stopped.success(), "SIGTERM is sent");
        assert!(
            self.process.wait().expect("the process ends").success(),
            "SIGTERM stops the server with status 0"
        );
        self.log()
    }
}
