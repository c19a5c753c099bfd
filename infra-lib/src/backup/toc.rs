//! Parses the table of contents of an archive, as `pg_restore --list` prints it.

use std::collections::BTreeMap;

/// The contents of an archive.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    /// The number of objects of each kind.
    pub(crate) objects: BTreeMap<String, u64>,
    /// The extensions that it creates.
    pub(crate) extensions: Vec<String>,
    /// The version of the server.
    pub(crate) server: Option<String>,
    /// The version of the client.
    pub(crate) client: Option<String>,
    /// The name of the dumped database.
    pub(crate) database: Option<String>,
    /// The compression method of its data.
    pub(crate) compression: Option<String>,
}

/// The kinds whose names have more than one word.
const KINDS: [&str; 33] = [
    "ACCESS METHOD",
    "BLOB METADATA",
    "CHECK CONSTRAINT",
    "DATABASE PROPERTIES",
    "DEFAULT ACL",
    "EVENT TRIGGER",
    "FK CONSTRAINT",
    "FOREIGN DATA WRAPPER",
    "FOREIGN SERVER",
    "FOREIGN TABLE",
    "INDEX ATTACH",
    "LARGE OBJECT",
    "MATERIALIZED VIEW DATA",
    "MATERIALIZED VIEW",
    "OPERATOR CLASS",
    "OPERATOR FAMILY",
    "PROCEDURAL LANGUAGE",
    "PUBLICATION TABLES IN SCHEMA",
    "PUBLICATION TABLE",
    "ROW SECURITY",
    "SECURITY LABEL",
    "SEQUENCE OWNED BY",
    "SEQUENCE SET",
    "SHELL TYPE",
    "STATISTICS DATA",
    "SUBSCRIPTION TABLE",
    "TABLE ATTACH",
    "TABLE DATA",
    "TEXT SEARCH CONFIGURATION",
    "TEXT SEARCH DICTIONARY",
    "TEXT SEARCH PARSER",
    "TEXT SEARCH TEMPLATE",
    "USER MAPPING",
];

impl Contents {
    /// Parses the list.
    pub(crate) fn parse(text: &str) -> Self {
        let mut contents = Self::default();
        for line in text.lines() {
            match line.strip_prefix(';') {
                Some(remark) => contents.remark(remark.trim()),
                None => contents.entry(line),
            }
        }
        contents
    }

    fn remark(&mut self, remark: &str) {
        let Some((key, value)) = remark.split_once(": ") else { return };
        let value = Some(value.trim().to_owned());
        match key.trim() {
            "Dumped from database version" => self.server = value,
            "Dumped by pg_dump version" => self.client = value,
            "dbname" => self.database = value,
            "Compression" => self.compression = value,
            _ => {}
        }
    }

    /// Parses an entry: `215; 1259 16390 TABLE public users owner`
    fn entry(&mut self, line: &str) {
        let Some((_, rest)) = line.split_once("; ") else { return };
        let Some(rest) = rest.splitn(3, ' ').nth(2) else { return };
        let known = KINDS.into_iter().find(|kind| rest.strip_prefix(kind).is_some_and(|rest| rest.starts_with(' ')));
        let kind = known.unwrap_or_else(|| rest.split(' ').next().unwrap_or_default());
        *self.objects.entry(kind.to_ascii_lowercase()).or_default() += 1;
        if kind == "EXTENSION" {
            self.extensions.extend(rest.split(' ').nth(2).map(str::to_owned));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_several_words_are_counted_as_such() {
        let text = ";\n; Archive created at 2026-11-21 11:44:00 UTC\n;     dbname: shop\n;     TOC Entries: 12\n\
            ;     Compression: zstd\n;     Dumped from database version: 17.5 (Debian 17.5-1)\n\
            ;     Dumped by pg_dump version: 17.5\n;\n;\n; Selected TOC Entries:\n;\n\
            2; 3079 16386 EXTENSION - pgcrypto \n3412; 0 0 COMMENT - EXTENSION pgcrypto \n\
            215; 1259 16390 TABLE public users shop\n3405; 0 16390 TABLE DATA public users shop\n\
            216; 1259 16391 MATERIALIZED VIEW public totals shop\n3406; 0 16391 MATERIALIZED VIEW DATA public totals shop\n";
        let contents = Contents::parse(text);
        let counts: Vec<_> = contents.objects.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
        assert_eq!(
            counts,
            [
                ("comment", 1),
                ("extension", 1),
                ("materialized view", 1),
                ("materialized view data", 1),
                ("table", 1),
                ("table data", 1)
            ]
        );
        assert_eq!(contents.extensions, ["pgcrypto"]);
        assert_eq!(contents.server.as_deref(), Some("17.5 (Debian 17.5-1)"));
        assert_eq!((contents.database.as_deref(), contents.compression.as_deref()), (Some("shop"), Some("zstd")));
    }
}
