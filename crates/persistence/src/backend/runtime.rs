//! The runtime of database connections.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// A thread that serves the sockets of database connections. A socket fails when the runtime that
/// opened it ends, and the server's worker threads end one by one.
pub struct ConnectionRuntime(Option<Runtime>);

impl ConnectionRuntime {
    pub fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("database")
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    pub fn handle(&self) -> &Handle {
        self.0.as_ref().expect("the runtime is stopped by drop only").handle()
    }
}

impl Drop for ConnectionRuntime {
    fn drop(&mut self) {
        // Waiting for the thread is not allowed in asynchronous code.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
