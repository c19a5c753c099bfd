//! Generating secrets with the system's random generator.

use crate::exit::Exit;
use crate::failure::Failure;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Encoding;
use crate::secret::Secret;

const BYTES: std::ops::RangeInclusive<usize> = 16..=1024;

/// How to generate a secret: `hex:N`, `base64:N` or `token:N` with N random bytes, 16 to 1024.
///
/// Prefer `token`: it needs no quoting in `.env` files, shells and URLs. The default is `token:32`, 43 characters
/// with 256 bits.
///
/// ```
/// use infra_lib::config::Generator;
///
/// let generator: Generator = "hex:64".parse()?;
/// assert_eq!(generator.to_string(), "hex:64");
/// assert_eq!(Generator::default().to_string(), "token:32");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Generator {
    encoding: Encoding,
    bytes: usize,
}

/// The text is not a valid generator.
///
/// ```
/// let error = "hex:8".parse::<infra_lib::config::Generator>().unwrap_err();
/// assert_eq!(error.to_string(), "`hex:8` is not a generator");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a generator")]
pub struct InvalidGenerator(String);

/// The system provided no random bytes; no secret was generated.
#[derive(Debug, thiserror::Error)]
#[error("the system's random generator failed")]
pub(crate) struct GenerateError(#[source] std::io::Error);

impl Generator {
    /// Creates a generator that uses `bytes` random bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidGenerator`] for fewer than 16 or more than 1024 bytes.
    pub(crate) fn new(encoding: Encoding, bytes: usize) -> Result<Self, InvalidGenerator> {
        let generator = Self { encoding, bytes };
        if BYTES.contains(&bytes) { Ok(generator) } else { Err(InvalidGenerator(generator.to_string())) }
    }

    /// Generates a new random secret.
    ///
    /// # Errors
    ///
    /// [`GenerateError`] if the system provides no random bytes; no other source is tried.
    pub(crate) fn generate(self) -> Result<Secret, GenerateError> {
        self.draw(getrandom::fill)
    }

    fn draw(self, source: impl Fn(&mut [u8]) -> Result<(), getrandom::Error>) -> Result<Secret, GenerateError> {
        let mut bytes = Zeroizing::new(vec![0_u8; self.bytes]);
        loop {
            source(&mut bytes).map_err(no_randomness)?;
            let text = self.encoding.encode(&bytes);
            // Repeat, since a program that gets the secret as an argument would take it for an option.
            if !text.starts_with('-') {
                return Ok(Secret::new(text.as_str()));
            }
        }
    }
}

fn no_randomness(error: getrandom::Error) -> GenerateError {
    let system = error.raw_os_error().map(std::io::Error::from_raw_os_error);
    GenerateError(system.unwrap_or_else(|| std::io::Error::other(error.to_string())))
}

impl Default for Generator {
    fn default() -> Self {
        Self { encoding: Encoding::Token, bytes: 32 }
    }
}

impl fmt::Display for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.encoding, self.bytes)
    }
}

impl FromStr for Generator {
    type Err = InvalidGenerator;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidGenerator(text.to_owned());
        let (encoding, bytes) = text.split_once(':').ok_or_else(invalid)?;
        let encoding = Encoding::of_name(encoding).ok_or_else(invalid)?;
        let plain = bytes.bytes().all(|byte| byte.is_ascii_digit());
        let bytes = bytes.parse().ok().filter(|_| plain).ok_or_else(invalid)?;
        Self::new(encoding, bytes).map_err(|_| invalid())
    }
}

impl TryFrom<String> for Generator {
    type Error = InvalidGenerator;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Generator> for String {
    fn from(generator: Generator) -> Self {
        generator.to_string()
    }
}

impl Failure for GenerateError {
    fn exit(&self) -> Exit {
        Exit::Io
    }

    fn hint(&self) -> Option<String> {
        Some("check that /dev/urandom exists and that the sandbox allows getrandom".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_documented_parses() {
        for text in ["hex:16", "base64:32", "token:1024"] {
            assert_eq!(text.parse::<Generator>().map(|generator| generator.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "hex", "hex:", "hex:15", "hex:1025", "hex:+32", "HEX:32", "uuid:16", "hex:32 ", "hex:32:1"] {
            assert!(text.parse::<Generator>().is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Generator>("\"token:15\"").is_err());
        assert_eq!(serde_json::to_string(&Generator::default()).unwrap(), "\"token:32\"");
    }

    #[test]
    fn e13_without_randomness_there_is_no_secret() {
        let error = Generator::default().draw(|_| Err(getrandom::Error::UNSUPPORTED)).unwrap_err();
        assert_eq!(error.to_string(), "the system's random generator failed");
        assert!(error.hint().is_some());
    }

    #[test]
    fn a_leading_dash_is_drawn_again() {
        let draws = std::cell::Cell::new(0);
        let secret = Generator::default().draw(|bytes| {
            bytes.fill(if draws.replace(draws.get() + 1) == 0 { 0xfb } else { 0 });
            Ok(())
        });
        assert_eq!((secret.unwrap().expose(), draws.get()), ("A".repeat(43).as_str(), 2));
    }

    /// S10: a thousand draws are distinct, and no character is favoured.
    #[test]
    fn s10_draws_are_unique_and_even() {
        let draws: Vec<Secret> = (0..1000).map(|_| Generator::default().generate().unwrap()).collect();
        let mut counts = [0_u32; 128];
        let mut unique = std::collections::HashSet::new();
        for draw in &draws {
            assert_eq!(draw.expose().len(), 43);
            assert!(!draw.expose().starts_with('-') && unique.insert(draw.expose()));
            // The last character carries four bits only.
            draw.expose()[1..42].bytes().for_each(|byte| counts[usize::from(byte)] += 1);
        }
        let expected = f64::from(41 * 1000) / 64.0;
        let seen = counts.iter().filter(|&&count| count > 0);
        let chi: f64 = seen.map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
        // 63 degrees of freedom: above 140 in fewer than one of ten million runs.
        assert!(chi < 140.0, "chi-square {chi}");
        assert_eq!(counts.iter().filter(|&&count| count > 0).count(), 64);
    }

    #[test]
    fn a_generator_draws_anew_each_time_and_never_too_few_bytes() {
        assert!(Generator::new(Encoding::Token, 32).is_ok() && Generator::new(Encoding::Hex, 8).is_err());
        assert_eq!("hex:64".parse::<Generator>().unwrap().generate().unwrap().expose().len(), 128);
        assert_ne!(Generator::default().generate().unwrap(), Generator::default().generate().unwrap());
    }
}
