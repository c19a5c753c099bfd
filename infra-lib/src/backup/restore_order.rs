//! The order of a restore, for archives that must not be restored in parallel.
//!
//! An extension creates its own tables, including keys, and the archive contains only added rows. So their data must
//! be loaded in the order of their foreign keys. `pg_dump` writes it in that order, and `pg_restore` preserves it,
//! except with `--jobs`, which does not know these keys.

use std::collections::BTreeSet;

/// Two lists for `--use-list`: the definitions and the extensions' data, restored one by one; then the rest. `None`
/// if no two tables depend on each other like this. `list` is the output of `pg_restore --list`.
pub(super) fn passes(list: &str) -> Option<[String; 2]> {
    let entries: Vec<Entry<'_>> = list.lines().filter_map(Entry::parse).collect();
    let defined: BTreeSet<&str> = entries.iter().filter(|entry| entry.is("TABLE")).map(|entry| entry.object).collect();
    let is_extensions = |entry: &Entry<'_>| entry.is("TABLE DATA") && !defined.contains(entry.object);
    // A single table has no order.
    entries.iter().filter(|entry| is_extensions(entry)).nth(1)?;
    let data_begins = entries.iter().position(|entry| entry.is("TABLE DATA"))?;
    let mut passes = [String::new(), String::new()];
    for (nr, entry) in entries.iter().enumerate() {
        let pass = &mut passes[usize::from(nr >= data_begins && !is_extensions(entry))];
        pass.push_str(entry.line);
        pass.push('\n');
    }
    Some(passes)
}

/// An entry of the list: `3405; 0 16390 TABLE DATA public users owner`
struct Entry<'l> {
    line: &'l str,
    /// The object's OID on the dumped server, the same for a table and its data.
    object: &'l str,
    rest: &'l str,
}

impl<'l> Entry<'l> {
    fn parse(line: &'l str) -> Option<Self> {
        let mut words = line.splitn(4, ' ');
        words.next()?.strip_suffix(';').filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()) && !id.is_empty())?;
        let object = words.nth(1)?;
        Some(Self { line, object, rest: words.next()? })
    }

    /// A schema may be called `DATA`. A table `TABLE DATA` then does not count as `TABLE`, so it is restored one by
    /// one.
    fn is(&self, kind: &str) -> bool {
        let rest = self.rest.strip_prefix(kind).and_then(|rest| rest.strip_prefix(' '));
        rest.is_some_and(|rest| kind != "TABLE" || !["DATA ", "ATTACH "].iter().any(|more| rest.starts_with(more)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = ";\n; Archive created at 2026-11-21 11:44:00 UTC\n;\n; Selected TOC Entries:\n;\n";

    #[test]
    fn the_extensions_data_comes_before_the_other() {
        let definitions = "8; 2615 17005 SCHEMA - graph shop\n2; 3079 16386 EXTENSION - age \n226; 1259 16991 TABLE public users shop\n";
        let extensions =
            "3858; 0 16387 TABLE DATA ag_catalog ag_graph shop\n3859; 0 16401 TABLE DATA ag_catalog ag_label shop\n";
        let first = "4047; 0 16991 TABLE DATA public users shop\n";
        let rest = "4076; 0 0 SEQUENCE SET public users_id_seq shop\n3889; 2606 16998 CONSTRAINT public users users_pkey shop\n";
        let passed = passes(&format!("{HEAD}{definitions}{first}{extensions}{rest}"));
        assert_eq!(passed, Some([format!("{definitions}{extensions}"), format!("{first}{rest}")]));
    }

    #[test]
    fn one_table_of_an_extension_depends_on_no_other() {
        let one = "2; 3079 16386 EXTENSION - postgis \n226; 1259 16991 TABLE public users shop\n\
            4040; 0 16401 TABLE DATA public spatial_ref_sys shop\n4047; 0 16991 TABLE DATA public users shop\n";
        assert_eq!(passes(&format!("{HEAD}{one}")), None);
        assert_eq!(passes(HEAD), None);
    }
}
