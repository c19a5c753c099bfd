//! Whether somebody sits there.

use std::io::IsTerminal as _;

/// Whether a child that is given our stdin and stdout would be at a terminal. With only one of them, `docker exec -t`
/// refuses, or turns the line ends of data into CRLF.
pub(crate) fn at_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}
