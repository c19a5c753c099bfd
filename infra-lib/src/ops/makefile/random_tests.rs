//! No text stops the reader.

use super::tests::converted;

proptest::proptest! {
    #[test]
    fn no_text_stops_it(text in "(?s).{0,200}") {
        converted(&text);
    }

    #[test]
    fn no_makefile_stops_it(parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..60)) {
        converted(&parts.concat());
    }
}

const PARTS: &[&str] = &[
    "\n",
    "\n\t",
    "a",
    "b:",
    ": a",
    "$(",
    ")",
    "${",
    "}",
    "$",
    "$$",
    "=",
    ":=",
    "?=",
    "+=",
    "!=",
    "::",
    "&:",
    "\\\n",
    "#",
    "## doc",
    "%",
    ";",
    "|",
    "ifdef X\n",
    "else\n",
    "endif\n",
    "define d\n",
    "endef\n",
    "include x\n",
    ".PHONY: a",
    ".RECIPEPREFIX = >\n",
    "\n>",
    ".ONESHELL:\n",
    "docker compose exec a b",
    "docker compose up -d",
    "$(MAKE) a",
    "@",
    "-",
    "'",
    "\"",
    "'''",
    "\u{1}",
    "é",
    "\r\n",
    "export ",
    "a b c",
    "start",
    "build",
    "clean",
    "\n\tcd x && y",
    "<",
    "*",
    "docker compose -f",
    "docker compose exec",
    "--scale",
];
