//! Bounds of the numbers in a file.

use serde_json::Value;

/// The largest number: what every JSON reader reads exactly. Sums of such numbers do not overflow.
const LARGEST: u64 = 1 << 53;

/// A number in the value that is too large.
pub(super) fn out_of_range(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().filter(|number| *number > LARGEST),
        Value::Array(values) => values.iter().find_map(out_of_range),
        Value::Object(keys) => keys.values().find_map(out_of_range),
        _ => None,
    }
}
