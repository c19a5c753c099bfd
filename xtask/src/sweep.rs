//! The long variants, for a machine that has time.

use std::error::Error;

use xshell::Shell;

use crate::lacking::Lacking;
use crate::steps::Steps;
use crate::suite::Suite;

/// Multiplies the cases and rounds that a test tries.
const SCALE: &str = "INFRA_TEST_SCALE";
/// With it, env files are compared in 10^5 values.
const USUAL_SCALE: &str = "100";

/// Runs the test suite with many more cases, then as if this machine lacked Docker, PostgreSQL, and both.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let shell = Shell::new()?;
    shell.change_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let suite = Suite::new(&shell)?;
    let mut steps = Steps::default();
    if shell.var(SCALE).is_err() {
        shell.set_var(SCALE, USUAL_SCALE);
    }
    let mut results = vec![suite.run(&mut steps, None)];
    shell.set_var(SCALE, "1");
    results.extend(Lacking::ALL.map(|lacking| suite.run(&mut steps, Some(lacking))));
    steps.report();
    results.into_iter().collect()
}
