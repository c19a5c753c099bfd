//! Connection URLs.

use crate::Secret;

use crate::exec::percent_encode;

use super::PostgresError;

/// `postgres://user:password@host:port/database?options`, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) database: String,
    /// What stands behind the `?`, in its order.
    pub(super) options: Vec<(String, String)>,
}

impl Url {
    pub(super) fn parse(text: &str) -> Result<Self, PostgresError> {
        let wrong = |reason| PostgresError::Url { reason };
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
        let rest = rest.ok_or(wrong("it does not begin with postgres:// or postgresql://"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, address) =
            authority.rsplit_once('@').map_or((None, authority), |(login, address)| (Some(login), address));
        let (user, password) = match login
            .map(|login| login.split_once(':').map_or((login, None), |(user, password)| (user, Some(password))))
        {
            None => (None, None),
            Some((user, password)) => (Some(decode(user)?), password.map(decode).transpose()?.map(Secret::new)),
        };
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| wrong("its port is not a number up to 65535"))?)
            }
            _ => (address, 5432),
        };
        let user_or_name = user.clone().unwrap_or_default();
        let database = if database.is_empty() { user_or_name } else { decode(database)? };
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let options =
            pairs.map(|(key, value)| Ok((decode(key)?, decode(value)?))).collect::<Result<_, PostgresError>>()?;
        if database.is_empty() {
            return Err(wrong("it names no database"));
        }
        let host = decode(host.trim_start_matches('[').trim_end_matches(']'))?;
        let host = if host.is_empty() { "localhost".to_owned() } else { host };
        Ok(Self { user, password, host, port, database, options })
    }

    /// The mode to ask for: whoever is not on this machine must prove who it is, unless the URL says otherwise.
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
    let password = password.map(|password| format!(":{}", percent_encode(password.expose()))).unwrap_or_default();
    let (user, database) = (percent_encode(user), percent_encode(database));
    Secret::new(format!("postgres://{user}{password}@127.0.0.1:{port}/{database}"))
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
    }
}
