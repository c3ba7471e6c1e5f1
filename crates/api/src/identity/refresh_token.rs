use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use postern_keystore::{RandomError, digest::sha256, random};
use secrecy::{ExposeSecret, SecretString};

/// Refresh token in clear. It implements neither `Debug` nor `Serialize`.
pub struct RefreshToken(SecretString);

impl RefreshToken {
    /// Generates a token of 256 random bits.
    pub fn generate() -> Result<Self, RandomError> {
        let text = format!("prt_{}", URL_SAFE_NO_PAD.encode(random::bytes::<32>()?));
        Ok(Self(text.into()))
    }

    /// Token received from a client.
    #[must_use]
    pub fn from_client(text: String) -> Self {
        Self(text.into())
    }

    /// SHA-256 hash, as stored. It needs no salt, because the token cannot be guessed.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        sha256(self.0.expose_secret().as_bytes()).to_vec()
    }

    /// Token in clear, for the response that issues it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}
