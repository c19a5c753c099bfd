//! Hexadecimal encoding, and random digits for unique names.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::exit::Exit;
use crate::failure::Failure;

/// Encodes bytes as lowercase hexadecimal digits.
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The SHA-256 of these bytes in hexadecimal digits.
pub(crate) fn sha256(bytes: impl AsRef<[u8]>) -> String {
    encode(&Sha256::digest(bytes))
}

/// `count` hexadecimal digits from the system's random generator.
pub(crate) fn random_digits(count: usize) -> Result<String, RandomError> {
    let mut random = vec![0; count.div_ceil(2)];
    getrandom::fill(&mut random).map_err(RandomError)?;
    let mut text = encode(&random);
    text.truncate(count);
    Ok(text)
}

/// The system's random generator failed.
#[derive(Debug, thiserror::Error)]
#[error("the system returned no random bytes: {0}")]
pub(crate) struct RandomError(getrandom::Error);

impl Failure for RandomError {
    fn exit(&self) -> Exit {
        Exit::Io
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_becomes_two_digits() {
        assert_eq!(encode(&[0, 10, 255]), "000aff");
        assert_eq!(random_digits(5).unwrap().len(), 5);
    }
}
