//! The operations, one file each.
//!
//! To add one: write its file here with a type that implements [`Operation`](crate::Operation), and add its line to the
//! table in `cli/commands.rs`.

mod clean;
mod db_shell;
mod doctor;
mod env;
mod history;
mod ps;
mod setup;
mod shell;
mod start;
mod stop;
mod task;
mod tasks;

pub use clean::{Clean, CleanReport, Kind, Object};
pub use db_shell::{DbShell, DbShellReport};
pub use doctor::{Doctor, DoctorReport};
pub use env::{Env, EnvAction, EnvReport};
pub use history::{History, HistoryReport};
pub use ps::{Ps, PsReport, PsRow};
pub use setup::{Setup, SetupReport};
pub use shell::{Exec, ExecReport, Shell};
pub use start::{Scale, ServiceState, Start, StartReport};
pub use stop::{Stop, StopReport};
pub use task::{RunTask, TaskReport};
pub use tasks::{TaskList, TaskSummary, Tasks};
