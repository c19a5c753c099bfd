//! Pending and inconsistent migrations, where their files say what they are.

use crate::migrations::MigrationState;
use crate::migrations::owner::{Owner, standings};
use crate::migrations::status::Report;
use crate::report::Check;

use super::probe::Probe;
use super::{Snapshot, one_line};

pub(super) const KIND: &str = "migrations";

struct Migrations;

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    let has_files = matches!(Owner::find(snapshot.project), Ok(Owner::Native(_) | Owner::Known(_)));
    if has_files { vec![Box::new(Migrations)] } else { Vec::new() }
}

impl Probe for Migrations {
    fn target(&self) -> String {
        "database".to_owned()
    }

    fn check(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        let project = snapshot.project;
        let check = match standings(project) {
            // Whether the database can be reached is another probe's question.
            Err(error) => Check::skip(KIND, self.target(), one_line(&error.to_string())),
            Ok(None) => return Vec::new(),
            Ok(Some(report)) => judge(&report, project.config().migrations.dir.is_some()),
        };
        vec![check]
    }
}

fn judge(report: &Report, is_configured: bool) -> Check {
    let all = &report.migrations;
    let versions = |is_it: fn(MigrationState) -> bool| {
        all.iter().filter(|it| is_it(it.state)).map(|it| it.version.as_str()).collect::<Vec<_>>()
    };
    let (pending, applied) = (versions(MigrationState::is_pending), versions(|state| state == MigrationState::Applied));
    let others = versions(|state| state != MigrationState::Applied && !state.is_pending());
    let target = "database";
    if !others.is_empty() {
        let detail = format!("do not agree with the database: {}", others.join(", "));
        return Check::fail(KIND, target, detail).with_hint("see `cargo xtask db-migrate status`");
    }
    if pending.is_empty() {
        return Check::ok(KIND, target, format!("{} applied, none pending", applied.len()));
    }
    let detail = format!("{} pending: {}", pending.len(), pending.join(", "));
    // A folder that infra.toml does not name may belong to something else.
    let check = if is_configured { Check::fail(KIND, target, detail) } else { Check::warn(KIND, target, detail) };
    match (&report.obstacle, pending.last()) {
        (Some(obstacle), Some(last)) => {
            check.with_hint(format!("{obstacle}; if all are applied: `cargo xtask db-migrate baseline {last}`"))
        }
        _ => check.with_hint("run `cargo xtask db-migrate`"),
    }
}
