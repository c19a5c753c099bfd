//! The newest backup: its age, its size and its restore time, if the project sets limits.

use std::time::Duration;

use jiff::Timestamp;

use crate::backup::catalogue::{Catalogue, Entry};
use crate::backup::{Proof, ProofKind};
use crate::config::{Backup, ByteSize, Period};
use crate::report::{ago, seconds};

use super::{Check, Probe, Snapshot};

pub(super) const KIND: &str = "backup-age";

struct Backups;

const HINT: &str = "`cargo xtask db-backup` creates one, `cargo xtask schedule install` does so regularly";
const DRILL: &str = "`cargo xtask db-verify latest --drill` tests a restore and records how long it takes";

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    let Backup { max_age, min_size, rpo, rto, .. } = &snapshot.project.config().backup;
    let stated = max_age.is_some() || min_size.is_some() || rpo.is_some() || rto.is_some();
    if stated { vec![Box::new(Backups)] } else { Vec::new() }
}

impl Probe for Backups {
    fn target(&self) -> String {
        "newest backup".to_owned()
    }

    fn check(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        let project = snapshot.project;
        let catalogue = match Catalogue::read(project) {
            Ok(catalogue) => catalogue,
            Err(error) => {
                let hint = error.hint().unwrap_or_else(|| HINT.to_owned());
                return vec![Check::fail(KIND, self.target(), error.to_string()).with_hint(hint)];
            }
        };
        let is_there = |entry: &&Entry| catalogue.has_file_of(entry);
        let mut checks = match catalogue.databases(project).filter(is_there).rfind(|entry| entry.manifest.is_good()) {
            None => vec![none(snapshot)],
            Some(newest) => look_at(newest, snapshot),
        };
        checks.extend(size(&catalogue, snapshot));
        checks.extend(restore_time(&catalogue, snapshot));
        checks
    }
}

fn none(snapshot: &Snapshot<'_>) -> Check {
    let folder = snapshot.project.backup_dir();
    if is_new(snapshot) {
        // A checkout that was set up an hour ago cannot have last night's backup yet.
        return Check::warn(KIND, "newest backup", "there is none yet").with_hint(HINT);
    }
    Check::fail(KIND, "newest backup", format!("no verified backup in {folder}")).with_hint(HINT)
}

/// Its age against `max-age` and `rpo`.
fn look_at(newest: &Entry, snapshot: &Snapshot<'_>) -> Vec<Check> {
    let created = newest.manifest.created;
    let age = ago(created, snapshot.now);
    if created > snapshot.now {
        let check = Check::warn(KIND, "newest backup", format!("is from the future: {created}"));
        return vec![check.with_hint("check this machine's clock")];
    }
    let settings = &snapshot.project.config().backup;
    let is_older = |limit: Period| older(created, snapshot.now, limit.duration());
    let limits = [("newest backup", settings.max_age), ("recovery point", settings.rpo)];
    let checks = limits.into_iter().filter_map(|(target, limit)| {
        let limit = limit?;
        Some(if is_older(limit) {
            Check::fail(KIND, target, format!("{age} old, the limit is {limit}")).with_hint(HINT)
        } else {
            Check::ok(KIND, target, format!("{age} old"))
        })
    });
    checks.collect()
}

/// The size of the newest one of all against `min-size`: one that is too small is suspect, and so not the newest good one.
fn size(catalogue: &Catalogue, snapshot: &Snapshot<'_>) -> Option<Check> {
    let min = snapshot.project.config().backup.min_size?;
    let newest = &catalogue.databases(snapshot.project).next_back()?.manifest;
    let bytes = ByteSize::new(newest.bytes);
    Some(if bytes < min {
        Check::fail(KIND, "size of the newest backup", format!("{bytes}, but at least {min} are expected"))
            .with_hint("`cargo xtask db-backup --list` shows what is suspect about it")
    } else {
        Check::ok(KIND, "size of the newest backup", bytes.to_string())
    })
}

/// The duration of the last restore drill against `rto`.
fn restore_time(catalogue: &Catalogue, snapshot: &Snapshot<'_>) -> Option<Check> {
    const TARGET: &str = "recovery time";
    let rto = snapshot.project.config().backup.rto?;
    let drills = catalogue.databases(snapshot.project).filter_map(|entry| entry.manifest.proof(ProofKind::Drill));
    let Some(Proof { at, took_ms, .. }) = drills.max_by_key(|proof| proof.at) else {
        let any = catalogue.databases(snapshot.project).next().is_some();
        return any.then(|| Check::warn(KIND, TARGET, "no restore was ever tested").with_hint(DRILL));
    };
    let took = Duration::from_millis(*took_ms);
    let detail = format!("{}, last tested {} ago", seconds(took), ago(*at, snapshot.now));
    Some(if took > rto.duration() {
        Check::fail(KIND, TARGET, format!("{detail}; the limit is {rto}"))
            .with_hint("restore with more `--jobs`, or set `[backup] rto` to a time that can be met")
    } else {
        Check::ok(KIND, TARGET, detail)
    })
}

fn older(then: Timestamp, now: Timestamp, limit: Duration) -> bool {
    Duration::try_from(now.duration_since(then)).is_ok_and(|age| age > limit)
}

/// Whether the checkout is younger than a backup may be old.
fn is_new(snapshot: &Snapshot<'_>) -> bool {
    let settings = &snapshot.project.config().backup;
    let allowed = settings.max_age.or(settings.rpo).map_or(Duration::from_secs(24 * 3600), Period::duration);
    let made = snapshot.project.record().map(|record| record.at);
    made.is_some_and(|made| !older(made, snapshot.now, allowed))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::backup::BackupManifest;
    use crate::probe::Verdict;
    use crate::probe::snapshot::tests::{in_empty_project, in_project};

    fn backup(snapshot: &Snapshot<'_>, sequence: u64, age: SignedDuration, change: impl FnOnce(&mut BackupManifest)) {
        let dir = snapshot.project.backup_dir();
        let mut manifest = BackupManifest::example();
        manifest.sequence = sequence;
        manifest.created = snapshot.now - age;
        manifest.project = snapshot.project.name().to_owned();
        manifest.environment = snapshot.project.environment().name.clone();
        manifest.file = format!("b{sequence}.dump");
        manifest.prove(Proof { kind: ProofKind::Decode, at: snapshot.now, took_ms: 5 });
        change(&mut manifest);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(format!("b{sequence}.json")), manifest.to_text().unwrap()).unwrap();
        std::fs::File::create(dir.join(&manifest.file)).unwrap().set_len(manifest.bytes).unwrap();
    }

    fn hours(hours: i64) -> SignedDuration {
        SignedDuration::from_hours(hours)
    }

    fn check(snapshot: &Snapshot<'_>) -> Vec<(String, Verdict, String)> {
        let checks = plan(snapshot)[0].check(snapshot);
        checks.into_iter().map(|check| (check.target, check.status, check.detail)).collect()
    }

    #[test]
    fn f21_an_old_or_missing_backup_fails_only_where_an_age_is_stated() {
        in_empty_project(|snapshot| assert!(plan(snapshot).is_empty()));
        in_project("[backup]\nmax-age = \"26h\"\n", |snapshot| {
            let status = || check(snapshot)[0].1;
            let dir = snapshot.project.backup_dir();
            assert_eq!(status(), Verdict::Fail);
            backup(snapshot, 1, hours(28), |_| {});
            assert_eq!(check(snapshot)[0].2, "28 h old, the limit is 26h");
            backup(snapshot, 2, hours(1), |manifest| manifest.environment = "production".into());
            assert_eq!(status(), Verdict::Fail, "another environment's does not count");
            backup(snapshot, 3, hours(1), |manifest| manifest.verified.clear());
            assert_eq!(status(), Verdict::Fail, "one that was never verified does not count");
            backup(snapshot, 4, hours(1), |manifest| manifest.suspect.push("small".into()));
            assert_eq!(status(), Verdict::Fail, "a suspect one does not count");
            backup(snapshot, 5, hours(1), |_| {});
            std::fs::remove_file(dir.join("b5.dump")).unwrap();
            std::fs::write(dir.join("half.json"), "{\"schema\":").unwrap();
            assert_eq!(status(), Verdict::Fail, "a manifest without its file does not count");
            std::fs::write(dir.join("b5.dump"), "").unwrap();
            assert_eq!(status(), Verdict::Fail, "nor does one whose file was cut");
            backup(snapshot, 6, hours(25), |_| {});
            assert_eq!(status(), Verdict::Ok);
            backup(snapshot, 7, hours(-2), |_| {});
            assert_eq!(status(), Verdict::Warn);
        });
    }

    #[test]
    fn size_recovery_point_and_recovery_time_are_compared() {
        let stated = "[backup]\nmin-size = \"100KB\"\nrpo = \"24h\"\nrto = \"15m\"\n";
        in_project(stated, |snapshot| {
            backup(snapshot, 1, hours(25), |manifest| manifest.bytes = 99_000);
            let verdicts = || check(snapshot).into_iter().map(|(_, verdict, _)| verdict).collect::<Vec<_>>();
            assert_eq!(verdicts(), [Verdict::Fail, Verdict::Fail, Verdict::Warn], "{:?}", check(snapshot));
            backup(snapshot, 2, hours(2), |manifest| {
                manifest.bytes = 200_000;
                manifest.prove(Proof { kind: ProofKind::Drill, at: manifest.created, took_ms: 901_000 });
            });
            assert_eq!(verdicts(), [Verdict::Ok, Verdict::Ok, Verdict::Fail], "{:?}", check(snapshot));
            backup(snapshot, 3, hours(1), |manifest| {
                manifest.bytes = 200_000;
                manifest.prove(Proof { kind: ProofKind::Drill, at: manifest.created, took_ms: 899_000 });
            });
            assert_eq!(verdicts(), [Verdict::Ok, Verdict::Ok, Verdict::Ok], "{:?}", check(snapshot));
        });
    }

    #[test]
    fn a38_a_folder_that_is_gone_is_not_an_empty_one() {
        in_project("[backup]\nmax-age = \"26h\"\n", |snapshot| {
            let (folder, _) = Catalogue::folder_for_writing(snapshot.project).unwrap();
            std::fs::remove_dir_all(folder.path()).unwrap();
            let (_, verdict, detail) = check(snapshot).remove(0);
            assert!(verdict == Verdict::Fail && detail.contains("marker file"), "{detail}");
        });
    }
}
