//! `db-backup` and `db-restore` against the scripts that they replace.

use super::stack::Stack;
use super::stats::{Samples, ratio};
use super::table::{Cell, Table};
use super::{Outcome, Site, data, timing};

/// The servers; the first versions of `pg_dump` that compress with zstd are 16's.
const IMAGES: [&str; 4] = ["postgres:15-alpine", "postgres:16-alpine", "postgres:17-alpine", "postgres:18-alpine"];
/// A dump and a restore take so long that more rounds than this tell nothing new.
const MOST: usize = 3;

pub(super) fn measure(site: &Site) -> Outcome<Vec<Table>> {
    let mut backup = Table {
        title: "Backup",
        about: "`docker compose exec -T db pg_dump | gzip > file`, as scripts do it, against `xtask db-backup`, which \
                dumps, syncs, hashes and decodes the whole archive, and publishes it. The floor is `pg_dump` alone, \
                inside the container, to nowhere. Memory is the most that our own process had."
            .to_owned(),
        columns: &[
            "server",
            "database",
            "script",
            "db-backup",
            "ratio",
            "floor",
            "to the floor",
            "its file",
            "our file",
            "memory",
        ],
        rows: Vec::new(),
        notes: Vec::new(),
    };
    let mut restore = Table {
        title: "Restore",
        about:
            "`gunzip | docker compose exec -T db psql` into a new database against `xtask db-restore --into`, which \
                verifies the archive's digest, looks whether the server can take it, restores, and compares the rows \
                of every table with the manifest."
                .to_owned(),
        columns: &["server", "database", "script", "db-restore", "ratio"],
        rows: Vec::new(),
        notes: Vec::new(),
    };
    for image in IMAGES.into_iter().filter(|it| site.images.is_empty() || site.images.iter().any(|name| name == it)) {
        match Stack::database(image) {
            Ok(stack) => one(site, &stack, image, &mut backup, &mut restore)?,
            Err(why) => backup.missing(why)?,
        }
    }
    Ok(vec![backup, restore])
}

fn one(site: &Site, stack: &Stack, image: &str, backup: &mut Table, restore: &mut Table) -> Outcome<()> {
    stack.up()?;
    for &megabytes in &site.sizes {
        site.say(&format!("filling {image} with {megabytes} MB"))?;
        data::fill(stack, megabytes)?;
        let [mut old, mut ours, mut floor] = [const { Samples::new() }; 3];
        let [mut old_restore, mut our_restore] = [const { Samples::new() }; 2];
        let what = format!("backup, {image}, {megabytes} MB");
        for round in site.rounds(&what, site.rounds.min(MOST)) {
            let round = round?;
            old.push(timing::time(stack.script("backup.sh", dump_script(stack))?)?);
            ours.push(timing::time(stack.ours(site, &["-q", "db-backup"]))?);
            floor.push(timing::time(stack.script("floor.sh", floor_script(stack))?)?);
            old_restore.push(timing::time(stack.script("restore.sh", restore_script(stack, round))?)?);
            data::psql(stack, &format!("DROP DATABASE old{round};"))?;
            our_restore.push(timing::time(stack.ours(site, &["-q", "db-restore", "latest", "--into", "ours"]))?);
            data::psql(stack, "DROP DATABASE ours;")?;
        }
        let memory = data::peak_memory(stack.ours(site, &["-q", "db-backup"]))?;
        let database = format!("{megabytes} MB");
        backup.rows.push(vec![
            image.into(),
            database.clone().into(),
            old.clone().into(),
            ours.clone().into(),
            Cell::Ratio(ratio(&old, &ours)),
            floor.clone().into(),
            Cell::Ratio(ratio(&ours, &floor)),
            bytes(stack, "backup.sql.gz")?.into(),
            bytes(stack, "backups/latest")?.into(),
            format!("{memory:.0} MB").into(),
        ]);
        let gain = ratio(&old_restore, &our_restore);
        restore.rows.push(vec![
            image.into(),
            database.into(),
            old_restore.into(),
            our_restore.into(),
            Cell::Ratio(gain),
        ]);
    }
    Ok(())
}

fn dump_script(stack: &Stack) -> String {
    let super::stack::Database { service, user, name, .. } = &stack.database;
    format!("#!/bin/sh\nset -eu\ndocker compose exec -T {service} pg_dump -U {user} {name} | gzip > backup.sql.gz\n")
}

fn floor_script(stack: &Stack) -> String {
    let super::stack::Database { service, user, name, .. } = &stack.database;
    format!("#!/bin/sh\nset -eu\ndocker compose exec -T {service} pg_dump -U {user} -f /dev/null {name}\n")
}

fn restore_script(stack: &Stack, round: usize) -> String {
    let super::stack::Database { service, user, .. } = &stack.database;
    format!(
        "#!/bin/sh\nset -eu\ndocker compose exec -T {service} createdb -U {user} old{round}\n\
         gunzip < backup.sql.gz | docker compose exec -T {service} psql -Xq -v ON_ERROR_STOP=1 -U {user} old{round} > /dev/null\n"
    )
}

fn bytes(stack: &Stack, name: &str) -> Outcome<String> {
    let megabytes = stack.sh.current_dir().join(name).metadata()?.len() / 1_000_000;
    Ok(format!("{megabytes} MB"))
}
