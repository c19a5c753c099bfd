//! Events and the observers that receive them.

/// Something that happened while an operation ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A step of an operation began, such as `starting db, backend`.
    Step {
        /// What the step does.
        text: &'a str,
    },
    /// The current step waits for something. Replaces the previous message.
    Waiting {
        /// What it waits for, and the state of that.
        text: &'a str,
    },
    /// The progress of the current step.
    Progress {
        /// What is counted, such as a file's name.
        what: &'a str,
        /// How much is done so far.
        done: u64,
        /// The total amount, if known.
        total: Option<u64>,
        /// The unit of `done` and `total`.
        unit: Unit,
    },
    /// Something worth knowing; no action is needed.
    Note {
        /// The text of the note.
        text: &'a str,
    },
    /// A problem that does not stop the operation.
    Warning {
        /// What is wrong and what to do.
        text: &'a str,
    },
    /// A child process printed a line.
    Output {
        /// The child process or service that printed it.
        source: &'a str,
        /// The line with secrets masked.
        line: &'a str,
    },
    /// A command is about to run.
    Running {
        /// The command in shell syntax, secrets masked.
        command: &'a str,
    },
    /// A dry run shows a change instead of making it.
    WouldRun {
        /// A command in shell syntax, or a comment that begins with `#`.
        command: &'a str,
    },
    /// The latest state of what is being watched. Replaces the previous one.
    Snapshot {
        /// The text for people.
        text: &'a str,
        /// One line of JSON for programs.
        json: &'a str,
    },
    /// A result that arrives while a watch or stream continues. This is output data, not a progress message.
    Data {
        /// The text for people.
        text: &'a str,
        /// One line of JSON for programs.
        json: &'a str,
    },
}

/// What an [`Event::Progress`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// A number of bytes.
    Bytes,
    /// A number of items, such as tables or services.
    Items,
}

/// Receives events, possibly from several threads concurrently.
pub trait Observer: Send + Sync {
    /// Receives one event. It must not block for long and must not panic.
    fn event(&self, event: &Event<'_>);
}

/// Ignores all events: the library's default.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event<'_>) {}
}

/// Any function of an event is an observer.
impl<F: Fn(&Event<'_>) + Send + Sync> Observer for F {
    fn event(&self, event: &Event<'_>) {
        self(event);
    }
}
