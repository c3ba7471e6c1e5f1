//! Rules for new passwords (NIST SP 800-63B, 3.1.1.2): a minimum length, a blocklist of common
//! passwords, and no rules about character classes.

use std::{collections::HashSet, fmt, ops::RangeInclusive, sync::LazyLock};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use unicode_normalization::UnicodeNormalization;

/// A password as typed. It cannot be printed or serialized, and is wiped from memory when dropped.
#[derive(Clone)]
pub struct Password(SecretString);

/// Reason for which a new password is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("a password must have 12 to 128 characters")]
    Length,
    #[error("this password is too common, repetitive or sequential")]
    Common,
    #[error("a password must not be your e-mail address or the product's name")]
    Guessable,
    #[error("a password must not contain U+0000")]
    NulCharacter,
}

impl Password {
    /// Length of a new password in characters, not bytes.
    pub const LENGTH: RangeInclusive<usize> = 12..=128;

    /// Maximum input in bytes, which bounds the cost of normalization.
    const LONGEST_TYPED: usize = 1024;

    /// Normalizes to Unicode NFKC, so that different keyboards and systems give the same password.
    #[must_use]
    pub fn new(typed: &str) -> Self {
        Self(typed.nfkc().collect::<String>().into())
    }

    /// The bytes to hash.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }

    /// Checks the rules for a new password of the user with this e-mail address.
    pub fn check(&self, email: &str) -> Result<(), WeakPassword> {
        let text = self.0.expose_secret().to_lowercase();
        if !Self::LENGTH.contains(&self.0.expose_secret().chars().count()) {
            return Err(WeakPassword::Length);
        }
        // No JSON body may contain it, so sign-in would always fail.
        if text.contains('\0') {
            return Err(WeakPassword::NulCharacter);
        }
        let bare = stem(&text);
        let own = email.to_lowercase();
        let local = own.split('@').next().unwrap_or(&own);
        let domain = own.split('@').nth(1).unwrap_or(&own);
        if text == own
            || [local, domain, "postern", "postern admin"]
                .iter()
                .any(|word| bare == stem(word) && !bare.is_empty())
        {
            return Err(WeakPassword::Guessable);
        }
        let unit = repeated_unit(&text);
        let common =
            COMMON.contains(text.as_str()) || COMMON.contains(bare) || COMMON.contains(unit);
        if common || unit.chars().count() < 4 || is_run(&text) {
            return Err(WeakPassword::Common);
        }
        Ok(())
    }
}

/// Common passwords. For source and license see `docs/decisions/0014-password-rules.md`.
static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("password/common.txt").lines().collect());

/// The text without leading and trailing digits and punctuation: `password` of `password1234!`.
fn stem(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphabetic())
}

/// The shortest text that this one repeats: `abc` of `abcabcabcabc`; otherwise the whole text.
fn repeated_unit(text: &str) -> &str {
    let bytes = text.as_bytes();
    let period = (1..=bytes.len() / 2).find(|n| {
        bytes.len().is_multiple_of(*n) && bytes.chunks(*n).all(|chunk| chunk == &bytes[..*n])
    });
    period.and_then(|n| text.get(..n)).unwrap_or(text)
}

/// Whether all characters are consecutive, up or down: `abcdefghijkl`, `987654321098`.
fn is_run(text: &str) -> bool {
    let codes: Vec<u32> = text.chars().map(u32::from).collect();
    let follows = |up: bool| {
        codes.windows(2).all(|pair| {
            let (from, to) = if up { (pair[0], pair[1]) } else { (pair[1], pair[0]) };
            from + 1 == to || (from, to) == (u32::from('9'), u32::from('0'))
        })
    };
    follows(true) || follows(false)
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let typed = SecretString::from(String::deserialize(deserializer)?);
        if typed.expose_secret().len() > Self::LONGEST_TYPED {
            return Err(serde::de::Error::custom(format!("at most {} bytes", Self::LONGEST_TYPED)));
        }
        Ok(Self::new(typed.expose_secret()))
    }
}

#[cfg(feature = "openapi")]
mod openapi {
    use super::Password;
    use utoipa::{
        PartialSchema, ToSchema,
        openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
    };

    impl PartialSchema for Password {
        fn schema() -> RefOr<Schema> {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .description(Some("Password in plain text."))
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
                .max_length(Some(Self::LONGEST_TYPED))
                .examples(["postern-demo-2026"])
                .into()
        }
    }

    impl ToSchema for Password {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &str) -> Result<(), WeakPassword> {
        Password::new(typed).check("ana.costa@acme.example")
    }

    #[test]
    fn nul_characters_are_rejected() {
        assert_eq!(check("correct\0horse battery"), Err(WeakPassword::NulCharacter));
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(check("elevenchars"), Err(WeakPassword::Length), "11 characters are too few");
        assert_eq!(check("élan vitaux!"), Ok(()), "12 characters are enough");
        assert_eq!(
            check(&"correct horse ".repeat(9)[..126]),
            Ok(()),
            "126 characters are accepted"
        );
        assert_eq!(
            check(&"correct horse battery staple".repeat(5)),
            Err(WeakPassword::Length),
            "140 characters are too many"
        );
    }

    #[test]
    fn character_classes_are_not_required() {
        for good in [
            "correct horse battery staple",
            "postern-demo-2026",
            "нет правил о буквах",
            "            x  y z",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn common_passwords_are_rejected() {
        for bad in [
            "password1234",
            "Password1234!",
            "1q2w3e4r5t6y",
            "aaaaaaaaaaaa",
            "abababababab",
            "abcdefghijklm",
            "987654321098",
            "qwertyqwerty",
            "123456789012",
        ] {
            assert_eq!(check(bad), Err(WeakPassword::Common), "{bad}");
        }
    }

    #[test]
    fn email_address_and_product_name_are_rejected() {
        for bad in [
            "ana.costa@acme.example",
            "ANA.COSTA@acme.example",
            "ana.costa1234",
            "postern-2026!",
            "acme.example1",
        ] {
            assert_eq!(check(bad), Err(WeakPassword::Guessable), "{bad}");
        }
    }

    #[test]
    fn composed_and_decomposed_characters_are_equal() {
        assert_eq!(
            Password::new("caf\u{e9} au lait chaud").expose(),
            Password::new("cafe\u{301} au lait chaud").expose()
        );
    }

    #[test]
    fn debug_output_hides_the_password() {
        assert_eq!(format!("{:?}", Password::new("postern-demo-2026")), "Password(…)");
    }
}
