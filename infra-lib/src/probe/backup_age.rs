//! The newest backup, where the project says how old it may be.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde::Deserialize;

use crate::report::ago;

use super::{Check, Probe, Snapshot};

pub(super) const KIND: &str = "backup-age";

struct BackupAge {
    dir: Utf8PathBuf,
    max_age: Duration,
}

/// What is read of a backup's manifest.
#[derive(Deserialize)]
struct Manifest {
    schema: u32,
    created: Timestamp,
    file: Utf8PathBuf,
    environment: Option<String>,
}

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    let settings = &snapshot.project.manifest().backup;
    let Some(max_age) = settings.max_age else { return Vec::new() };
    let dir = snapshot.project.root().join(settings.dir.as_deref().unwrap_or(Utf8Path::new("backups")));
    vec![Box::new(BackupAge { dir, max_age: max_age.duration() })]
}

impl Probe for BackupAge {
    fn target(&self) -> String {
        "newest backup".to_owned()
    }

    fn look(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        let target = self.target();
        let hint = "`cargo xtask db-backup` makes one, `cargo xtask schedule` keeps doing so";
        let newest = self.newest(&snapshot.project.environment().name);
        vec![match newest {
            // A checkout that was set up an hour ago cannot have last night's backup yet.
            None if self.is_new(snapshot) => Check::warn(KIND, target, "there is none yet").with_hint(hint),
            None => Check::fail(KIND, target, format!("there is no backup in {}", self.dir)).with_hint(hint),
            Some(created) => {
                let age = ago(created, snapshot.now);
                let too_old =
                    Duration::try_from(snapshot.now.duration_since(created)).is_ok_and(|age| age > self.max_age);
                if created > snapshot.now {
                    Check::warn(KIND, target, format!("is from the future: {created}"))
                        .with_hint("check this machine's clock")
                } else if too_old {
                    let allowed = crate::manifest::Period::new(self.max_age);
                    Check::fail(KIND, target, format!("{age} old, allowed are {allowed}")).with_hint(hint)
                } else {
                    Check::ok(KIND, target, format!("{age} old"))
                }
            }
        }]
    }
}

impl BackupAge {
    /// Whether the checkout is younger than a backup may be old.
    fn is_new(&self, snapshot: &Snapshot<'_>) -> bool {
        let made = snapshot.project.record().map(|record| record.at);
        made.and_then(|made| Duration::try_from(snapshot.now.duration_since(made)).ok())
            .is_some_and(|age| age < self.max_age)
    }

    /// When the newest backup of this environment was made whose file is still there. What is no manifest is passed over.
    fn newest(&self, environment: &str) -> Option<Timestamp> {
        let files = self.dir.read_dir_utf8().into_iter().flatten().flatten();
        let manifests = files
            .filter(|entry| entry.path().extension() == Some("json"))
            .filter_map(|entry| serde_json::from_slice::<Manifest>(&std::fs::read(entry.path()).ok()?).ok());
        manifests
            .filter(|manifest| manifest.schema == 1 && self.dir.join(&manifest.file).exists())
            .filter(|manifest| manifest.environment.as_ref().is_none_or(|name| name == environment))
            .map(|manifest| manifest.created)
            .max()
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::probe::Verdict;
    use crate::probe::snapshot::tests::{in_empty_project, in_project};

    fn backup(dir: &Utf8Path, name: &str, age: SignedDuration, environment: &str) {
        let created = Timestamp::now() - age;
        let json =
            format!(r#"{{"schema":1,"created":"{created}","file":"{name}.dump","environment":"{environment}"}}"#);
        std::fs::write(dir.join(format!("{name}.json")), json).unwrap();
        std::fs::write(dir.join(format!("{name}.dump")), "x").unwrap();
    }

    #[test]
    fn f21_an_old_or_missing_backup_fails_only_where_an_age_is_stated() {
        in_empty_project(|snapshot| assert!(plan(snapshot).is_empty()));
        in_project("[backup]\nmax-age = \"26h\"\n", |snapshot| {
            let dir = snapshot.project.root().join("backups");
            let look = || plan(snapshot)[0].look(snapshot).remove(0);
            assert_eq!(look().status, Verdict::Fail);
            std::fs::create_dir(&dir).unwrap();
            backup(&dir, "old", SignedDuration::from_hours(28), "development");
            assert!(look().status == Verdict::Fail && look().detail == "27 h old, allowed are 26h", "{:?}", look());
            backup(&dir, "other", SignedDuration::from_hours(1), "production");
            assert_eq!(look().status, Verdict::Fail, "another environment's does not count");
            backup(&dir, "gone", SignedDuration::from_hours(1), "development");
            std::fs::remove_file(dir.join("gone.dump")).unwrap();
            std::fs::write(dir.join("half.json"), "{\"schema\":").unwrap();
            assert_eq!(look().status, Verdict::Fail, "a manifest without its file does not count");
            backup(&dir, "new", SignedDuration::from_hours(25), "development");
            assert_eq!(look().status, Verdict::Ok);
            backup(&dir, "late", SignedDuration::from_hours(-2), "development");
            assert_eq!(look().status, Verdict::Warn);
        });
    }
}
