//! The client's address behind a proxy, and the limit for failed sign-ins by address.

use std::net::IpAddr;

use postern_tests::{App, PASSWORD, Response, on_both};
use reqwest::header::HeaderValue;
use serde_json::json;

on_both![
    addresses_in_all_forms_are_read,
    clients_with_ports_do_not_share_a_limit,
    unreadable_addresses_have_no_limit_in_common,
    ipv6_networks_share_a_limit,
    the_configured_header_is_read,
];

const HEADER: &str = "x-forwarded-for";

/// A server behind a proxy, with a limit of five failed sign-ins per address.
async fn behind_proxy(t: &App) -> App {
    App::start(t.backend, |config| {
        config.server.trusted_proxies = vec!["127.0.0.0/8".parse().expect("the network is valid")];
        config.sign_in.failures_per_address = 5;
    })
    .await
}

/// Tries to sign in; each of the `values` is sent in a header of its own.
pub async fn sign_in(t: &App, header: &str, values: &[&str], email: &str, pass: &str) -> Response {
    let mut request = t.anonymous().request("POST", "/v1/auth/login");
    for value in values {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header value");
        request = request.header(header, value);
    }
    Response::of(request.json(&json!({ "email": email, "password": pass })).send().await).await
}

/// The address that the server records for a client.
pub async fn recorded_address(t: &App, header: &str, values: &[&str]) -> serde_json::Value {
    let response = sign_in(t, header, values, "owner@acme.example", PASSWORD).await.expect(200);
    let me = t.bearer(&response.text("/access_token"));
    me.get("/v1/me/sessions?limit=1").await.expect(200).json["data"][0]["ip"].clone()
}

async fn addresses_in_all_forms_are_read(t: &App) {
    let server = behind_proxy(t).await;
    for (values, expected) in [
        (&["203.0.113.9"][..], "203.0.113.9"),
        (&["203.0.113.9:4711"], "203.0.113.9"),
        (&[" \t203.0.113.9 "], "203.0.113.9"),
        (&["\"203.0.113.9:4711\""], "203.0.113.9"),
        (&["2001:db8::1"], "2001:db8::1"),
        (&["[2001:db8::1]"], "2001:db8::1"),
        (&["[2001:DB8::1]:4711"], "2001:db8::1"),
        (&["\"[2001:db8::1]:4711\""], "2001:db8::1"),
        (&["fe80::1%eth0"], "fe80::1"),
        (&["[fe80::1%25eth0]:4711"], "fe80::1"),
        (&["::ffff:203.0.113.9"], "203.0.113.9"),
        (&["[::ffff:203.0.113.9]:4711"], "203.0.113.9"),
        (&["198.51.100.7,, 203.0.113.9, ,"], "203.0.113.9"),
        (&["198.51.100.7", "203.0.113.9:4711, 127.0.0.2:80"], "203.0.113.9"),
        (&["198.51.100.7", ""], "198.51.100.7"),
        // A client can send anything before the element that the proxy appends.
        (&["198.51.100.7", "\u{e9}\", 203.0.113.9"], "203.0.113.9"),
        (&["unknown, 203.0.113.9"], "203.0.113.9"),
    ] {
        assert_eq!(recorded_address(&server, HEADER, values).await, expected, "{values:?}");
    }
    server.finish().await;
}

async fn clients_with_ports_do_not_share_a_limit(t: &App) {
    let server = behind_proxy(t).await;
    for n in 0..5 {
        let (from, email) = (format!("203.0.113.9:471{n}"), format!("guess-{n}@acme.example"));
        sign_in(&server, HEADER, &[&from], &email, "x").await.problem(401, "invalid_credentials");
    }
    sign_in(&server, HEADER, &["203.0.113.9:5000"], "owner@acme.example", PASSWORD)
        .await
        .problem(429, "too_many_attempts");
    sign_in(&server, HEADER, &["198.51.100.7:5000"], "owner@acme.example", PASSWORD)
        .await
        .expect(200);
    server.finish().await;
}

async fn unreadable_addresses_have_no_limit_in_common(t: &App) {
    let server = behind_proxy(t).await;
    for (n, unreadable) in
        ["unknown", "_hidden", "203.0.113.9:port", "[203.0.113.9]", "203.0.113.999"]
            .into_iter()
            .enumerate()
    {
        let email = format!("guess-{n}@acme.example");
        sign_in(&server, HEADER, &["198.51.100.7", unreadable], &email, "x")
            .await
            .problem(401, "invalid_credentials");
    }
    let hidden = recorded_address(&server, HEADER, &["198.51.100.7, unknown"]).await;
    assert_eq!(hidden, json!(null), "an unreadable address is unknown, not the proxy's");
    server.finish().await;
}

async fn ipv6_networks_share_a_limit(t: &App) {
    let server = behind_proxy(t).await;
    for n in 1..=5 {
        let (from, email) = (format!("2001:db8:0:7::{n}"), format!("guess-{n}@acme.example"));
        sign_in(&server, HEADER, &[&from], &email, "x").await.problem(401, "invalid_credentials");
    }
    let from = ["2001:db8:0:7:1:2:3:4"];
    sign_in(&server, HEADER, &from, "owner@acme.example", PASSWORD)
        .await
        .problem(429, "too_many_attempts");
    let neighbor = recorded_address(&server, HEADER, &["2001:db8:0:8::1"]).await;
    assert_eq!(neighbor, "2001:db8:0:8::1", "the next network has a limit of its own");
    server.finish().await;
}

async fn the_configured_header_is_read(t: &App) {
    let server = App::start(t.backend, |config| {
        config.server.trusted_proxies = vec!["127.0.0.1".parse().map(IpAddr::into).expect("an IP")];
        "forwarded".clone_into(&mut config.server.client_address_header);
    })
    .await;
    for (values, expected) in [
        (&["for=203.0.113.9;proto=https;by=127.0.0.1"][..], json!("203.0.113.9")),
        (&["For=\"[2001:db8::1]:4711\""], json!("2001:db8::1")),
        (
            &["for=198.51.100.7", "host=\"a;b\";FOR=\"203.0.113.9:80\", for=127.0.0.1"],
            json!("203.0.113.9"),
        ),
        (&["for=198.51.100.7, for=unknown"], json!(null)),
        (&["for=198.51.100.7, for=_hidden"], json!(null)),
    ] {
        assert_eq!(recorded_address(&server, "forwarded", values).await, expected, "{values:?}");
    }
    let other = recorded_address(&server, HEADER, &["203.0.113.9"]).await;
    assert_eq!(other, json!(null), "a client could have sent the other header");
    server.finish().await;
}
