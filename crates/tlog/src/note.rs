//! C2SP `signed-note`: a text followed by signatures, each with the name of its key.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    digest::{SHA256, digest},
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};

/// Signature type byte of Ed25519.
const ED25519_KIND: u8 = 1;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    #[error("not a signed note: {0}")]
    Malformed(&'static str),
    #[error("the note has no signature of {0}")]
    NotSigned(String),
    #[error("the signature of {0} does not match the text and the key")]
    WrongSignature(String),
}

/// Reason that a text is not a verifier key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    #[error("a key is NAME+ID+PUBLIC_KEY, without spaces")]
    Parts,
    #[error("the public key after the second `+` is not base64, or is cut off")]
    Base64,
    #[error("the public key is not an Ed25519 key of 32 bytes")]
    NotEd25519,
    #[error("the ID of this name and public key is {computed}, not {stated}: a part was altered")]
    Id { stated: String, computed: String },
}

/// A text with its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Ends with a line feed.
    pub text: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Signature {
    name: String,
    key_id: [u8; 4],
    bytes: Vec<u8>,
}

/// Signer of notes. One key can sign under several names.
pub struct Signer {
    name: String,
    key: Arc<Ed25519KeyPair>,
}

/// Public key of a signer, with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    public_key: Vec<u8>,
}

/// First four bytes of SHA-256(name ‖ LF ‖ type ‖ key). Only a hint, which proves nothing.
fn key_id(name: &str, public_key: &[u8]) -> [u8; 4] {
    let mut bytes = name.as_bytes().to_vec();
    bytes.extend([b'\n', ED25519_KIND]);
    bytes.extend(public_key);
    let mut id = [0; 4];
    id.copy_from_slice(&digest(&SHA256, &bytes).as_ref()[..4]);
    id
}

/// Whether `name` is a valid key name: not empty, without whitespace and plus signs.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

impl Signer {
    /// Creates a signer. `None` if the name is invalid.
    #[must_use]
    pub fn new(name: &str, key: Arc<Ed25519KeyPair>) -> Option<Self> {
        is_name(name).then(|| Self { name: name.to_owned(), key })
    }

    /// Creates a signer from a private key of 32 bytes (RFC 8032). `None` if the name is invalid.
    #[must_use]
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Option<Self> {
        let key = Ed25519KeyPair::from_seed_unchecked(seed).expect("a seed has 32 bytes");
        Self::new(name, Arc::new(key))
    }

    #[must_use]
    pub fn verifier(&self) -> Verifier {
        Verifier { name: self.name.clone(), public_key: self.key.public_key().as_ref().to_vec() }
    }

    /// Signs a text. It must end with a line feed and have no other control characters.
    pub fn sign(&self, text: &str) -> Result<Note, NoteError> {
        if !text.ends_with('\n') || text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(NoteError::Malformed(
                "the text must end with a line feed and have no other control characters",
            ));
        }
        let signature = Signature {
            name: self.name.clone(),
            key_id: key_id(&self.name, self.key.public_key().as_ref()),
            bytes: self.key.sign(text.as_bytes()).as_ref().to_vec(),
        };
        Ok(Note { text: text.to_owned(), signatures: vec![signature] })
    }
}

impl Verifier {
    /// Parses a verifier key, as in `example.com/log+1234abcd+AQ…`.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(InvalidKey::Parts);
        };
        if !is_name(name) || text.contains(char::is_whitespace) {
            return Err(InvalidKey::Parts);
        }
        let key = STANDARD.decode(key).map_err(|_| InvalidKey::Base64)?;
        let public_key = match key.split_first() {
            Some((&ED25519_KIND, public_key)) if public_key.len() == 32 => public_key.to_vec(),
            _ => return Err(InvalidKey::NotEd25519),
        };
        let verifier = Self { name: name.to_owned(), public_key };
        // Accepts lower-case digits only: one text per key, as `to_text` returns it.
        let computed = verifier.id();
        if id == computed {
            Ok(verifier)
        } else {
            Err(InvalidKey::Id { stated: id.to_owned(), computed })
        }
    }

    /// Verifier key for publication, as parsed by [`Verifier::parse`].
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut key = vec![ED25519_KIND];
        key.extend(&self.public_key);
        format!("{}+{}+{}", self.name, self.id(), STANDARD.encode(key))
    }

    /// Id of the key with its name, as hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        hex::encode(key_id(&self.name, &self.public_key))
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Note {
    /// Serializes the note: the text, an empty line, and a line for each signature.
    #[must_use]
    pub fn to_text(&self) -> String {
        let signatures = self.signatures.iter().map(|Signature { name, key_id, bytes }| {
            let signed: Vec<u8> = key_id.iter().chain(bytes).copied().collect();
            format!("— {name} {}\n", STANDARD.encode(signed))
        });
        format!("{}\n{}", self.text, signatures.collect::<String>())
    }

    /// Parses a note without verifying its signatures.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        let malformed = NoteError::Malformed;
        if note.chars().any(|c| c.is_control() && c != '\n') {
            return Err(malformed("the note has control characters"));
        }
        // The last empty line, because the text can contain empty lines too.
        let split =
            note.rfind("\n\n").ok_or(malformed("there is no empty line before the signatures"))?;
        let (text, signatures) = (&note[..=split], &note[split + 2..]);
        if !signatures.ends_with('\n') {
            return Err(malformed("the note has no signatures, or the last line is incomplete"));
        }
        let signature = |line: &str| {
            let (name, signed) = line.strip_prefix("— ")?.split_once(' ')?;
            let signed = STANDARD.decode(signed).ok()?;
            let (key_id, bytes) = signed.split_first_chunk::<4>()?;
            let well_formed = is_name(name) && !bytes.is_empty();
            well_formed.then(|| Signature {
                name: name.to_owned(),
                key_id: *key_id,
                bytes: bytes.to_vec(),
            })
        };
        if signatures.lines().any(|line| !line.starts_with('—')) {
            return Err(malformed(
                "a line of signatures does not begin with an em dash (U+2014): the file was \
                 converted to another encoding, or has more lines",
            ));
        }
        let signatures: Option<Vec<_>> = signatures.lines().map(signature).collect();
        let signatures = signatures
            .filter(|all| all.len() <= 100)
            .ok_or(malformed("a signature line is malformed, or there are more than 100"))?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// Adds the signatures of another note with the same text: during a key rotation two keys sign.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        if self.text == other.text {
            self.signatures.extend(other.signatures.iter().cloned());
        }
        self
    }

    /// Ids of the keys of the signatures in the note, under this name.
    #[must_use]
    pub fn key_ids(&self, name: &str) -> Vec<String> {
        let signatures = self.signatures.iter().filter(|signature| signature.name == name);
        signatures.map(|signature| hex::encode(signature.key_id)).collect()
    }

    /// Verifies the signatures of this key and ignores those of other keys.
    pub fn verify(&self, by: &Verifier) -> Result<(), NoteError> {
        let id = key_id(&by.name, &by.public_key);
        let mut signatures = self
            .signatures
            .iter()
            .filter(|signature| signature.name == by.name && signature.key_id == id)
            .peekable();
        if signatures.peek().is_none() {
            return Err(NoteError::NotSigned(by.name.clone()));
        }
        let key = UnparsedPublicKey::new(&ED25519, &by.public_key);
        if signatures.all(|signature| key.verify(self.text.as_bytes(), &signature.bytes).is_ok()) {
            Ok(())
        } else {
            Err(NoteError::WrongSignature(by.name.clone()))
        }
    }
}
