//! Whether a terminal is attached.

use std::io::IsTerminal as _;

/// Whether stdout is a terminal, where anyone can read along.
pub(crate) fn at_stdout() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether a child that inherits our stdin and stdout would have a terminal. With only one of them, `docker exec -t`
/// fails, or converts line ends in data to CRLF.
pub(crate) fn at_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}
