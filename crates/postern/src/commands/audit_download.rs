//! Download of an export for `postern audit verify --server`. Errors name the URL, the cause and
//! the remedy.

use std::{
    io::{self, BufRead, BufReader},
    time::Duration,
};

use serde_json::Value;
use ureq::{Body, http::Response};

/// Media type of the export.
const NDJSON: &str = "application/x-ndjson";
/// Maximum duration until the server is connected, and until it responds.
const TIMEOUT: Duration = Duration::from_mins(1);

const NO_HOST: &str = "DNS does not know the host: correct --server";
const NO_TLS: &str = "TLS failed: correct the scheme and the port in --server. If the certificate \
                      is of a private authority, download the export with another program and \
                      verify the file";
const NO_CONNECTION: &str = "the connection failed: check the network and --server";

/// Downloads the export at `url`, with the access token in `POSTERN_TOKEN`.
pub fn download(url: &str) -> Result<impl BufRead + use<>, String> {
    let token = std::env::var("POSTERN_TOKEN")
        .map_err(|_| "set POSTERN_TOKEN to an access token, from `POST /v1/auth/login`")?;
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(TIMEOUT))
        .timeout_recv_response(Some(TIMEOUT))
        .build()
        .into();
    let request = agent
        .get(url)
        .header("authorization", format!("Bearer {}", token.trim()))
        .header("accept", NDJSON);
    let response = request.call().map_err(|error| format!("{url}: {}", describe(&error)))?;
    let response = checked(response).map_err(|error| format!("{url}: {error}"))?;
    Ok(BufReader::new(response.into_body().into_reader()))
}

/// Cause and remedy of a request without a response.
fn describe(error: &ureq::Error) -> String {
    let remedy = match error {
        ureq::Error::Io(error) => return describe_io(error),
        ureq::Error::HostNotFound => NO_HOST,
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
            "pass --server as a URL such as https://postern.example, and --org as ID or slug"
        }
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => NO_TLS,
        ureq::Error::Timeout(_) => "the server did not respond in time: try again",
        ureq::Error::TooManyRedirects | ureq::Error::RedirectFailed => {
            "the URL redirects: correct --server"
        }
        _ => NO_CONNECTION,
    };
    format!("{error}. Remedy: {remedy}")
}

/// Cause and remedy of a failed connection. DNS and TLS report their errors as errors of I/O too.
fn describe_io(error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "no server listens at this address: correct --server, or start the server"
        }
        io::ErrorKind::InvalidData => NO_TLS,
        // The C library's text for a host that DNS does not know; 11001 on Windows.
        _ if error.to_string().contains("lookup") || error.raw_os_error() == Some(11_001) => {
            NO_HOST
        }
        _ => NO_CONNECTION,
    };
    format!("{error}. Remedy: {remedy}")
}

/// Checks status and media type of a response.
fn checked(mut response: Response<Body>) -> Result<Response<Body>, String> {
    let status = response.status().as_u16();
    let media_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
    let media_type = media_type.unwrap_or("no media type").to_owned();
    if status == 200 && media_type.starts_with(NDJSON) {
        return Ok(response);
    }
    if status == 200 {
        let remedy = "correct --server: it is the address of another service";
        return Err(format!("the response is {media_type} instead of {NDJSON}. Remedy: {remedy}"));
    }
    let body = response.body_mut().read_to_string().unwrap_or_default();
    let remedy = match status {
        401 => "sign in again and set POSTERN_TOKEN: access tokens are valid for some minutes only",
        403 => {
            "use the token of an admin or owner of the org (for the platform log, of staff of tier \
             engineering or higher), without impersonation"
        }
        404 => {
            "correct --org (ID or slug) and --server: the org does not exist, you do not belong \
             to it, or the server is not Postern"
        }
        429 | 503 => "try again later",
        _ => "see the log of the server",
    };
    Err(format!("HTTP {status}{}. Remedy: {remedy}", problem(&body)))
}

/// Title and detail of a problem.
fn problem(body: &str) -> String {
    let Ok(problem) = serde_json::from_str::<Value>(body) else { return String::new() };
    let texts = ["title", "detail"].into_iter().filter_map(|name| problem[name].as_str());
    texts.flat_map(|text| [", ", text.trim_end_matches('.')]).collect()
}
