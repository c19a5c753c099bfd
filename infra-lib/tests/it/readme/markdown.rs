//! Just enough Markdown to find what the documents claim.

use std::path::{Path, PathBuf};

/// A document of the repository.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) path: PathBuf,
    text: String,
}

/// A fenced block.
#[derive(Debug)]
pub(crate) struct Block {
    /// What stands behind the opening fence.
    pub(crate) language: String,
    pub(crate) text: String,
    /// Document and line, for messages.
    pub(crate) place: String,
}

/// A table, with the nearest heading above it.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) heading: String,
    pub(crate) rows: Vec<Vec<String>>,
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// README.md and everything in `docs/`.
pub(crate) fn documents() -> Vec<Document> {
    let docs = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = docs.filter(|path| path.extension().is_some_and(|kind| kind == "md")).collect();
    paths.push(root().join("README.md"));
    paths.sort();
    assert!(paths.len() >= 5, "{paths:?}");
    paths.into_iter().map(|path| Document { text: std::fs::read_to_string(&path).unwrap(), path }).collect()
}

/// The document at this path below the repository.
pub(crate) fn document(path: &str) -> Document {
    let path = root().join(path);
    Document { text: std::fs::read_to_string(&path).unwrap(), path }
}

/// All fenced blocks of these languages, of all documents.
pub(crate) fn blocks(languages: &[&str]) -> Vec<Block> {
    let all = documents().iter().flat_map(Document::blocks).collect::<Vec<_>>();
    all.into_iter().filter(|block| languages.contains(&block.language.as_str())).collect()
}

impl Document {
    /// Its name, for messages.
    pub(crate) fn name(&self) -> String {
        self.path.strip_prefix(root()).unwrap().display().to_string()
    }

    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut open = false;
        for (number, line) in self.text.lines().enumerate() {
            match (line.strip_prefix("```"), open) {
                (Some(language), false) => {
                    let (language, text) = (language.to_owned(), String::new());
                    blocks.push(Block { language, text, place: format!("{}:{}", self.name(), number + 1) });
                    open = true;
                }
                (Some(_), true) => open = false,
                (None, true) => {
                    let block = blocks.last_mut().unwrap();
                    block.text += line;
                    block.text.push('\n');
                }
                (None, false) => {}
            }
        }
        assert!(!open, "{}: a block is not closed", self.name());
        blocks
    }

    /// The text outside of blocks, with line numbers from 1.
    pub(crate) fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut open = false;
        self.text.lines().enumerate().filter_map(move |(number, line)| {
            let fence = line.starts_with("```");
            open ^= fence;
            (!open && !fence).then_some((number + 1, line))
        })
    }

    /// What stands in backticks outside of blocks, with line numbers.
    pub(crate) fn code(&self) -> Vec<(usize, String)> {
        self.prose().flat_map(|(number, line)| spans(line).into_iter().map(move |span| (number, span))).collect()
    }

    /// Where its links go.
    pub(crate) fn links(&self) -> Vec<String> {
        let parts = self.prose().flat_map(|(_, line)| line.split("](").skip(1));
        parts.filter_map(|part| Some(part.split_once(')')?.0.to_owned())).collect()
    }

    pub(crate) fn tables(&self) -> Vec<Table> {
        let mut tables: Vec<Table> = Vec::new();
        let (mut heading, mut inside) = (String::new(), false);
        for (_, line) in self.prose() {
            if line.starts_with('#') {
                line.trim_start_matches('#').trim().clone_into(&mut heading);
            }
            let is_row = line.starts_with('|');
            if is_row && !inside {
                tables.push(Table { heading: heading.clone(), rows: Vec::new() });
            } else if is_row && !line.starts_with("|---") {
                tables.last_mut().unwrap().rows.push(cells(line));
            }
            inside = is_row;
        }
        tables
    }

    /// The rows of the tables below this heading.
    #[track_caller]
    pub(crate) fn table(&self, heading: &str) -> Vec<Vec<String>> {
        let tables = self.tables().into_iter().filter(|table| table.heading == heading);
        let rows: Vec<_> = tables.flat_map(|table| table.rows).collect();
        assert!(!rows.is_empty(), "{} has no table below `{heading}`", self.name());
        rows
    }
}

fn cells(row: &str) -> Vec<String> {
    let row = row.replace("\\|", "\u{0}");
    row.trim_matches('|').split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect()
}

/// What stands in backticks.
pub(crate) fn spans(line: &str) -> Vec<String> {
    line.split('`').skip(1).step_by(2).map(|span| span.replace("\\|", "|")).collect()
}
