//! Random lines in which every character means something to somebody.

/// A generator of random numbers that a seed repeats (splitmix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }

    pub(super) fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

const PIECES: [&str; 76] = [
    "a",
    "B",
    "7",
    "abc",
    "pa$word",
    "x y",
    " ",
    "  ",
    "\t",
    "#",
    " #",
    "# ",
    "$",
    "$$",
    "$$$",
    "${",
    "}",
    "{",
    "$K3",
    "$K1x",
    "${K2}",
    "${K4:-",
    "${K5-",
    "${K6:+",
    "${K7+",
    "${U:-d}",
    "${U-d}",
    "${U:+d}",
    "${U+d}",
    "${S1}",
    "$S2",
    "${S3:-x}",
    "${K1:?m}",
    "${U?m}",
    "${K1?",
    "${S1:?",
    ":-",
    "-",
    "+",
    "?",
    ":",
    "=",
    "'",
    "\"",
    "\\",
    "\\\\",
    "\\'",
    "\\\"",
    "\\$",
    "\\n",
    "\\t",
    "\\r",
    "\\a",
    "\\c",
    "\\x41",
    "\\u0041",
    "\\0",
    "\\0101",
    "\\01",
    "\\0777",
    "\\0377",
    "\\0044",
    "`id`",
    ";",
    "&",
    "é",
    "\u{a0}",
    "\u{85}",
    "\u{2003}",
    "\u{17f}",
    "$\u{17f}x",
    "${\u{212a}1}",
    "😀",
    "[x]",
    "export ",
    "\u{2028}",
];

/// One line, or several in quotes, that sets `key`; without any claim that it can be read.
pub(super) fn line(random: &mut Random, key: &str) -> String {
    let export = random.of(&["", "", "", "", "export ", "export\t ", "  "]);
    let separator = random.of(&["=", "=", "=", "=", ":", " = ", "= ", "\t:", "=\u{a0}"]);
    let length = random.below(7);
    let mut value: String = (0..length).map(|_| random.of(&PIECES)).collect();
    let quote = random.of(&["", "", "'", "\""]);
    if !quote.is_empty() {
        for _ in 0..random.below(3) {
            value.push_str(random.of(&["\n", "\r\n", "\\\n", "# no comment", "K1=no", " "]));
            value.push_str(random.of(&PIECES));
        }
    }
    let end = random.of(&["", "", "", "", " ", "\t", " # c", " # 'c\" $", "#c", "\r", " \r"]);
    format!("{export}{key}{separator}{quote}{value}{quote}{end}\n")
}

/// What stands between the lines that count.
pub(super) fn filler(random: &mut Random) -> &'static str {
    random.of(&["", "", "", "", "\n", "\r\n", "# c=d\n", "  # ${\n", "\t\n", "#\n", "\u{a0}\n"])
}
