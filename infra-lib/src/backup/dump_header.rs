//! Parses what a dump's SQL contains besides data: its server, and what it needs from another one.

use std::collections::BTreeSet;

/// Information about a dump.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Remarks {
    /// The server's version.
    pub(crate) server: Option<String>,
    /// The version of `pg_dump`.
    pub(crate) client: Option<String>,
    /// The client encoding of the dump.
    pub(crate) encoding: Option<String>,
    pub(crate) extensions: BTreeSet<String>,
    /// Roles that own objects in it or are granted privileges.
    pub(crate) roles: BTreeSet<String>,
    pub(crate) tablespaces: BTreeSet<String>,
    /// A psql meta-command that it should not contain.
    pub(crate) command: Option<String>,
    /// Whether it has the line endings of a terminal.
    pub(crate) is_mangled: bool,
}

impl Remarks {
    /// Parses a line that begins with `--`.
    pub(super) fn comment(&mut self, line: &[u8]) {
        self.is_mangled |= line.ends_with(b"\r");
        let line = String::from_utf8_lossy(line);
        if let Some(version) = line.strip_prefix("-- Dumped from database version ") {
            self.server.get_or_insert_with(|| version.trim().to_owned());
        }
        if let Some(version) = line.strip_prefix("-- Dumped by pg_dump version ") {
            self.client.get_or_insert_with(|| version.trim().to_owned());
        }
        // Example: -- Name: users; Type: TABLE; Schema: public; Owner: shop; Tablespace: fast
        let Some(entry) = line.strip_prefix("-- Name: ").or_else(|| line.strip_prefix("-- Data for Name: ")) else {
            return;
        };
        if let Some((name, _)) = entry.split_once("; Type: EXTENSION;") {
            self.extensions.insert(name.to_owned());
        }
        let Some((_, owner)) = entry.rsplit_once("; Owner: ") else { return };
        let (owner, tablespace) = owner.split_once("; Tablespace: ").map_or((owner, None), |(o, t)| (o, Some(t)));
        self.role(owner.trim_end());
        self.tablespaces.extend(tablespace.map(|name| name.trim_end().to_owned()).filter(|name| !name.is_empty()));
    }

    /// Parses a line of a statement.
    pub(super) fn statement(&mut self, line: &[u8]) {
        if line.starts_with(b"\\") {
            let word = line.split(u8::is_ascii_whitespace).next().unwrap_or_default();
            if ![&b"\\restrict"[..], b"\\unrestrict"].contains(&word) {
                self.command.get_or_insert_with(|| String::from_utf8_lossy(word).into_owned());
            }
            return;
        }
        let begins = |words: &[&[u8]]| words.iter().any(|word| line.starts_with(word));
        if begins(&[b"SET client_encoding = '"]) {
            let encoding = line.split(|&byte| byte == b'\'').nth(1).unwrap_or_default();
            self.encoding = Some(String::from_utf8_lossy(encoding).into_owned());
        } else if begins(&[b"GRANT ", b"ALTER "]) {
            let line = String::from_utf8_lossy(line);
            let Some((_, to)) = line.rsplit_once(" TO ").filter(|_| names_a_role(&line)) else { return };
            let Some(to) = to.trim_end().strip_suffix(';') else { return };
            let to = to.strip_suffix(" WITH GRANT OPTION").unwrap_or(to);
            if let Some(name) = role_name(to) {
                self.role(&name);
            }
        }
    }

    fn role(&mut self, name: &str) {
        if !["", "-", "PUBLIC"].contains(&name) {
            self.roles.insert(name.to_owned());
        }
    }
}

/// What PostgreSQL takes for a role of no name in `GRANT … TO` and `OWNER TO`.
///
/// Source: <https://www.postgresql.org/docs/current/sql-grant.html>, `role_specification`.
const SPECIAL: [&str; 4] = ["public", "current_role", "current_user", "session_user"];

/// The name of the one role that is written here; of anything else, the server says what it thinks.
fn role_name(text: &str) -> Option<String> {
    if let Some(quoted) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        let name = quoted.replace("\"\"", "\u{0}");
        return (!name.contains('"')).then(|| name.replace('\u{0}', "\""));
    }
    let name = text.to_lowercase();
    let is_word = name.chars().all(|char| char.is_alphanumeric() || "_$".contains(char));
    (is_word && !SPECIAL.contains(&name.as_str())).then_some(name)
}

/// Whether the word after the last `TO` is a role.
fn names_a_role(line: &str) -> bool {
    line.starts_with("GRANT ") || line.contains(" OWNER TO ") || line.starts_with("ALTER DEFAULT PRIVILEGES ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c13_a_dump_says_what_it_needs() {
        let mut remarks = Remarks::default();
        for line in [
            "-- Dumped from database version 17.5 (Debian)",
            "-- Name: pgcrypto; Type: EXTENSION; Schema: -; Owner: -",
            "-- Name: users; Type: TABLE; Schema: public; Owner: the shop; Tablespace: fast",
            "-- Data for Name: users; Type: TABLE DATA; Schema: public; Owner: keeper",
        ] {
            remarks.comment(line.as_bytes());
        }
        for line in [
            "SET client_encoding = 'SQL_ASCII';",
            "\\restrict abc",
            "GRANT SELECT ON TABLE public.t TO reader;",
            "GRANT ALL ON TABLE public.t TO \"odd \"\"one\" WITH GRANT OPTION;",
            "GRANT ALL ON SCHEMA public TO PUBLIC;",
            "GRANT pg_monitor TO CURRENT_USER;",
            "ALTER TABLE public.t OWNER TO session_user;",
            "GRANT SELECT ON TABLE public.t TO Upper;",
            "GRANT SELECT ON TABLE public.t TO several, of_them;",
            "GRANT SELECT ON TABLE public.t TO \"several\", \"of them\";",
            "ALTER TABLE public.t OWNER TO owner;",
            "ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA public GRANT SELECT ON TABLES TO later;",
            "ALTER SYSTEM SET x TO 5;",
            "\\connect shop",
        ] {
            remarks.statement(line.as_bytes());
        }
        let roles: Vec<&str> = remarks.roles.iter().map(String::as_str).collect();
        assert_eq!(roles, ["keeper", "later", "odd \"one", "owner", "reader", "the shop", "upper"]);
        assert_eq!(
            (remarks.server.as_deref(), remarks.encoding.as_deref()),
            (Some("17.5 (Debian)"), Some("SQL_ASCII"))
        );
        assert!(remarks.extensions.contains("pgcrypto") && remarks.tablespaces.contains("fast"));
        assert_eq!(remarks.command.as_deref(), Some("\\connect"));
    }
}
