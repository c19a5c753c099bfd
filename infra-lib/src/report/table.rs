//! Columns of text.

use comfy_table::{Table, presets::NOTHING};

use super::plain::printable;

/// Rows under a heading, columns two spaces apart; without borders, so that other programs can read it too.
pub(crate) fn table<const N: usize>(heading: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(heading);
    for row in rows {
        table.add_row(row.map(|cell| printable(&cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// `1.5 s` or `2 min 3 s`: a length of time as a person says it.
pub(crate) fn seconds(time: std::time::Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        secs => format!("{} min {} s", secs / 60, secs % 60),
    }
}

/// `12 s`, `5 min`, `3 h` or `4 d`: how long ago that was.
pub(crate) fn ago(then: jiff::Timestamp, now: jiff::Timestamp) -> String {
    match now.duration_since(then).as_secs().max(0) {
        secs @ 0..60 => format!("{secs} s"),
        secs @ 60..3600 => format!("{} min", secs / 60),
        secs @ 3600..172_800 => format!("{} h", secs / 3600),
        secs => format!("{} d", secs / 86400),
    }
}
