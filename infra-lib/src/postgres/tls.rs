//! TLS settings of a connection to an external server.

use camino::{Utf8Path, Utf8PathBuf};

use super::PostgresError;

/// libpq's TLS settings, as stated in a URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) struct Tls {
    /// The `sslmode`, such as `verify-full`.
    pub(crate) mode: String,
    /// Files that libpq reads: variable and absolute path on this machine.
    files: Vec<(&'static str, Utf8PathBuf)>,
    /// Other settings: libpq variable and value.
    words: Vec<(&'static str, String)>,
}

/// URL options other than `sslmode`, with their libpq variables. Paths are relative to the project.
const FILES: [(&str, &str); 4] =
    [(ROOT, "PGSSLROOTCERT"), ("sslcert", "PGSSLCERT"), ("sslkey", "PGSSLKEY"), ("sslcrl", "PGSSLCRL")];
const WORDS: [(&str, &str); 2] =
    [("channel_binding", "PGCHANNELBINDING"), ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION")];
const ROOT: &str = "sslrootcert";
/// The system's trusted certificate authorities, as named in libpq 16. Older versions take it for a file name.
const SYSTEM: &str = "system";
/// Where systems keep the certificates of trusted authorities.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
];

impl Tls {
    /// Settings with only a mode.
    pub(super) fn of_mode(mode: &str) -> Self {
        Self { mode: mode.to_owned(), ..Self::default() }
    }

    /// Reads the options of a URL. Missing files are an error, since libpq would ignore some of them.
    pub(super) fn from_settings(
        mode: &str,
        options: &[(String, String)],
        root: &Utf8Path,
        home: Option<&Utf8Path>,
    ) -> Result<Self, PostgresError> {
        let mut tls = Self::of_mode(mode);
        let stated = |wanted: &str| options.iter().rev().find(|(key, _)| key == wanted).map(|(_, value)| value);
        for (key, variable) in FILES {
            match stated(key) {
                Some(value) if key == ROOT && value == SYSTEM => tls.trust(bundle()),
                Some(value) => tls.files.push((variable, existing(root, key, value)?)),
                // Clients in containers do not see this home folder, so state libpq's default explicitly.
                None if key == ROOT && mode.starts_with("verify") => {
                    let own = home.map(|home| home.join(".postgresql/root.crt")).filter(|path| path.is_file());
                    tls.trust(own.or_else(bundle));
                }
                None => {}
            }
        }
        let words = WORDS.into_iter().filter_map(|(key, variable)| Some((variable, stated(key)?.clone())));
        tls.words.extend(words);
        Ok(tls)
    }

    fn trust(&mut self, root: Option<Utf8PathBuf>) {
        match root {
            Some(path) => self.files.push((FILES[0].1, path)),
            None => self.words.push((FILES[0].1, SYSTEM.to_owned())),
        }
    }

    /// The variables for libpq on this machine, without `PGSSLMODE`.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let files = self.files.iter().map(|(variable, path)| (*variable, path.as_str()));
        files.chain(self.words.iter().map(|(variable, value)| (*variable, value.as_str())))
    }

    /// The files with their variables, for a container that must mount them.
    pub(super) fn files(&self) -> impl Iterator<Item = (&'static str, &Utf8Path)> {
        self.files.iter().map(|(variable, path)| (*variable, path.as_path()))
    }

    /// The variables that are not files.
    pub(super) fn words(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.words.iter().map(|(variable, value)| (*variable, value.as_str()))
    }
}

fn existing(root: &Utf8Path, key: &'static str, value: &str) -> Result<Utf8PathBuf, PostgresError> {
    let path = root.join(value);
    if path.is_file() { Ok(path) } else { Err(PostgresError::TlsFile { key, path }) }
}

fn bundle() -> Option<Utf8PathBuf> {
    BUNDLES.into_iter().map(Utf8PathBuf::from).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_libpqs_variables() {
        let temp = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(temp.path()).unwrap();
        std::fs::create_dir(root.join("certs")).unwrap();
        std::fs::write(root.join("certs/ca.pem"), "").unwrap();
        let options = [(ROOT, "certs/ca.pem"), ("channel_binding", "require"), ("pgbouncer", "true")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        let tls = Tls::from_settings("verify-full", &options, root, None).unwrap();
        let path = root.join("certs/ca.pem");
        let variables: Vec<_> = tls.variables().collect();
        assert_eq!(variables, [("PGSSLROOTCERT", path.as_str()), ("PGCHANNELBINDING", "require")]);
        let gone =
            Tls::from_settings("verify-full", &[(ROOT.to_owned(), "gone.pem".to_owned())], root, None).unwrap_err();
        assert!(gone.to_string().contains("gone.pem") && gone.to_string().contains(ROOT), "{gone}");
    }

    #[test]
    fn who_verifies_trusts_what_the_home_says_else_what_the_system_does() {
        let temp = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(temp.path()).unwrap();
        let root = |mode: &str, options: &[(String, String)]| {
            let tls = Tls::from_settings(mode, options, home, Some(home)).unwrap();
            tls.variables().next().map(|(_, value)| value.to_owned())
        };
        let system = bundle().map_or(SYSTEM.to_owned(), Utf8PathBuf::into_string);
        assert_eq!(root("verify-full", &[]), Some(system.clone()));
        assert_eq!(root("prefer", &[]), None);
        std::fs::create_dir(home.join(".postgresql")).unwrap();
        let own = home.join(".postgresql/root.crt");
        std::fs::write(&own, "").unwrap();
        assert_eq!(root("verify-full", &[]), Some(own.into_string()));
        assert_eq!(root("verify-full", &[(ROOT.to_owned(), SYSTEM.to_owned())]), Some(system));
    }
}
