//! Access tokens with arbitrary contents, signed with the server's key.

use std::{fs, path::PathBuf};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use postern_keystore::SigningKey;
use postern_tests::App;
use serde_json::Value;

/// Signs changed copies of a token.
pub struct TokenForger {
    pub key: SigningKey,
    pub header: Value,
    pub claims: Value,
}

impl TokenForger {
    /// Uses the server's key, and header and claims of a new token of `owner@acme.example`.
    pub async fn of(t: &App) -> Self {
        let token = t.sign_in("owner@acme.example").await.token.expect("the caller is signed in");
        Self::new(oldest_key(t), &token)
    }

    /// Uses `key`, and header and claims of `token`.
    pub fn new(key: SigningKey, token: &str) -> Self {
        Self { key, header: token_part(token, 0), claims: token_part(token, 1) }
    }

    pub fn sign(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", B64.encode(header), B64.encode(claims));
        format!("{signed}.{}", B64.encode(self.key.sign(signed.as_bytes())))
    }

    pub fn with_header(&self, field: &str, value: Value) -> String {
        let mut header = self.header.clone();
        header[field] = value;
        self.sign(&header.to_string(), &self.claims.to_string())
    }

    pub fn with_claim(&self, field: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[field] = value;
        self.sign(&self.header.to_string(), &claims.to_string())
    }

    pub fn without_claim(&self, field: &str) -> String {
        let mut claims = self.claims.clone();
        claims.as_object_mut().expect("the claims are an object").remove(field);
        self.sign(&self.header.to_string(), &claims.to_string())
    }
}

/// The decoded JSON of part `n` of a token: 0 is the header, 1 the claims.
pub fn token_part(token: &str, n: usize) -> Value {
    let part = token.split('.').nth(n).expect("the token has the part");
    serde_json::from_slice(&B64.decode(part).expect("the part is base64url"))
        .expect("the part is valid JSON")
}

/// The oldest signing key in the server's key directory.
pub fn oldest_key(t: &App) -> SigningKey {
    let folder = fs::read_dir(t.folder.path().join("keys")).expect("the directory is readable");
    let mut paths: Vec<PathBuf> = folder
        .map(|entry| entry.expect("the entry is readable").path())
        .filter(|path| path.extension().is_some_and(|end| end == "pk8"))
        .collect();
    paths.sort();
    let path = paths.first().expect("a key file exists");
    SigningKey::from_pkcs8(&fs::read(path).expect("the key file is readable"))
        .expect("the key is valid")
}

/// Asserts that the token is rejected with `invalid_token`.
pub async fn assert_rejected(t: &App, token: &str) {
    t.bearer(token).get("/v1/me").await.problem(401, "invalid_token");
}
