//! Properties of a database besides its content: owner, grants, settings, comment, connection limit.
//!
//! Properties are values. Only this module turns them into SQL, and it quotes every name and value.

use serde::{Deserialize, Serialize};

use crate::exec::ExecError;
use crate::postgres::Database;
use crate::postgres::literal::{identifier, literal};
use crate::project::Project;
use crate::project::error::Result;

/// One property of a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub(crate) enum Property {
    /// The owner of the database.
    Owner {
        /// The name of the role.
        role: String,
    },
    /// The connection limit of the database.
    ConnectionLimit {
        /// The maximum number of connections; -1 means unlimited.
        limit: i32,
    },
    /// The comment on the database.
    Comment {
        /// The comment's text.
        text: String,
    },
    /// The privileges that PostgreSQL grants by default are revoked.
    NoDefaultPrivileges {
        /// The owner, who also has these privileges by default.
        role: String,
    },
    /// A granted privilege on the database.
    Grant {
        /// The privilege that is granted.
        privilege: Privilege,
        /// The grantee; `None` means `PUBLIC`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<String>,
        /// Whether the role has the grant option.
        #[serde(default)]
        grantable: bool,
    },
    /// A default setting for sessions in the database.
    Setting {
        /// The role that the setting applies to; `None` means all roles.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<String>,
        /// The name of the setting.
        name: String,
        /// The value; more than one for a list such as `search_path`.
        values: Vec<String>,
    },
}

/// A privilege on a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Privilege {
    /// The privilege to create schemas.
    Create,
    /// The privilege to connect.
    Connect,
    /// The privilege to create temporary tables.
    Temporary,
}

impl Privilege {
    fn word(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Connect => "CONNECT",
            Self::Temporary => "TEMPORARY",
        }
    }
}

/// Settings whose values are lists (`GUC_LIST_QUOTE`); the catalog stores them as quoted SQL.
const LISTS: [&str; 6] = [
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// SQL that returns a JSON array of the properties of the database with this OID expression. List settings are one
/// text here.
pub(super) fn query(oid: &str) -> String {
    format!(
        "(SELECT coalesce(json_agg(p ORDER BY nr, p::text), '[]') FROM (
  SELECT 1 AS nr, json_build_object('kind', 'owner', 'role', pg_get_userbyid(datdba)) AS p FROM pg_database WHERE oid = {oid}
  UNION ALL SELECT 2, json_build_object('kind', 'connection-limit', 'limit', datconnlimit) FROM pg_database WHERE oid = {oid} AND datconnlimit >= 0
  UNION ALL SELECT 3, json_build_object('kind', 'comment', 'text', shobj_description(oid, 'pg_database')) FROM pg_database
    WHERE oid = {oid} AND shobj_description(oid, 'pg_database') IS NOT NULL
  UNION ALL SELECT 4, json_build_object('kind', 'no-default-privileges', 'role', pg_get_userbyid(datdba)) FROM pg_database
    WHERE oid = {oid} AND datacl IS NOT NULL
  UNION ALL SELECT 5, json_build_object('kind', 'grant', 'privilege', a.privilege_type, 'grantable', a.is_grantable,
      'role', CASE a.grantee WHEN 0 THEN NULL ELSE pg_get_userbyid(a.grantee) END)
    FROM pg_database own, aclexplode(own.datacl) a WHERE own.oid = {oid}
  UNION ALL SELECT 6 + (setrole <> 0)::int, json_build_object('kind', 'setting', 'role', CASE setrole WHEN 0 THEN NULL ELSE pg_get_userbyid(setrole) END,
      'name', split_part(c, '=', 1), 'values', json_build_array(substr(c, strpos(c, '=') + 1)))
    FROM pg_db_role_setting, unnest(setconfig) AS c WHERE setdatabase = {oid}
) AS q)"
    )
}

/// The properties that a received backup may set. Settings that only superusers may change are dropped, since some
/// make the server load programs.
pub(crate) fn harmless(project: &Project, from: &Database, properties: &[Property]) -> Result<Vec<Property>> {
    let names = from.query(project, "SELECT name FROM pg_settings WHERE context = 'user';")?;
    let (kept, left): (Vec<_>, Vec<_>) = properties.iter().cloned().partition(|property| match property {
        Property::Setting { name, .. } => names.lines().any(|known| known == name.to_ascii_lowercase()),
        _ => true,
    });
    for property in left {
        if let Property::Setting { name, .. } = property {
            project.warn(format_args!("the setting {} of the received backup is left out", name.escape_debug()));
        }
    }
    Ok(kept)
}

/// The properties of a database on this server.
pub(super) fn read(project: &Project, from: &Database, name: &str) -> Result<Vec<Property>> {
    let oid = format!("(SELECT oid FROM pg_database WHERE datname = {})", literal(name));
    let text = from.query(project, &format!("SELECT {};", query(&oid)))?;
    from_catalogue(&text).map_err(|reason| ExecError::BadOutput { command: "psql".to_owned(), reason }.into())
}

/// Parses the result of [`query`].
pub(super) fn from_catalogue(json: &str) -> Result<Vec<Property>, String> {
    let mut properties: Vec<Property> = serde_json::from_str(json).map_err(|error| error.to_string())?;
    properties.iter_mut().try_for_each(Property::split_list)?;
    Ok(properties)
}

impl Property {
    /// Splits a list that the catalog returned as one text.
    pub(super) fn split_list(&mut self) -> Result<(), String> {
        if let Self::Setting { name, values, .. } = self
            && LISTS.contains(&name.as_str())
            && let [text] = values.as_slice()
        {
            *values = list(text)?;
        }
        Ok(())
    }

    /// The SQL statement; `database` is how the SQL refers to the database.
    pub(super) fn sql(&self, database: &str) -> String {
        match self {
            Self::Owner { role } => format!("ALTER DATABASE {database} OWNER TO {};\n", identifier(role)),
            Self::ConnectionLimit { limit } => format!("ALTER DATABASE {database} CONNECTION LIMIT {limit};\n"),
            Self::Comment { text } => format!("COMMENT ON DATABASE {database} IS {};\n", literal(text)),
            Self::NoDefaultPrivileges { role } => {
                format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC, {};\n", identifier(role))
            }
            Self::Grant { privilege, role, grantable } => {
                let role = role.as_deref().map_or("PUBLIC".to_owned(), identifier);
                let option = if *grantable { " WITH GRANT OPTION" } else { "" };
                format!("GRANT {} ON DATABASE {database} TO {role}{option};\n", privilege.word())
            }
            Self::Setting { role, name, values } => {
                let whose = match role {
                    Some(role) => format!("ROLE {} IN DATABASE {database}", identifier(role)),
                    None => format!("DATABASE {database}"),
                };
                let values: Vec<String> = values.iter().map(|value| literal(value)).collect();
                let values = if values.is_empty() { "''".to_owned() } else { values.join(", ") };
                format!("ALTER {whose} SET {} TO {values};\n", identifier(name))
            }
        }
    }

    /// Parses a statement that version 0.1 wrote into manifests, in which `:"db"` is the database. It has one of six
    /// forms; `None` if it matches none of them.
    pub(super) fn from_statement(sql: &str) -> Option<Self> {
        let text = &mut Statement(sql);
        let property = if text.take("ALTER DATABASE :\"db\" OWNER TO ") {
            Self::Owner { role: text.identifier()? }
        } else if text.take("ALTER DATABASE :\"db\" CONNECTION LIMIT ") {
            Self::ConnectionLimit { limit: std::mem::take(&mut text.0).parse().ok()? }
        } else if text.take("COMMENT ON DATABASE :\"db\" IS ") {
            Self::Comment { text: text.literal()? }
        } else if text.take("REVOKE ALL ON DATABASE :\"db\" FROM PUBLIC, ") {
            Self::NoDefaultPrivileges { role: text.identifier()? }
        } else if text.take("GRANT ") {
            let known = [Privilege::Create, Privilege::Connect, Privilege::Temporary];
            let privilege = known.into_iter().find(|privilege| text.take(privilege.word()))?;
            text.take(" ON DATABASE :\"db\" TO ").then_some(())?;
            let role = if text.take("PUBLIC") { None } else { Some(text.identifier()?) };
            Self::Grant { privilege, role, grantable: text.take(" WITH GRANT OPTION") }
        } else {
            let role = if text.take("ALTER ROLE ") {
                let role = text.identifier()?;
                text.take(" IN DATABASE :\"db\"").then_some(Some(role))?
            } else {
                text.take("ALTER DATABASE :\"db\"").then_some(None)?
            };
            text.take(" SET ").then_some(())?;
            let name = text.identifier()?;
            text.take(" TO ").then_some(())?;
            let values = if LISTS.contains(&name.as_str()) {
                list(std::mem::take(&mut text.0)).ok()?
            } else {
                vec![text.literal()?]
            };
            Self::Setting { role, name, values }
        };
        text.0.is_empty().then_some(property)
    }
}

/// The unparsed rest of a statement.
struct Statement<'t>(&'t str);

impl Statement<'_> {
    fn take(&mut self, words: &str) -> bool {
        let rest = self.0.strip_prefix(words);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Parses an identifier as `quote_ident` writes it.
    fn identifier(&mut self) -> Option<String> {
        if self.0.starts_with('"') {
            return self.quoted('"');
        }
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let end = self.0.find(|c| !is_plain(c)).unwrap_or(self.0.len());
        let (name, rest) = self.0.split_at(end);
        self.0 = rest;
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// Parses a literal as `quote_literal` writes it.
    fn literal(&mut self) -> Option<String> {
        let has_escapes = self.take("E");
        let text = self.quoted('\'')?;
        if has_escapes {
            let text = text.replace("\\\\", "\0");
            (!text.contains('\\')).then(|| text.replace('\0', "\\"))
        } else {
            (!text.contains('\\')).then_some(text)
        }
    }

    /// Parses the text between two quotes; a doubled quote is part of the text.
    fn quoted(&mut self, quote: char) -> Option<String> {
        let mut rest = self.0.strip_prefix(quote)?;
        let mut text = String::new();
        loop {
            let (before, after) = rest.split_once(quote)?;
            text.push_str(before);
            if let Some(more) = after.strip_prefix(quote) {
                text.push(quote);
                rest = more;
            } else {
                self.0 = after;
                return Some(text);
            }
        }
    }
}

/// The elements of a list as the catalog stores it: `"$user", public`.
fn list(text: &str) -> Result<Vec<String>, String> {
    let invalid = || format!("`{text}` is not a valid list");
    let mut rest = Statement(text.trim());
    let mut values = Vec::new();
    while !rest.0.is_empty() {
        if !values.is_empty() {
            rest = Statement(rest.0.trim_start().strip_prefix(',').ok_or_else(invalid)?.trim_start());
        }
        let quote = rest.0.chars().next().filter(|first| ['"', '\''].contains(first));
        let value = if let Some(quote) = quote {
            rest.quoted(quote)
        } else {
            let end = rest.0.find([',', ' ', '"', '\'', ';', '\\']).unwrap_or(rest.0.len());
            let (value, after) = rest.0.split_at(end);
            rest.0 = after;
            (!value.is_empty()).then(|| value.to_owned())
        };
        values.push(value.ok_or_else(invalid)?);
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d32_statements_of_older_manifests_are_read_as_values() {
        for (old, new) in [
            ("ALTER DATABASE :\"db\" OWNER TO shop", "ALTER DATABASE \"d\" OWNER TO \"shop\";\n"),
            ("ALTER DATABASE :\"db\" OWNER TO \"the \"\"owner\"", "ALTER DATABASE \"d\" OWNER TO \"the \"\"owner\";\n"),
            ("ALTER DATABASE :\"db\" CONNECTION LIMIT 42", "ALTER DATABASE \"d\" CONNECTION LIMIT 42;\n"),
            ("COMMENT ON DATABASE :\"db\" IS 'it''s'", "COMMENT ON DATABASE \"d\" IS 'it''s';\n"),
            (r#"COMMENT ON DATABASE :"db" IS E'a\\b'"#, "COMMENT ON DATABASE \"d\" IS E'a\\\\b';\n"),
            (
                "REVOKE ALL ON DATABASE :\"db\" FROM PUBLIC, shop",
                "REVOKE ALL ON DATABASE \"d\" FROM PUBLIC, \"shop\";\n",
            ),
            (
                "GRANT CONNECT ON DATABASE :\"db\" TO PUBLIC WITH GRANT OPTION",
                "GRANT CONNECT ON DATABASE \"d\" TO PUBLIC WITH GRANT OPTION;\n",
            ),
            ("GRANT CREATE ON DATABASE :\"db\" TO a", "GRANT CREATE ON DATABASE \"d\" TO \"a\";\n"),
            (
                "ALTER DATABASE :\"db\" SET search_path TO \"$user\", public",
                "ALTER DATABASE \"d\" SET \"search_path\" TO '$user', 'public';\n",
            ),
            ("ALTER DATABASE :\"db\" SET work_mem TO '5MB'", "ALTER DATABASE \"d\" SET \"work_mem\" TO '5MB';\n"),
            (
                "ALTER ROLE \"a b\" IN DATABASE :\"db\" SET work_mem TO '5MB'",
                "ALTER ROLE \"a b\" IN DATABASE \"d\" SET \"work_mem\" TO '5MB';\n",
            ),
        ] {
            let property = Property::from_statement(old).unwrap_or_else(|| panic!("{old}"));
            assert_eq!(property.sql("\"d\""), new, "{old}");
        }
    }

    #[test]
    fn d32_anything_else_is_refused() {
        for sql in [
            "\\! id",
            "DROP DATABASE live",
            "",
            "ALTER DATABASE :\"db\" OWNER TO shop; DROP DATABASE live",
            "ALTER DATABASE :\"db\" OWNER TO shop\n\\! id",
            "ALTER DATABASE :\"db\" OWNER TO \"a",
            "ALTER DATABASE live OWNER TO shop",
            "ALTER DATABASE :\"db\" CONNECTION LIMIT 1; DROP DATABASE live",
            "COMMENT ON DATABASE :\"db\" IS 'a' \\! id",
            r#"COMMENT ON DATABASE :"db" IS E'\'; DROP DATABASE live; --'"#,
            r#"COMMENT ON DATABASE :"db" IS '\'; DROP DATABASE live; --'"#,
            "GRANT ALL ON DATABASE :\"db\" TO a",
            "GRANT CONNECT ON DATABASE :\"db\" TO PUBLIC; DROP DATABASE live",
            "ALTER DATABASE :\"db\" SET search_path TO public; DROP DATABASE live",
            "ALTER DATABASE :\"db\" SET search_path TO public \\! id",
            "ALTER DATABASE :\"db\" SET work_mem TO public",
            "ALTER ROLE a SUPERUSER",
            "ALTER ROLE a IN DATABASE :\"db\" SUPERUSER",
        ] {
            assert_eq!(Property::from_statement(sql), None, "{sql}");
        }
    }

    #[test]
    fn d32_a_value_stays_a_value() {
        let evil = "x\"'; DROP DATABASE live; \\! id";
        let setting = |name: &str| Property::Setting {
            role: Some(evil.to_owned()),
            name: name.to_owned(),
            values: vec![evil.to_owned()],
        };
        for property in [
            Property::Owner { role: evil.to_owned() },
            Property::Comment { text: evil.to_owned() },
            setting(evil),
            setting("search_path"),
        ] {
            let sql = property.sql("d");
            let rest = sql.replace(&identifier(evil), "").replace(&literal(evil), "");
            assert!(!rest.contains("DROP") && !rest.contains('\\'), "{sql}");
        }
        assert_eq!(list("").unwrap(), [""; 0]);
        assert_eq!(list("\"\"").unwrap(), [""]);
        assert_eq!(list("\"\", public").unwrap(), ["", "public"]);
        assert_eq!(list("\"a, \"\"b\", 'c',d").unwrap(), ["a, \"b", "c", "d"]);
        assert!(list("a b").is_err() && list("a,").is_err() && list("a; b").is_err());
    }
}
