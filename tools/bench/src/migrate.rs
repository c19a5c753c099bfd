//! Migrations, against sqlx's own command line.

use std::fmt::Write as _;

use xshell::{Cmd, Shell, TempDir, cmd};

use super::stats::{Samples, ratio};
use super::table::{Cell, Table};
use super::{Outcome, Site, timing};

/// How many small migrations an empty database gets, and how many are applied where nothing is pending.
const FEW: usize = 500;
const MANY: usize = 2000;

pub(super) fn measure(site: &Site) -> Outcome<Vec<Table>> {
    let mut table = Table {
        title: "Migrations",
        about:
            "`xtask db-migrate` against `sqlx migrate`, both on the same files and the same local cluster, which syncs \
                each commit to disk as servers do. First 500 small migrations on an empty database, a table each; then \
                2,000 that are applied, and nothing is pending. `sqlx` is sqlx-cli, as `cargo install` builds it."
                .to_owned(),
        columns: &["what", "sqlx", "ours", "ratio"],
        rows: Vec::new(),
        notes: Vec::new(),
    };
    let Ok(sqlx) = cmd!(site.sh, "sqlx --version").quiet().ignore_stderr().read() else {
        table.notes.push("Nothing was measured: `sqlx` is not on PATH (`cargo install sqlx-cli`).".to_owned());
        return Ok(vec![table]);
    };
    let place = Place::make(site)?;
    place.write(FEW)?;
    let (mut old, mut ours) = (Samples::default(), Samples::default());
    for round in site.rounds("migrations, an empty database", site.rounds) {
        round?;
        place.empty()?;
        old.push(timing::time(place.sqlx(&["run"]))?);
        place.empty()?;
        ours.push(timing::time(place.ours(&["up"]))?);
    }
    table.rows.push(row(&format!("{FEW} on an empty database"), old, ours));

    place.write(MANY)?;
    timing::run(place.ours(&["up"]))?;
    for (what, theirs, own) in [("status", "info", "status"), ("up, nothing pending", "run", "up")] {
        let (mut old, mut ours) = (Samples::default(), Samples::default());
        for round in site.rounds(&format!("migrations, {what}"), site.rounds * 3) {
            round?;
            old.push(timing::time(place.sqlx(&[theirs]))?);
            ours.push(timing::time(place.ours(&[own]))?);
        }
        table.rows.push(row(&format!("{what}, of {MANY}"), old, ours));
    }
    let mut login = Samples::default();
    for round in site.rounds("migrations, a login", site.rounds * 3) {
        round?;
        login.push(timing::time(place.login())?);
    }
    table.notes.push(format!(
        "Against {}. What bounds the last two: ours is a development build and starts one psql; the two take {login} to log in \
         and ask for nothing (`db-shell -c 'SELECT 1'`). sqlx speaks with the server itself. What bounds the first: one \
         commit for each migration, where sqlx makes two.",
        sqlx.trim()
    ));
    Ok(vec![table])
}

fn row(what: &str, old: Samples, ours: Samples) -> Vec<Cell> {
    let gain = ratio(&old, &ours);
    vec![what.into(), old.into(), ours.into(), Cell::Ratio(gain)]
}

/// A project with a local cluster of its own, removed when this is dropped.
struct Place<'a> {
    site: &'a Site,
    sh: Shell,
    port: String,
    _dir: TempDir,
}

impl<'a> Place<'a> {
    fn make(site: &'a Site) -> Outcome<Self> {
        let sh = site.sh.clone();
        let dir = sh.create_temp_dir()?;
        sh.change_dir(dir.path());
        sh.write_file(
            "infra.toml",
            "[compose]\nservices = \"none\"\n[migrations]\ndir = \"migrations\"\nbackup-first = false\n",
        )?;
        sh.write_file(".env", "DB_NAME=bench\nDB_USER=bench\nDB_PASSWORD=bench-password\n")?;
        sh.create_dir("migrations")?;
        let mut place = Self { site, sh, port: String::new(), _dir: dir };
        let xtask = &site.xtask;
        timing::run(cmd!(place.sh, "{xtask} setup --yes"))?;
        let port = cmd!(place.sh, "{xtask} db-shell -c").arg("SHOW port").args(["--", "-At"]).quiet().read()?;
        port.trim().clone_into(&mut place.port);
        Ok(place)
    }

    /// Files up to this many; those that are there stay.
    fn write(&self, count: usize) -> Outcome<()> {
        for number in 1..=count {
            let mut text = String::new();
            writeln!(text, "CREATE TABLE m{number} (id bigint, name text NOT NULL, made timestamptz);")?;
            self.sh.write_file(format!("migrations/{number:04}_table.sql"), text)?;
        }
        Ok(())
    }

    fn empty(&self) -> Outcome<()> {
        let xtask = &self.site.xtask;
        let sql = "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CHECKPOINT";
        timing::run(cmd!(self.sh, "{xtask} db-shell -c").arg(sql)).map(drop)
    }

    fn ours(&self, words: &[&str]) -> Cmd<'_> {
        let xtask = &self.site.xtask;
        cmd!(self.sh, "{xtask} db-migrate {words...}")
    }

    /// A login of ours that asks for nothing.
    fn login(&self) -> Cmd<'_> {
        let xtask = &self.site.xtask;
        cmd!(self.sh, "{xtask} db-shell -c").arg("SELECT 1")
    }

    fn sqlx(&self, words: &[&str]) -> Cmd<'_> {
        let url = format!("postgres://bench:bench-password@127.0.0.1:{}/bench", self.port);
        cmd!(self.sh, "sqlx migrate {words...}").env("DATABASE_URL", url)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let xtask = &self.site.xtask;
        let _ = timing::run(cmd!(self.sh, "{xtask} clean --all --yes"));
    }
}
