//! Changing a role's password without revealing it in the server's log.

use sha2::{Digest as _, Sha256};

use crate::dotenv::Encoding;
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::secret::Secret;

use super::{Database, Way};

/// PostgreSQL's own default (`scram_iterations`).
const ITERATIONS: u32 = 4096;

impl Database {
    /// Changes the password of this database's role. Only the SCRAM verifier (RFC 5803), computed here, is sent to
    /// the server, so neither a log nor `pg_stat_activity` contains the password.
    pub(crate) fn set_password(&self, project: &Project, password: &Secret, way: Way) -> Result<()> {
        let verifier = scram_verifier_of(password)?;
        let sql = format!("SELECT format('ALTER ROLE %I PASSWORD %L', current_user, '{verifier}') \\gexec\n");
        let call = self.psql_by(project, way)?.args(["-o", "/dev/null", "-f", "-"]).stdin(sql);
        Self::execute(project, &call)?;
        Ok(())
    }
}

/// The verifier of a password, with a new random salt.
pub(crate) fn scram_verifier_of(password: &Secret) -> Result<String> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)
        .map_err(|error| Error::new(Exit::Io, format!("the system has no randomness: {error}")))?;
    Ok(scram_verifier(password.expose().as_bytes(), &salt, ITERATIONS))
}

/// `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, as stored in `pg_authid.rolpassword`. Passwords here
/// are ASCII, which `SASLprep` does not change.
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

/// PBKDF2 (RFC 8018) for one block, which has the length of the digest.
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
