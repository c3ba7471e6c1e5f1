//! Random bytes from the operating system's generator.

use ring::rand::{SecureRandom, SystemRandom};

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's random number generator failed")]
pub struct RandomError;

/// Generates random bytes, fit for keys, salts and tokens.
pub fn bytes<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| RandomError)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_differ() {
        let (first, second) = (bytes::<32>(), bytes::<32>());
        assert_ne!(first.expect("random bytes"), [0; 32], "the buffer is filled");
        assert_ne!(first, second, "two results differ");
    }
}
