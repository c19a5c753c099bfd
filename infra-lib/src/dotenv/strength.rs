//! Estimating the strength of a secret, as a rough lower bound.

/// The minimum length of a secret.
const LENGTH: usize = 16;

/// The minimum entropy: a million guesses per second for thirty years.
const BITS: f64 = 50.0;

/// Why the value is too weak for a secret, if it is. An explicit minimum length lowers the requirements, as for a
/// password that another party issues.
pub(super) fn weakness(value: &str, min_length: Option<usize>) -> Option<String> {
    let least = min_length.unwrap_or(LENGTH);
    let length = value.chars().count();
    if length < least {
        return Some(format!("is shorter than {least} characters"));
    }
    let stated =
        min_length.and_then(|length| u32::try_from(length).ok()).map_or(BITS, |length| f64::from(length) * 3.0);
    (bits(value) < BITS.min(stated)).then(|| "is easily guessed".to_owned())
}

/// The entropy of the characters as they occur, where steps in order count for nothing.
fn bits(value: &str) -> f64 {
    let chars: Vec<char> = value.chars().collect();
    let steps = chars.windows(2).filter(|two| (two[1] as u32).abs_diff(two[0] as u32) <= 1).count();
    let mut counts = std::collections::BTreeMap::<char, u32>::new();
    for &c in &chars {
        *counts.entry(c).or_default() += 1;
    }
    let total = f64::from(u32::try_from(chars.len()).unwrap_or(u32::MAX));
    let per_char: f64 = counts.values().map(|&count| f64::from(count) / total).map(|share| -share * share.log2()).sum();
    per_char * (total - f64::from(u32::try_from(steps).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_and_strong() {
        for value in ["", "k3Vt0Zq9", "aaaaaaaaaaaaaaaaaaaaaaaa", "abcabcabcabcabcabcabc", "abcdefghijklmnopqrst"] {
            assert!(weakness(value, None).is_some(), "{value}");
        }
        for value in ["k3Vt0Zq9_xW2LmB7yRfA", "9f86d081884c7d659a2feaa0c55ad015", "correct horse battery staple"] {
            assert_eq!(weakness(value, None), None, "{value}");
        }
        assert_eq!(weakness("k3Vt0Zq9_xW2LmB7yRfA", Some(32)).as_deref(), Some("is shorter than 32 characters"));
        assert_eq!(weakness("k3Vt0Zq9_xW2LmB7", Some(8)), None);
        assert_eq!((weakness("qkzvhwpdxjmt", Some(12)), weakness("qkzvhwpdxjmt", None).is_some()), (None, true));
        assert!(weakness("aaaaaaaaaaaa", Some(12)).is_some());
    }

    #[test]
    fn whatever_is_generated_is_strong() {
        for generator in ["hex:16", "base64:16", "token:16", "token:32"] {
            for _ in 0..200 {
                let secret = generator.parse::<crate::dotenv::Generator>().unwrap().generate().unwrap();
                assert_eq!(weakness(secret.expose(), None), None);
                assert!(!crate::dotenv::is_placeholder(secret.expose()));
            }
        }
    }
}
