//! The report: tables that are read as text and as Markdown alike.

use std::error::Error;
use std::fmt;

use serde_json::{Map, Value, json};

use super::stack::Missing;
use super::stats::Samples;

/// What was measured, with what it means.
pub(crate) struct Table {
    pub(crate) title: &'static str,
    /// What is compared with what, and how.
    pub(crate) about: String,
    pub(crate) columns: &'static [&'static str],
    pub(crate) rows: Vec<Vec<Cell>>,
    /// What is to be said about the result.
    pub(crate) notes: Vec<String>,
}

pub(crate) enum Cell {
    Text(String),
    Times(Samples),
    Ratio(f64),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Samples> for Cell {
    fn from(times: Samples) -> Self {
        Self::Times(times)
    }
}

impl Cell {
    fn json(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Times(times) => times.json(),
            Self::Ratio(ratio) => json!(ratio),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Times(times) => write!(f, "{times}"),
            Self::Ratio(ratio) => write!(f, "{ratio:.1}×"),
        }
    }
}

impl Table {
    /// Notes that something could not be measured for want of an image. Other trouble stays an error.
    pub(crate) fn missing(&mut self, why: Box<dyn Error>) -> Result<(), Box<dyn Error>> {
        let missing = why.downcast::<Missing>()?;
        self.notes.push(format!("Not everything was measured: {missing}."));
        Ok(())
    }

    pub(crate) fn json(&self) -> Value {
        let row = |cells: &Vec<Cell>| {
            let named = self.columns.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), cell.json()));
            Value::Object(named.collect::<Map<_, _>>())
        };
        json!({"title": self.title, "rows": self.rows.iter().map(row).collect::<Vec<_>>(), "notes": self.notes})
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n\n{}\n", self.title, wrapped(&self.about))?;
        let rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect();
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(String::as_str);
            cells.chain([self.columns[column]]).map(|text| text.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let mut line =
            |cells: &mut dyn Iterator<Item = String>| writeln!(f, "| {} |", cells.collect::<Vec<_>>().join(" | "));
        let padded = |(index, text): (usize, &str)| match index {
            0 => format!("{text:<0$}", widths[index]),
            _ => format!("{text:>0$}", widths[index]),
        };
        if !rows.is_empty() {
            line(&mut self.columns.iter().copied().enumerate().map(padded))?;
            line(&mut widths.iter().enumerate().map(|(index, &width)| match index {
                0 => "-".repeat(width),
                _ => format!("{}:", "-".repeat(width - 1)),
            }))?;
            for row in &rows {
                line(&mut row.iter().map(String::as_str).enumerate().map(padded))?;
            }
            writeln!(f)?;
        }
        for note in &self.notes {
            writeln!(f, "{}\n", wrapped(note))?;
        }
        Ok(())
    }
}

/// The text in lines of a width that can be read.
pub(crate) fn wrapped(text: &str) -> String {
    const WIDTH: usize = 118;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown_and_lines_up() {
        let table = Table {
            title: "T",
            about: "About.".to_owned(),
            columns: &["what", "old", "ratio"],
            rows: vec![
                vec!["a".into(), "10 ms".into(), Cell::Ratio(2.04)],
                vec!["long name".into(), "9 ms".into(), Cell::Ratio(11.0)],
            ],
            notes: vec!["Note.".to_owned()],
        };
        let expected = "\
## T

About.

| what      |   old | ratio |
| --------- | ----: | ----: |
| a         | 10 ms |  2.0× |
| long name |  9 ms | 11.0× |

Note.

";
        assert_eq!(table.to_string(), expected);
    }
}
