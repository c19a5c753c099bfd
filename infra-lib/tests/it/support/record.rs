//! How long each test took, what was skipped and why tests failed, for the report that CI prints: lines in the file that
//! `INFRA_TEST_RECORD` names.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Once;
use std::time::Instant;

/// How much of a failure's text is recorded, in characters.
const FAILURE: usize = 2000;

/// A test that is running; recorded when its thread ends.
struct Clock {
    began: Instant,
    test: String,
}

thread_local! {
    static CLOCK: Clock = Clock { began: Instant::now(), test: std::thread::current().name().unwrap_or_default().to_owned() };
}

impl Drop for Clock {
    fn drop(&mut self) {
        // Tests have names with their module in front; other threads are not tests.
        if self.test.contains("::") {
            write("took", &self.test, &format!("{:.3}", self.began.elapsed().as_secs_f64()));
        }
    }
}

/// Starts the running test's clock, unless it is running: what a test uses of the harness first calls this.
pub(super) fn begin() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let printed = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let thread = std::thread::current();
            // The harness's own tests fail on purpose.
            let is_test = |name: &&str| name.contains("::") && !name.starts_with("harness::");
            if let Some(test) = thread.name().filter(is_test) {
                write("failed", test, &panic.to_string().chars().take(FAILURE).collect::<String>());
            }
            printed(panic);
        }));
    });
    CLOCK.with(|_| ());
}

/// Records that the running test is skipped.
pub(super) fn skipped(test: &str, why: &str) {
    write("skipped", test, why);
}

fn write(what: &str, test: &str, value: &str) {
    let Some(path) = std::env::var_os("INFRA_TEST_RECORD") else { return };
    // One write each, so that lines of tests that end together stay whole.
    let line = format!("{what}\t{test}\t{}\n", value.replace('\t', " ").replace('\n', " \u{23ce} "));
    let file = OpenOptions::new().create(true).append(true).open(path);
    let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
}
