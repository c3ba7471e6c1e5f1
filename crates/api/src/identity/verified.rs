//! Tokens whose signature has been verified lately. Verifying takes some 50 µs of a core, finding one
//! again about 1; a client sends the same token for ten minutes.
//!
//! Only the signature is remembered, under a hash of the whole token: times, key and session are looked at on each request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ring::digest::{SHA256, digest};

use super::tokens::Claims;

/// How many are remembered. When there are more all are forgotten: tokens made up at random never get in here.
const MOST: usize = 10_000;

type Hash = [u8; 32];

/// A token's claims, and the id of the key that signed it.
pub struct Signed {
    pub claims: Claims,
    pub key_id: String,
}

#[derive(Default)]
pub struct Verified(Mutex<HashMap<Hash, Arc<Signed>>>);

impl Verified {
    pub fn get(&self, token: &str) -> Option<Arc<Signed>> {
        self.lock().get(&hash(token)).cloned()
    }

    pub fn put(&self, token: &str, signed: Arc<Signed>) {
        let mut all = self.lock();
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(hash(token), signed);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Hash, Arc<Signed>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(token: &str) -> Hash {
    digest(&SHA256, token.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}
