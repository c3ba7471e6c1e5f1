//! Ed25519 for `jsonwebtoken`, with keys of the keystore.
//!
//! It is the only algorithm in this process: tokens with another `alg` cannot be verified.

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
    signature,
};
use postern_keystore::SigningKey;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

/// Installs the provider. Call it before the first token is signed or verified. Idempotent.
pub fn install() {
    // The only possible error is that the provider is already installed.
    let _ = PROVIDER.install_default();
}

/// Key for signing tokens.
pub fn encoding_key(key: &SigningKey) -> EncodingKey {
    EncodingKey::from_ed_der(key.expose_pkcs8())
}

/// Public key for verifying tokens.
pub fn decoding_key(key: &SigningKey) -> DecodingKey {
    DecodingKey::from_ed_der(key.public_key())
}

struct Signer(SigningKey);
/// Public key.
struct Verifier(Vec<u8>);

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the library defines the signature")]
fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    only_ed25519(*algorithm, key.family())?;
    let key = SigningKey::from_pkcs8(key.as_bytes()).map_err(|_| ErrorKind::InvalidEddsaKey)?;
    Ok(Box::new(Signer(key)))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the library defines the signature")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    only_ed25519(*algorithm, key.family())?;
    Ok(Box::new(Verifier(key.try_get_as_bytes()?.to_vec())))
}

fn only_ed25519(algorithm: Algorithm, family: AlgorithmFamily) -> Result<(), Error> {
    if algorithm == Algorithm::EdDSA && family == AlgorithmFamily::Ed {
        Ok(())
    } else {
        Err(ErrorKind::InvalidAlgorithm.into())
    }
}

impl signature::Signer<Vec<u8>> for Signer {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.0.sign(message))
    }
}

impl JwtSigner for Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

impl signature::Verifier<Vec<u8>> for Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        if postern_keystore::verify(&self.0, message, signature) {
            Ok(())
        } else {
            Err(signature::Error::new())
        }
    }
}

impl JwtVerifier for Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}
