//! The base path: the path of `server.public_url`, for a server behind a path of a reverse proxy.
//!
//! Requests are accepted with the base path and without it, because proxies keep or remove it.
//! Links in responses always have it.

use actix_web::{
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Uri,
        header::{self, HeaderMap, HeaderValue},
    },
    middleware::Next,
    web,
};

use crate::state::State;

/// Path of the issuer's metadata. Behind a base path, clients append that to it (RFC 8414, 3.1).
const ISSUER_METADATA: &str = "/.well-known/oauth-authorization-server";

/// Removes the base path from the request, and adds it to links in the headers of the response.
pub async fn base_path_middleware(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let state = request.app_data::<web::Data<State>>().cloned().expect("the app has the state");
    let base_path = state.server.base_path();
    if let Some(uri) = without_base_path(request.uri(), base_path) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
    let mut response = next.call(request).await?;
    if !base_path.is_empty() {
        add_base_path(response.headers_mut(), base_path);
    }
    Ok(response)
}

/// The URI without the base path; `None` if it does not have it.
fn without_base_path(uri: &Uri, base_path: &str) -> Option<Uri> {
    if base_path.is_empty() {
        return None;
    }
    let path = uri.path();
    let rest = match path.strip_prefix(ISSUER_METADATA) {
        Some(suffix) if suffix == base_path => ISSUER_METADATA,
        _ => path.strip_prefix(base_path)?,
    };
    let rest = match rest {
        "" => "/",
        rest if rest.starts_with('/') => rest,
        // Another path that begins with the same letters.
        _ => return None,
    };
    let target = match uri.query() {
        Some(query) => format!("{rest}?{query}"),
        None => rest.to_owned(),
    };
    target.parse().ok()
}

/// Adds the base path to paths in `Location` and `Link`.
fn add_base_path(headers: &mut HeaderMap, base_path: &str) {
    let prefixed = |text: String| HeaderValue::from_str(&text).expect("visible ASCII");
    let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    if let Some(path) = location.filter(|location| location.starts_with('/')) {
        let location = prefixed(format!("{base_path}{path}"));
        headers.insert(header::LOCATION, location);
    }
    let links: Vec<_> = headers.remove(header::LINK).collect();
    for link in links {
        let link = match link.to_str() {
            // Queries of links are percent-encoded and have no angle brackets.
            Ok(text) => prefixed(text.replace("</", &format!("<{base_path}/"))),
            Err(_) => link,
        };
        headers.append(header::LINK, link);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_base_path_is_removed() {
        for (uri, rest) in [
            ("/postern/v1/orgs?limit=1&q=%2F", Some("/v1/orgs?limit=1&q=%2F")),
            ("/postern/docs/", Some("/docs/")),
            ("/postern", Some("/")),
            ("/postern/postern/v1", Some("/postern/v1")),
            ("/.well-known/oauth-authorization-server/postern", Some(ISSUER_METADATA)),
            ("/v1/orgs/postern", None),
            ("/posterns/v1", None),
            ("/.well-known/oauth-authorization-server", None),
            ("/.well-known/oauth-authorization-server/other", None),
        ] {
            let removed = without_base_path(&uri.parse().expect("a URI"), "/postern");
            let removed = removed.map(|uri| uri.to_string());
            assert_eq!(removed.as_deref(), rest, "the rest of {uri}");
        }
    }

    #[test]
    fn links_of_the_server_get_the_base_path() {
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, HeaderValue::from_static("/v1/orgs/acme"));
        headers.append(
            header::LINK,
            HeaderValue::from_static("</v1/orgs?cursor=a>; rel=\"next\", </v1/orgs>; rel=\"prev\""),
        );
        headers.append(header::LINK, HeaderValue::from_static("<https://a.example/>; rel=\"a\""));
        add_base_path(&mut headers, "/postern");
        assert_eq!(headers.get(header::LOCATION).expect("is set"), "/postern/v1/orgs/acme");
        let links: Vec<_> = headers.get_all(header::LINK).collect();
        assert_eq!(
            links,
            [
                "</postern/v1/orgs?cursor=a>; rel=\"next\", </postern/v1/orgs>; rel=\"prev\"",
                "<https://a.example/>; rel=\"a\""
            ]
        );
    }
}
