//! Changing a role's password without showing it to the server's log.

use sha2::{Digest as _, Sha256};

use crate::Secret;
use crate::dotenv::Encoding;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::project::Project;

use super::{Database, Way};

/// PostgreSQL's own default (`scram_iterations`).
const ITERATIONS: u32 = 4096;

impl Database {
    /// Gives this database's role another password. What travels is the verifier that the server stores (RFC 5803), made
    /// here, so that neither a log nor `pg_stat_activity` ever holds the password.
    pub(crate) fn set_password(&self, project: &Project, password: &Secret, way: Way) -> Result<()> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt)
            .map_err(|error| Error::new(Exit::Io, format!("the system has no randomness: {error}")))?;
        let verifier = scram_verifier(password.expose().as_bytes(), &salt, ITERATIONS);
        let sql = format!("SELECT format('ALTER ROLE %I PASSWORD %L', current_user, '{verifier}') \\gexec\n");
        let call = self.psql_by(project, way)?.args(["-o", "/dev/null", "-f", "-"]).stdin(sql);
        Self::execute(project, &call)?;
        Ok(())
    }
}

/// `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, as `pg_authid.rolpassword` holds it. Passwords here are
/// ASCII, which `SASLprep` leaves as it is.
fn scram_verifier(password: &[u8], salt: &[u8], iterations: u32) -> String {
    let salted = pbkdf2(password, salt, iterations);
    let stored = Sha256::digest(hmac(&salted, b"Client Key"));
    let server = hmac(&salted, b"Server Key");
    format!(
        "SCRAM-SHA-256${iterations}:{}${}:{}",
        Encoding::Base64.encode(salt).as_str(),
        Encoding::Base64.encode(&stored).as_str(),
        Encoding::Base64.encode(&server).as_str()
    )
}

/// PBKDF2 (RFC 8018) for one block, which is as long as the digest.
fn pbkdf2(password: &[u8], salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut block = hmac(password, &[salt, &1u32.to_be_bytes()].concat());
    let mut result = block;
    for _ in 1..iterations {
        block = hmac(password, &block);
        result.iter_mut().zip(block).for_each(|(byte, next)| *byte ^= next);
    }
    result
}

/// HMAC-SHA-256 (RFC 2104).
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677, section 3.
    #[test]
    fn the_keys_are_those_of_the_rfc() {
        let salt = [0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81];
        let verifier = scram_verifier(b"pencil", &salt, 4096);
        assert_eq!(
            verifier,
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }
}
