//! Filters the SQL of a received backup, to postpone statements that need an owner or a superuser.
//!
//! A restricted role restores the backup. Owners and default privileges are set afterwards: those statements are
//! removed from the stream, but only in the forms that `pg_dump` writes. This filter does not provide the security;
//! the restricted role does.

use std::io::{self, Write};

use memchr::memchr;

use super::decode::Decoder;

/// A statement that the restoring role may not run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Postponed {
    /// Changes the owner of an object.
    Owner {
        /// The complete SQL statement.
        sql: String,
        /// The role that becomes the owner.
        role: String,
    },
    /// Sets default privileges for new objects.
    Defaults(String),
    /// Repeats what the extension itself defines.
    Superfluous,
}

/// Object kinds after `ALTER`, and whether their names have a schema.
const KINDS: [(&str, bool); 21] = [
    ("AGGREGATE", true),
    ("COLLATION", true),
    ("CONVERSION", true),
    ("DOMAIN", true),
    ("FOREIGN TABLE", true),
    ("FUNCTION", true),
    ("LARGE OBJECT", false),
    ("MATERIALIZED VIEW", true),
    ("OPERATOR CLASS", true),
    ("OPERATOR FAMILY", true),
    ("OPERATOR", true),
    ("PROCEDURE", true),
    ("SCHEMA", false),
    ("SEQUENCE", true),
    ("STATISTICS", true),
    ("TABLE", true),
    ("TEXT SEARCH CONFIGURATION", true),
    ("TEXT SEARCH DICTIONARY", true),
    ("TYPE", true),
    ("VIEW", true),
    ("ROUTINE", true),
];

/// A token of a statement.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Symbol(char),
}

impl Postponed {
    /// Parses a line; `None` if the restoring role can run it.
    fn parse(line: &[u8]) -> Option<Self> {
        let sql = std::str::from_utf8(line).ok()?.trim_end();
        let text = sql.strip_suffix(';')?;
        if text.starts_with("COMMENT ON EXTENSION ") {
            return text.ends_with('\'').then_some(Self::Superfluous);
        }
        let altered = text.strip_prefix("ALTER ")?;
        let sql = format!("{sql}\n");
        if let Some(rest) = altered.strip_prefix("DEFAULT PRIVILEGES FOR ROLE ") {
            return tokens(rest).map(|_| Self::Defaults(sql));
        }
        let (kind, has_schema) = KINDS.into_iter().find(|(kind, _)| altered.starts_with(&format!("{kind} ")))?;
        let mut tokens = tokens(&altered[kind.len()..])?;
        let Token::Name(role) = tokens.pop()? else { return None };
        let is_word = |token: Option<Token>, word: &str| token == Some(Token::Name(word.to_owned()));
        (is_word(tokens.pop(), "to") && is_word(tokens.pop(), "owner")).then_some(())?;
        let is_own = match tokens.as_slice() {
            [Token::Name(schema), Token::Symbol('.'), _, ..] => has_schema && !is_system(schema),
            [Token::Name(name)] => !has_schema && !is_system(name),
            _ => false,
        };
        is_own.then_some(Self::Owner { sql, role })
    }
}

fn is_system(schema: &str) -> bool {
    schema.starts_with("pg_") || schema == "information_schema"
}

/// `None` if it contains more than names, numbers, types and operators.
fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
        if first == '"' {
            let mut name = String::new();
            rest = &rest[1..];
            loop {
                let (before, after) = rest.split_once('"')?;
                name.push_str(before);
                rest = after;
                let Some(more) = rest.strip_prefix('"') else { break };
                name.push('"');
                rest = more;
            }
            tokens.push(Token::Name(name));
        } else if is_of_name(first) {
            let (word, after) = rest.split_at(rest.find(|c| !is_of_name(c)).unwrap_or(rest.len()));
            tokens.push(Token::Name(word.to_lowercase()));
            rest = after;
        } else {
            let is_comment = rest.starts_with("--") || rest.starts_with("/*");
            (".,()[]+-*/<>=~!@#%^&|?".contains(first) && !is_comment).then_some(())?;
            tokens.push(Token::Symbol(first));
            rest = &rest[1..];
        }
        rest = rest.trim_start();
    }
    Some(tokens)
}

/// Passes a dump on and collects the postponed statements.
pub(super) struct Filter<W> {
    to: W,
    decoder: Decoder,
    line: Vec<u8>,
    postponed: Vec<Postponed>,
}

impl<W: Write> Filter<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, decoder: Decoder::new(), line: Vec::new(), postponed: Vec::new() }
    }

    /// The collected statements, at the end of the dump.
    pub(super) fn finish(mut self) -> io::Result<Vec<Postponed>> {
        self.to.write_all(&self.line)?;
        self.to.flush()?;
        Ok(self.postponed)
    }

    fn take(&mut self, line: &[u8]) -> io::Result<()> {
        // Inside data, a string or a function body it is not a statement.
        if self.decoder.is_between_lines()
            && let Some(found) = Postponed::parse(line)
        {
            self.postponed.push(found);
            return Ok(());
        }
        self.decoder.push(line);
        self.to.write_all(line)
    }
}

impl<W: Write> Write for Filter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(end) = memchr(b'\n', bytes) else {
            self.line.extend_from_slice(bytes);
            return Ok(bytes.len());
        };
        if self.line.is_empty() {
            self.take(&bytes[..=end])?;
        } else {
            let mut line = std::mem::take(&mut self.line);
            line.extend_from_slice(&bytes[..=end]);
            self.take(&line)?;
        }
        Ok(end + 1)
    }

    /// Keeps an unfinished line in the buffer.
    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(sql: &str) -> Option<String> {
        match Postponed::parse(sql.as_bytes())? {
            Postponed::Owner { role, .. } => Some(role),
            _ => None,
        }
    }

    #[test]
    fn d32_who_owns_what_is_set_afterwards() {
        for (sql, role) in [
            ("ALTER TABLE public.goods OWNER TO shop;\n", "shop"),
            ("ALTER TABLE \"odd \"\"schema;\".\"t;\" OWNER TO \"the owner\";\n", "the owner"),
            ("ALTER FUNCTION public.f(a integer, VARIADIC b timestamp(3) with time zone[]) OWNER TO a;\n", "a"),
            ("ALTER OPERATOR public.+ (integer, integer) OWNER TO a;\n", "a"),
            ("ALTER OPERATOR CLASS public.c USING btree OWNER TO a;\n", "a"),
            ("ALTER SCHEMA app OWNER TO a;\n", "a"),
            ("ALTER LARGE OBJECT 4711 OWNER TO a;\n", "a"),
        ] {
            assert_eq!(owner(sql).as_deref(), Some(role), "{sql}");
        }
        for sql in [
            "ALTER TABLE public.goods OWNER TO shop; DROP DATABASE live;\n",
            "ALTER TABLE public.goods OWNER TO shop \\! id;\n",
            "ALTER FUNCTION pg_catalog.lo_export(oid, text) OWNER TO a;\n",
            "ALTER FUNCTION \"pg_catalog\".lo_export(oid, text) OWNER TO a;\n",
            "ALTER FUNCTION PG_CATALOG.lo_export(oid, text) OWNER TO a;\n",
            "ALTER FUNCTION lo_export(oid, text) OWNER TO a;\n",
            "ALTER FUNCTION public.f(a text DEFAULT 'x') OWNER TO a;\n",
            "ALTER SCHEMA pg_catalog OWNER TO a;\n",
            "ALTER DATABASE live OWNER TO a;\n",
            "ALTER ROLE a SUPERUSER;\n",
            "ALTER TABLE public.goods OWNER TO :x;\n",
            "ALTER TABLE public.goods OWNER TO a -- ;\n",
            "ALTER TABLE public.goods ADD COLUMN owner text;\n",
        ] {
            assert_eq!(Postponed::parse(sql.as_bytes()), None, "{sql}");
        }
    }

    #[test]
    fn d32_data_and_bodies_stay_as_they_are() {
        let statement = "ALTER TABLE public.a OWNER TO b;\n";
        let defaults = "ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA app GRANT SELECT ON TABLES TO b;\n";
        let kept = format!(
            "COPY public.a (t) FROM stdin;\n{statement}\\.\n\nCREATE FUNCTION f() AS $$\n{statement}$$;\nSELECT '\n{statement}';\n"
        );
        let text = format!("{statement}{kept}COMMENT ON EXTENSION x IS 'y';\n{defaults}{statement}end");
        for size in [1, 7, 100_000] {
            let mut out = Vec::new();
            let mut filter = Filter::new(&mut out);
            text.as_bytes().chunks(size).for_each(|chunk| filter.write_all(chunk).unwrap());
            assert_eq!(filter.finish().unwrap().len(), 4);
            assert_eq!(String::from_utf8(out).unwrap(), format!("{kept}end"), "{size}");
        }
    }
}
