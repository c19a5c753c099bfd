//! Parsing and formatting connection URLs.

use crate::secret::Secret;

use crate::exec::percent_encode;

use super::PostgresError;

const SCHEMES: &str = "it does not begin with postgres:// or postgresql://";

/// `postgres://user:password@host:port/database?options`, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) database: String,
    /// The options after the `?`, in order.
    pub(super) options: Vec<(String, String)>,
}

impl Url {
    pub(super) fn parse(text: &str) -> Result<Self, PostgresError> {
        let wrong = |reason| PostgresError::Url { reason };
        let url = url::Url::parse(text).map_err(|error| {
            wrong(match error {
                url::ParseError::InvalidPort => "its port is not a number up to 65535",
                url::ParseError::EmptyHost => "it has a user, but no host",
                url::ParseError::RelativeUrlWithoutBase => SCHEMES,
                _ => "its host is not valid",
            })
        })?;
        if !matches!(url.scheme(), "postgres" | "postgresql") || url.cannot_be_a_base() {
            return Err(wrong(SCHEMES));
        }
        let user = Some(url.username()).filter(|user| !user.is_empty()).map(decode).transpose()?;
        let password = url.password().map(decode).transpose()?.map(Secret::new);
        let host = decode(url.host_str().unwrap_or_default().trim_matches(['[', ']']))?;
        let host = if host.is_empty() { "localhost".to_owned() } else { host };
        let database = decode(url.path().trim_start_matches('/'))?;
        let database = if database.is_empty() { user.clone().unwrap_or_default() } else { database };
        if database.is_empty() {
            return Err(wrong("it names no database"));
        }
        let pairs = url.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        let options = pairs.map(|(key, value)| Ok((decode(key)?, decode(value)?))).collect::<Result<_, _>>()?;
        Ok(Self { user, password, host, port: url.port().unwrap_or(5432), database, options })
    }

    /// The `sslmode` to use: the URL's own, else verification for servers on other machines.
    pub(super) fn sslmode(&self) -> &str {
        let local = self.host == "localhost"
            || self.host.starts_with('/')
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        match self.options.iter().rev().find(|(key, _)| key == "sslmode") {
            Some((_, mode)) => mode,
            None if local => "prefer",
            None => "verify-full",
        }
    }
}

/// The URL of a database on this machine.
pub(super) fn write(user: &str, password: Option<&Secret>, port: u16, database: &str) -> Secret {
    write_at(user, password, "127.0.0.1", port, database)
}

/// The URL of a database, without parameters.
pub(super) fn write_at(user: &str, password: Option<&Secret>, host: &str, port: u16, database: &str) -> Secret {
    let password = password.map(|password| format!(":{}", encode(password.expose()))).unwrap_or_default();
    Secret::new(format!("postgres://{}{password}@{}:{port}/{}", encode(user), authority(host), encode(database)))
}

/// The same URL for Java's JDBC driver, which takes the login separately.
pub(super) fn write_jdbc(host: &str, port: u16, database: &str) -> String {
    format!("jdbc:postgresql://{}:{port}/{}", authority(host), encode(database))
}

fn authority(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { encode(host) }
}

/// Percent-encodes text for a URL.
pub(super) fn encode(text: &str) -> String {
    percent_encode(text)
}

fn decode(text: &str) -> Result<String, PostgresError> {
    let wrong = || PostgresError::Url {
        reason: "a `%` in it is not followed by two hexadecimal digits of valid UTF-8; write `%25` for `%`",
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(wrong)?;
            bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let text = write("a b/", Some(&Secret::new("p:w@")), 5433, "d\"ü");
        let url = Url::parse(text.expose()).unwrap();
        assert_eq!((url.user.as_deref(), url.database.as_str(), url.port), (Some("a b/"), "d\"ü", 5433));
        assert_eq!(url.password, Some(Secret::new("p:w@")));
        assert_eq!(write("u", None, 1, "x").expose(), "postgres://u@127.0.0.1:1/x");
    }

    #[test]
    fn urls_are_decoded_and_remote_ones_verified() {
        let url = Url::parse("postgresql://u%40x:p%3Aw@db.example.com:6432/shop?sslmode=require&x=1").unwrap();
        assert_eq!(
            (url.user.as_deref(), url.host.as_str(), url.port, url.database.as_str()),
            (Some("u@x"), "db.example.com", 6432, "shop")
        );
        assert_eq!(url.password.as_ref().unwrap().expose(), "p:w");
        assert_eq!(url.sslmode(), "require");
        assert_eq!(Url::parse("postgres://u@db.example.com/x").unwrap().sslmode(), "verify-full");
        assert_eq!(Url::parse("postgres://u@[::1]:5433/x").unwrap().sslmode(), "prefer");
        assert!(Url::parse("mysql://x").is_err());
        assert!(Url::parse("postgres://u:100%@h/x").is_err());
        let socket = Url::parse("postgres://%2Fvar%2Frun%2Fpostgresql/shop").unwrap();
        assert_eq!((socket.host.as_str(), socket.port, socket.user), ("/var/run/postgresql", 5432, None));
        assert_eq!(Url::parse("postgres:///shop").unwrap().host, "localhost");
        for (text, reason) in [
            ("postgres://u:a#b@h/x", "its port is not a number"),
            ("postgres://h:99999/x", "its port is not a number"),
            ("postgres://u@/x", "no host"),
            ("postgres:x", SCHEMES),
            ("h/x", SCHEMES),
        ] {
            let error = Url::parse(text).unwrap_err();
            assert!(error.to_string().contains(reason), "{text}: {error}");
        }
    }
}
