//! CRC-32/ISO-HDLC: a name's number, as other tools compute it. It guards nothing.

/// Of these parts, one after the other.
pub(super) fn crc32(parts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> u32 {
    let mut crc = u32::MAX;
    for part in parts {
        for &byte in part.as_ref() {
            crc = (0..8).fold(
                crc ^ u32::from(byte),
                |crc, _| {
                    if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
                },
            );
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_usual_one() {
        assert_eq!(crc32(["1234", "56789"]), 0xcbf4_3926, "the check value of CRC-32/ISO-HDLC");
    }
}
