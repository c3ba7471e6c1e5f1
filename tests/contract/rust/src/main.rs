//! Typical tasks of an integrator with a client from `progenitor`: postern-contract-rust ADDRESS.

use std::{env, error::Error};

use client::{
    Client,
    types::{
        Action, ActorType, Event, KnownAction, KnownActorType, KnownPlan, LoginBody, Org, Plan,
        Problem, Settings,
    },
};
use futures_util::TryStreamExt;
use progenitor_client::{ByteStream, ClientInfo, Error as ClientError};
use serde_json::{Value, json};

mod client {
    progenitor::generate_api!(spec = "../../../openapi/openapi-3.0.json", interface = Builder,);
}

/// Signs in and returns a client with the access token.
async fn sign_in(address: &str, email: &str) -> Result<Client, Box<dyn Error>> {
    let body: LoginBody =
        serde_json::from_value(json!({ "email": email, "password": "postern-demo-2026" }))?;
    let tokens = Client::new(address).login().body(body).send().await?.into_inner();
    let mut authorization: reqwest::header::HeaderValue =
        format!("Bearer {}", *tokens.access_token).parse()?;
    authorization.set_sensitive(true);
    let headers = [(reqwest::header::AUTHORIZATION, authorization)].into_iter().collect();
    let http = reqwest::Client::builder().default_headers(headers).build()?;
    Ok(Client::new_with_client(address, http))
}

/// Text for an action. The known actions are an enum; another word is a variant of its own.
fn label(event: &Event) -> String {
    match &event.action {
        Action::KnownAction(KnownAction::OrgUpdated) => "the org was changed".into(),
        Action::KnownAction(other) => other.to_string(),
        Action::OtherAction(word) => format!("{}: {}", **word, *event.summary),
    }
}

/// The problem of an error. progenitor parses `application/json` only.
async fn problem(error: ClientError<ByteStream>) -> Result<Problem, Box<dyn Error>> {
    let ClientError::ErrorResponse(response) = error else { return Err(error.into()) };
    let chunks: Vec<_> = response.into_inner().into_inner().try_collect().await?;
    Ok(serde_json::from_slice(&chunks.concat())?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).ok_or("usage: postern-contract-rust ADDRESS")?;
    let owner = sign_in(&address, "owner@acme.example").await?;
    let org = owner.read_org().org("acme").send().await?.into_inner();
    assert!(matches!(org.plan, Plan::KnownPlan(KnownPlan::Enterprise)), "{:?}", org.plan);

    // Set a value with the typed body. `None` leaves the value unchanged.
    let email = format!("rust-{}@acme.example", std::process::id());
    let edited = owner
        .update_settings()
        .org("acme")
        .body_map(|body| body.support_email(Some(email.parse().expect("a valid address"))))
        .send()
        .await?
        .into_inner();
    assert_eq!(edited.support_email.as_deref(), Some(&email), "the value is set");
    // Remove a value: null needs a body of its own, because the typed body omits `None`.
    let url = format!("{}/v1/orgs/acme/settings", owner.baseurl());
    let edited: Settings = owner
        .client()
        .patch(url)
        .json(&json!({ "support_email": null }))
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    assert!(edited.support_email.is_none(), "null removes the value");

    let events = owner.list_audit_events().org("acme").limit(1).send().await?.into_inner();
    let newest = &events.data[0];
    assert!(matches!(newest.actor.type_, ActorType::KnownActorType(KnownActorType::User)));

    // Words that a later server version adds.
    let mut later: Value = serde_json::to_value(newest)?;
    later["action"] = "report.created".into();
    later["actor"]["type"] = "robot".into();
    later["target"]["type"] = "report".into();
    let later: Event = serde_json::from_value(later)?;
    assert!(label(&later).starts_with("report.created: "), "{}", label(&later));
    assert!(matches!(&later.actor.type_, ActorType::OtherActorType(word) if **word == "robot"));
    let mut later = serde_json::to_value(&org)?;
    later["plan"] = "galactic".into();
    let later: Org = serde_json::from_value(later)?;
    assert!(matches!(later.plan, Plan::OtherPlan(_)), "{:?}", later.plan);

    // A problem has a stable code.
    let error = owner.read_org().org("no-such-org").send().await.err().ok_or("not found")?;
    assert_eq!(problem(error).await?.code.to_string(), "not_found");
    println!("all tasks succeeded with the Rust client");
    Ok(())
}
