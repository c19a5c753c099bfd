//! Words that nothing else bears.

use crate::error::{Error, Result};
use crate::exit::Exit;

/// So many hexadecimal digits of the system's randomness.
pub(crate) fn hex_digits(count: usize) -> Result<String> {
    let mut random = vec![0; count.div_ceil(2)];
    getrandom::fill(&mut random)
        .map_err(|error| Error::new(Exit::Io, format!("the system gave no randomness: {error}")))?;
    let mut text = crate::backup::hex(&random);
    text.truncate(count);
    Ok(text)
}
