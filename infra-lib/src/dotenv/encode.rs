//! Bytes as text.

use std::fmt;

use zeroize::Zeroizing;

const HEX: &[u8; 16] = b"0123456789abcdef";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const TOKEN: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The text encoding of random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum Encoding {
    /// Two digits per byte, `0-9a-f`.
    Hex,
    /// Standard base64 with padding; `+`, `/` and `=` have a meaning in URLs.
    Base64,
    /// `[A-Za-z0-9_-]`, without padding, never with `-` first.
    Token,
}

impl Encoding {
    pub(super) fn of_name(name: &str) -> Option<Self> {
        [Self::Hex, Self::Base64, Self::Token].into_iter().find(|encoding| encoding.to_string() == name)
    }

    pub(crate) fn encode(self, bytes: &[u8]) -> Zeroizing<String> {
        match self {
            Self::Hex => {
                let digits = bytes.iter().flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
                Zeroizing::new(digits.map(char::from).collect())
            }
            Self::Base64 => base64(bytes, BASE64, true),
            Self::Token => base64(bytes, TOKEN, false),
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hex => "hex",
            Self::Base64 => "base64",
            Self::Token => "token",
        })
    }
}

fn base64(bytes: &[u8], alphabet: &[u8; 64], padded: bool) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(3) * 4));
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, at| bits << 8 | usize::from(chunk.get(at).copied().unwrap_or(0)));
        for place in 0..4 {
            if place <= chunk.len() {
                out.push(char::from(alphabet[bits >> (18 - 6 * place) & 63]));
            } else if padded {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(encoding: Encoding, bytes: &[u8]) -> String {
        encoding.encode(bytes).to_string()
    }

    #[test]
    fn encodings_are_the_standard_ones() {
        // RFC 4648, section 10.
        for (bytes, base64) in [("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(encode(Encoding::Base64, bytes.as_bytes()), base64);
            assert_eq!(encode(Encoding::Token, bytes.as_bytes()), base64.trim_end_matches('='));
        }
        assert_eq!(encode(Encoding::Base64, &[0xfb, 0xff, 0xbf]), "+/+/");
        assert_eq!(encode(Encoding::Token, &[0xfb, 0xff, 0xbf]), "-_-_");
        assert_eq!(encode(Encoding::Hex, &[0, 0x9f, 0xff]), "009fff");
    }
}
