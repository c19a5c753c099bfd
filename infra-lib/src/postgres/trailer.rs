//! Detecting truncated streams: a random word at the very end of the output.
//!
//! `docker exec` exits with 0 even if the stream was cut off, so its exit code is not enough. The word is written to
//! stdout once the program has exited with 0; on stderr it could overtake the data.

use crate::hex;
use crate::project::error::Result;

/// The length of the word in bytes.
const LENGTH: usize = 32;

/// The expected word, and received bytes that may be the beginning of it.
pub(crate) struct Trailer {
    word: String,
    held: Vec<u8>,
}

impl Trailer {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { word: hex::random_digits(LENGTH)?, held: Vec::new() })
    }

    pub(crate) fn word(&self) -> &str {
        &self.word
    }

    /// Receives bytes and passes on those that cannot be part of the word.
    pub(crate) fn pass<E>(
        &mut self,
        bytes: &[u8],
        on_data: impl FnOnce(&[u8]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.held.extend_from_slice(bytes);
        let sure = self.held.len().saturating_sub(LENGTH);
        on_data(&self.held[..sure])?;
        self.held.drain(..sure);
        Ok(())
    }

    /// Whether the stream ended with the word.
    pub(crate) fn arrived(&self) -> bool {
        self.held == self.word.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a08_the_word_is_stripped_and_its_absence_noticed_wherever_the_stream_is_cut() {
        let trailer = Trailer::new().unwrap();
        let stream = [b"some data", trailer.word().as_bytes()].concat();
        for cut in 0..=stream.len() {
            for step in [1, 7, 64] {
                let mut trailer = Trailer { word: trailer.word.clone(), held: Vec::new() };
                let mut data = Vec::new();
                for chunk in stream[..cut].chunks(step) {
                    trailer
                        .pass(chunk, |bytes| {
                            data.extend_from_slice(bytes);
                            Ok::<_, ()>(())
                        })
                        .unwrap();
                }
                assert_eq!(trailer.arrived(), cut == stream.len(), "cut at {cut}");
                if trailer.arrived() {
                    assert_eq!(data, b"some data");
                }
            }
        }
    }
}
