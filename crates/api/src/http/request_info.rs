//! Request data that is available before authentication: request ID, IP address, user agent.

use std::{net::IpAddr, rc::Rc};

use actix_web::{HttpMessage, HttpRequest};
use postern_domain::event::Source;

/// Request data for the audit log and the server's log.
#[derive(Debug, Clone)]
pub struct RequestInfo {
    pub request_id: String,
    pub ip: Option<IpAddr>,
    pub user_agent: Option<String>,
    /// Path of `server.public_url`, with which links in responses begin.
    pub base_path: String,
}

impl RequestInfo {
    #[must_use]
    pub fn source(&self) -> Source {
        Source {
            ip: self.ip,
            user_agent: self.user_agent.clone(),
            session_id: None,
            impersonation_id: None,
            request_id: Some(self.request_id.clone()),
        }
    }

    /// The data that [`request_info_middleware`] has attached to the request.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Rc<Self> {
        request
            .extensions()
            .get::<Rc<Self>>()
            .cloned()
            .expect("request_info_middleware wraps the app")
    }
}
