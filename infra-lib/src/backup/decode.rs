//! Decodes a dump's SQL as a stream, to count the rows of each table.
//!
//! A table's data is between `COPY … FROM stdin;` and a line `\.`, one row per line. Outside of it, the decoder
//! tracks only where quoted names, strings and function bodies end, so that no text in them is mistaken for a `COPY`.

use std::fmt::Write as _;

use memchr::{memchr, memchr_iter, memchr2, memmem};

use super::dump_header::Remarks;
use super::table_rows::{TableRows, merge};

/// Maximum length of a buffered statement: a table may have 1,600 columns with names of 63 bytes.
const LONGEST_COPY: usize = 256 * 1024;
const END_OF_DATA: &[u8] = b"\n\\.\n";
const COMPLETE: &[u8] = b"-- PostgreSQL database dump complete";

/// The content of a dump, as decoded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// Tables in the order of the dump, each once.
    pub(crate) tables: Vec<TableRows>,
    /// The number of `COPY` blocks. The partitions of one table may each have one that names the table.
    pub(crate) blocks: u64,
    /// The number of large objects.
    pub(crate) large_objects: u64,
    /// Whether it ends as `pg_dump` ends a dump.
    pub(crate) complete: bool,
    /// Whether it ended within a table's data.
    pub(crate) cut: bool,
    /// Information from the dump's comments and statements.
    pub(crate) remarks: Remarks,
}

/// A streaming decoder that counts rows.
pub(crate) struct Decoder {
    /// Whether the text is UTF-8, as far as is known.
    utf8: bool,
    within: Within,
    /// The current line or statement so far.
    head: Vec<u8>,
    decoded: Decoded,
}

enum Within {
    /// Between statements, or within one.
    Plain,
    /// After `--` in the first column.
    Comment,
    /// In a name or string that ends with this byte.
    Quote(u8),
    /// After a `$`, which may begin a dollar quote.
    Tag(Vec<u8>),
    /// In a dollar-quoted string with this tag; `seen` may contain a part of its end.
    Dollar { tag: Vec<u8>, seen: Vec<u8> },
    /// In a table's data; `held` may contain a part of the end marker.
    Data { table: TableRows, held: Vec<u8> },
}

impl Decoder {
    pub(crate) fn new() -> Self {
        Self { utf8: true, within: Within::Plain, head: Vec::new(), decoded: Decoded::default() }
    }

    /// Decodes the next bytes.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let used = match std::mem::replace(&mut self.within, Within::Plain) {
                Within::Plain => self.plain(bytes),
                Within::Comment => self.comment(bytes),
                Within::Quote(quote) => self.quote(quote, bytes),
                Within::Tag(tag) => self.tag(tag, bytes),
                Within::Dollar { tag, seen } => self.dollar(tag, seen, bytes),
                Within::Data { table, held } => self.data(table, held, bytes),
            };
            bytes = &bytes[used..];
        }
    }

    /// Whether the next byte begins a line outside of data, strings and function bodies.
    pub(super) fn is_between_lines(&self) -> bool {
        matches!(self.within, Within::Plain) && self.head.is_empty()
    }

    /// The result, at the end of the text.
    pub(crate) fn finish(mut self) -> Decoded {
        match self.within {
            Within::Data { .. } | Within::Quote(_) | Within::Dollar { .. } => self.decoded.cut = true,
            Within::Comment => self.remark(),
            Within::Plain | Within::Tag(_) => {}
        }
        self.decoded.tables = merge(self.decoded.tables);
        self.decoded
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LONGEST_COPY.saturating_sub(self.head.len());
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn plain(&mut self, bytes: &[u8]) -> usize {
        let end =
            bytes.iter().position(|byte| matches!(byte, b'\n' | b'\'' | b'"' | b'$' | b'-')).unwrap_or(bytes.len());
        self.keep(&bytes[..end]);
        let Some(&found) = bytes.get(end) else { return end };
        self.keep(&bytes[end..=end]);
        self.within = match found {
            b'\n' => self.line(),
            b'$' => Within::Tag(Vec::new()),
            b'-' if self.head == b"--" => Within::Comment,
            b'-' => Within::Plain,
            quote => Within::Quote(quote),
        };
        end + 1
    }

    /// Handles the end of a line in a statement.
    fn line(&mut self) -> Within {
        let line = std::mem::take(&mut self.head);
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.starts_with(b"SELECT pg_catalog.lo_open(") {
            self.decoded.large_objects += 1;
        }
        self.decoded.remarks.statement(line);
        if let Some(encoding) = line.strip_prefix(b"SET client_encoding = ") {
            self.utf8 = encoding.starts_with(b"'UTF8'");
        }
        let copied = line
            .strip_prefix(b"COPY ")
            .and_then(|rest| rest.strip_suffix(b" FROM stdin;"))
            .and_then(|text| table(text, self.utf8));
        match copied {
            // Begin with a line end, so that the end of an empty table's data looks like any other's.
            Some(table) => Within::Data { table, held: vec![b'\n'] },
            None => Within::Plain,
        }
    }

    fn comment(&mut self, bytes: &[u8]) -> usize {
        let end = memchr(b'\n', bytes);
        self.keep(&bytes[..end.unwrap_or(bytes.len())]);
        let Some(end) = end else {
            self.within = Within::Comment;
            return bytes.len();
        };
        self.remark();
        end + 1
    }

    fn remark(&mut self) {
        let line = std::mem::take(&mut self.head);
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        self.decoded.complete |= line.starts_with(COMPLETE);
        self.decoded.remarks.comment(line);
    }

    fn quote(&mut self, quote: u8, bytes: &[u8]) -> usize {
        let end = memchr(quote, bytes);
        let used = end.map_or(bytes.len(), |end| end + 1);
        self.keep(&bytes[..used]);
        if end.is_none() {
            self.within = Within::Quote(quote);
        }
        used
    }

    fn tag(&mut self, mut tag: Vec<u8>, bytes: &[u8]) -> usize {
        let end = bytes.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii()));
        tag.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
        // `$1` is a parameter, and a name may contain a `$`.
        let parameter = tag.first().is_some_and(u8::is_ascii_digit);
        match end {
            None if !parameter => self.within = Within::Tag(tag),
            Some(end) if bytes[end] == b'$' && !parameter => {
                let tag = [b"$", &tag[..], b"$"].concat();
                self.within = Within::Dollar { tag, seen: Vec::new() };
                return end + 1;
            }
            _ => {}
        }
        end.unwrap_or(bytes.len())
    }

    fn dollar(&mut self, tag: Vec<u8>, seen: Vec<u8>, bytes: &[u8]) -> usize {
        let text = [&seen[..], bytes].concat();
        if let Some(at) = memmem::find(&text, &tag) {
            return (at + tag.len()).saturating_sub(seen.len());
        }
        let seen = text[text.len().saturating_sub(tag.len() - 1)..].to_vec();
        self.within = Within::Dollar { tag, seen };
        bytes.len()
    }

    fn data(&mut self, mut table: TableRows, held: Vec<u8>, bytes: &[u8]) -> usize {
        let seam = held.len();
        let text = [&held[..], bytes].concat();
        if let Some(at) = memmem::find(&text, END_OF_DATA) {
            // The first line end belongs to the `COPY`, not to a row.
            table.rows += memchr_iter(b'\n', &text[..=at]).count() as u64;
            table.rows -= 1;
            self.decoded.tables.push(table);
            self.decoded.blocks += 1;
            return at + END_OF_DATA.len() - seam;
        }
        let whole = text.len().saturating_sub(END_OF_DATA.len() - 1);
        table.rows += memchr_iter(b'\n', &text[..whole]).count() as u64;
        self.within = Within::Data { table, held: text[whole..].to_vec() };
        bytes.len()
    }
}

/// The table of a `COPY`, from the text between that word and `FROM`.
fn table(text: &[u8], utf8: bool) -> Option<TableRows> {
    let (schema, rest) = identifier(text, utf8)?;
    let (name, _) = identifier(rest.strip_prefix(b".")?, utf8)?;
    Some(TableRows { schema, name, rows: 0 })
}

/// Escapes a name in another encoding: non-ASCII bytes become `\xE9`, and backslashes are doubled.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = match byte {
            b'\\' => write!(text, "\\\\"),
            0x80.. => write!(text, "\\x{byte:02X}"),
            ascii => write!(text, "{}", char::from(*ascii)),
        };
        text
    })
}

/// The original bytes of an escaped name.
pub(crate) fn unescaped(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let hex = more.get(1..3).and_then(|digits| std::str::from_utf8(digits).ok());
        bytes.push(*first);
        rest = more;
        match (first, more.first(), hex.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'\\', Some(b'x'), Some(byte)) => {
                bytes.pop();
                bytes.push(byte);
                rest = &more[3..];
            }
            (b'\\', Some(b'\\'), _) => rest = &more[1..],
            _ => {}
        }
    }
    bytes
}

fn identifier(text: &[u8], utf8: bool) -> Option<(String, &[u8])> {
    let text_of = |bytes: &[u8]| if utf8 { String::from_utf8_lossy(bytes).into_owned() } else { escaped(bytes) };
    let Some(mut rest) = text.strip_prefix(b"\"") else {
        let end = memchr2(b'.', b' ', text).unwrap_or(text.len());
        return (end > 0).then(|| (text_of(&text[..end]), &text[end..]));
    };
    let mut name = Vec::new();
    loop {
        let end = memchr(b'"', rest)?;
        name.extend_from_slice(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix(b"\"") {
            Some(more) => {
                name.push(b'"');
                rest = more;
            }
            None => return Some((text_of(&name), rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\nSET x = 'COPY a.b (c) FROM stdin;\n';\n\
        CREATE FUNCTION f() AS $_$\nCOPY no.no (c) FROM stdin;\n$1 it's\n$_$;\nSELECT $1, a$b;\n\
        -- it's a comment with a \" and a '\nCOPY public.users (id, name) FROM stdin;\n1\ta\n2\tb \\\\.\n3\t\\\\.\n\\.\n\n\n\
        COPY public.empty (id) FROM stdin;\n\\.\n\n\
        COPY \"My \"\"Schema\"\"\n\".\"the.table\nCOPY a.b (c) FROM stdin;\" (\"a b\") FROM stdin;\n\\N\n\\.\n\n\
        SELECT pg_catalog.lo_open('16400', 131072);\nSELECT pg_catalog.lowrite(0, '\\x00');\n\
        SELECT pg_catalog.lo_open('16401', 131072);\n\
        --\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n";

    fn decode(text: &[u8], step: usize) -> Decoded {
        let mut decoder = Decoder::new();
        text.chunks(step.max(1)).for_each(|chunk| decoder.push(chunk));
        decoder.finish()
    }

    fn expected() -> Decoded {
        let table = |schema: &str, name: &str, rows| TableRows { schema: schema.into(), name: name.into(), rows };
        let tables = vec![
            table("public", "users", 3),
            table("public", "empty", 0),
            table("My \"Schema\"\n", "the.table\nCOPY a.b (c) FROM stdin;", 1),
        ];
        Decoded { tables, blocks: 3, large_objects: 2, complete: true, ..Default::default() }
    }

    #[test]
    fn rows_are_counted_wherever_the_text_is_cut_into_pieces() {
        for step in 1..=DUMP.len() {
            assert_eq!(decode(DUMP.as_bytes(), step), expected(), "in pieces of {step}");
        }
    }

    #[test]
    fn d20_the_blocks_of_one_table_are_counted_together() {
        let dump = b"COPY public.car (n) FROM stdin;\n1\n\\.\nCOPY public.bus (n) FROM stdin;\n\\.\n\
            COPY public.car (n) FROM stdin;\n2\n3\n\\.\n";
        let decoded = decode(dump, 9);
        let tables: Vec<_> = decoded.tables.iter().map(|table| (table.name.as_str(), table.rows)).collect();
        assert_eq!((tables, decoded.blocks), (vec![("car", 3), ("bus", 0)], 3));
    }

    #[test]
    fn c01_a_cut_dump_is_not_complete() {
        let end = DUMP.find("dump complete").unwrap();
        for cut in 0..end {
            let decoded = decode(&DUMP.as_bytes()[..cut], 64);
            assert!(!decoded.complete, "cut at {cut}");
        }
    }

    #[test]
    fn a28_names_of_other_encodings_keep_their_bytes() {
        let dump = b"SET client_encoding = 'LATIN1';\nCOPY public.\"caf\xe9 \\x \\\" (t) FROM stdin;\na\n\\.\n";
        let decoded = decode(dump, 7);
        assert_eq!(decoded.tables[0].name, r"caf\xE9 \\x \\");
        assert_eq!(unescaped(&decoded.tables[0].name), b"caf\xe9 \\x \\");
        assert_eq!(unescaped("plain \\"), b"plain \\");
    }

    proptest! {
        #[test]
        fn anything_is_read_without_a_panic(text in proptest::collection::vec(any::<u8>(), 0..500), step in 1..50_usize) {
            decode(&text, step);
        }
    }
}
