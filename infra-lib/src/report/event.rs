//! Events, and who receives them.

/// Something that happened while an operation ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A step of an operation began, such as `starting db, backend`.
    Step {
        /// What is done now.
        text: &'a str,
    },
    /// What the current step waits for; it replaces what was said before.
    Waiting {
        /// What is waited for, and its state.
        text: &'a str,
    },
    /// How far the current step is.
    Progress {
        /// What is counted, such as a file's name.
        what: &'a str,
        /// How much is done.
        done: u64,
        /// How much there is, where that is known.
        total: Option<u64>,
        /// What is counted.
        unit: Unit,
    },
    /// Something worth knowing.
    Note {
        /// The remark.
        text: &'a str,
    },
    /// Something to look at, although the operation goes on.
    Warning {
        /// What is wrong and what to do.
        text: &'a str,
    },
    /// A line that a child printed.
    Output {
        /// The child or service.
        source: &'a str,
        /// The line, secrets masked.
        line: &'a str,
    },
    /// A command is about to run.
    Running {
        /// The command as a shell would read it, secrets masked.
        command: &'a str,
    },
    /// A dry run shows what it leaves out.
    WouldRun {
        /// A command as a shell would read it, or a remark that begins with `#`.
        command: &'a str,
    },
    /// A result that arrives while a watch or a stream goes on: data, not talk.
    Data {
        /// For people.
        text: &'a str,
        /// For programs: one JSON document, on one line.
        json: &'a str,
    },
}

/// What an [`Event::Progress`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Things, such as tables or services.
    Items,
}

/// Receives events, from several threads at once.
pub trait Observer: Send + Sync {
    /// Takes one event. It must not block for long and must not fail.
    fn event(&self, event: &Event<'_>);
}

/// Ignores everything: the library's default.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event<'_>) {}
}

/// Any function of an event is an observer.
impl<F: Fn(&Event<'_>) + Send + Sync> Observer for F {
    fn event(&self, event: &Event<'_>) {
        self(event);
    }
}
