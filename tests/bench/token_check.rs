//! CPU time of checking an access token: parsing, signature, claims.

use std::{path::Path, sync::Arc, time::Instant};

use chrono::TimeDelta;
use postern_api::State;
use postern_domain::{
    clock::{Clock, RequestContext, SystemClock},
    event::Source,
    session::Session,
};
use postern_persistence::Store;
use postern_tests::{store_options, test_config};

use crate::{ROUNDS, served::spread};

/// Number of checks per round.
const CHECKS: u32 = 2_000;

pub fn measure(folder: &Path) {
    let (state, token) = actix_web::rt::System::new().block_on(create_token(folder));
    let measure = |name: &str, token: &str| {
        let authorization = format!("Bearer {token}");
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..CHECKS {
                let checked = state.tokens.bearer(Some(&authorization), SystemClock.now());
                std::hint::black_box(checked.is_ok());
            }
            rounds.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(CHECKS));
        }
        println!("| {name}, µs of one core | {} |", spread(rounds, 1));
    };
    // A wrong signature is never cached, and costs as much as the first check of a right one.
    let wrong = format!("{}AAAA", &token[..token.len() - 4]);
    measure("token check with signature verification", &wrong);
    measure("token check, cached", &token);
}

async fn create_token(folder: &Path) -> (State, String) {
    let url = format!("sqlite://{}", folder.join("tokens.db").display());
    let store = Store::connect(&store_options(&url)).await.expect("the database opens");
    let config = test_config(&folder.join("tokens"));
    let state = State::new(config, store, Arc::new(SystemClock)).expect("the state is built");
    let context = RequestContext {
        now: SystemClock.now(),
        ids: Arc::clone(&state.ids),
        source: Source::default(),
    };
    let session = Session {
        id: context.id(),
        user_id: context.id(),
        created_at: context.now,
        last_used_at: context.now,
        expires_at: context.now + TimeDelta::days(1),
        ended_at: None,
        ip: None,
        user_agent: None,
    };
    let token = state.tokens.access(&session, &context);
    (state, token)
}
