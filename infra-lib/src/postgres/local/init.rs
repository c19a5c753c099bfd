//! Running the init scripts of a new database like the official image.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::exec::{ExecError, Invocation};
use crate::exit::Exit;
use crate::postgres::{Database, PostgresError};
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::cluster::Cluster;

/// Where the official image looks for the scripts.
const IMAGE_FOLDER: &str = "/docker-entrypoint-initdb.d";

/// The time limit of a script, which may import a lot of data.
const DEADLINE: Duration = Duration::from_secs(3600);

/// Programs that decompress a file, by file name extension.
const PACKED: [(&str, &[&str]); 3] =
    [(".sql.gz", &["gzip", "-d"]), (".sql.xz", &["xz", "-d"]), (".sql.zst", &["zstd", "-d", "-q", "--rm"])];

/// The scripts in order: those in the configuration, else those that the compose files mount for the image.
pub(crate) fn scripts(project: &Project) -> Result<Vec<Utf8PathBuf>> {
    let stated = &project.config().database.init;
    if !stated.is_empty() {
        let mut scripts = Vec::new();
        for path in stated.iter().map(|path| project.root().join(path)) {
            match path.is_dir() {
                true => scripts.extend(folder(&path)?.into_iter().map(|(_, script)| script)),
                false if path.is_file() => scripts.push(path),
                false => {
                    return Err(Error::new(Exit::Config, format!("the init script {path} does not exist"))
                        .with_hint("correct `init` of `[database]` in infra.toml"));
                }
            }
        }
        return Ok(scripts);
    }
    let mut scripts = Vec::new();
    for mount in project.sources().mounted_at(IMAGE_FOLDER) {
        if mount.source.is_dir() && mount.below.is_empty() {
            scripts.extend(folder(&mount.source)?);
        } else if mount.source.is_file() && !mount.below.contains('/') {
            scripts.push((mount.below, mount.source));
        }
    }
    // Sort by the names in the container, wherever the files are.
    scripts.sort();
    Ok(scripts.into_iter().map(|(_, script)| script).filter(|script| is_script(script)).collect())
}

/// The scripts of a folder, sorted by name.
fn folder(path: &Utf8Path) -> Result<Vec<(String, Utf8PathBuf)>> {
    let entries = path.read_dir_utf8().map_err(Error::file("read", path))?.flatten();
    let mut scripts: Vec<_> = entries
        .filter(|entry| is_script(entry.path()) && entry.path().is_file())
        .map(|entry| (entry.file_name().to_owned(), entry.into_path()))
        .collect();
    scripts.sort();
    Ok(scripts)
}

/// Whether the image would run this file; it ignores all others.
fn is_script(path: &Utf8Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    !name.starts_with('.')
        && ([".sh", ".sql"].iter().any(|end| name.ends_with(end)) || PACKED.iter().any(|(end, _)| name.ends_with(end)))
}

/// Runs a script on the new database, in the script's own folder.
pub(super) fn run(
    project: &Project,
    cluster: &Cluster<'_>,
    database: &Database,
    port: u16,
    script: &Utf8Path,
) -> Result<()> {
    let shown = script.strip_prefix(project.root()).unwrap_or(script);
    project.step(format_args!("running {shown}"));
    let failed = |error: ExecError, path: &Utf8Path| match error {
        ExecError::Exited { ref tail, .. } | ExecError::Signalled { ref tail, .. } => {
            Error::from(PostgresError::Init { script: shown.to_owned(), message: explain(tail, path) })
        }
        error => error.into(),
    };
    if script.extension() == Some("sh") {
        let call = shell(project, cluster, database, port, script)?;
        return project.runner().change(&call).map(drop).map_err(|error| failed(error, script));
    }
    let Some((_, unpack)) = PACKED.iter().find(|(end, _)| script.as_str().ends_with(end)) else {
        let call = psql(cluster, database, port)?.args(["-f", script.as_str()]);
        return project.runner().change(&call).map(drop).map_err(|error| failed(error, script));
    };
    // Decompress to a file: a dump may be larger than the memory.
    let ending = script.file_name().and_then(|name| name.split_once(".sql")).map_or("", |(_, ending)| ending);
    let (packed, plain) = (cluster.home.join(format!("init.sql{ending}")), cluster.home.join("init.sql"));
    let copy = || std::fs::copy(script, &packed).map_err(Error::file("copy", script));
    project.runner().apply(format_args!("copy {script} to {packed}"), copy)?;
    let unpack = Invocation::new(unpack[0]).minimal_env().args(unpack[1..].iter().copied()).arg(packed.as_str());
    let result = project.runner().change(&unpack.deadline(DEADLINE)).and_then(|_| {
        let call = psql(cluster, database, port).map(|call| call.args(["-f", plain.as_str()]));
        // A missing client was reported before the first script ran.
        call.map_or(Ok(None), |call| project.runner().change(&call))
    });
    for path in [&packed, &plain] {
        let _ = std::fs::remove_file(path);
    }
    result.map(drop).map_err(|error| failed(error, &plain))
}

/// `psql` as the image calls it, logged in.
pub(super) fn psql(cluster: &Cluster<'_>, database: &Database, port: u16) -> Result<Invocation> {
    let call = Invocation::new(cluster.client("psql")?).minimal_env().deadline(DEADLINE);
    let call = database.logged_in(call, "127.0.0.1", port, "prefer");
    Ok(call.args(["-X", "-q", "-w", "-v", "ON_ERROR_STOP=1"]).relay("psql"))
}

/// Runs a shell script: directly if it is executable, else with bash. It gets the variables that the image provides,
/// and those of the env files that it names.
fn shell(
    project: &Project,
    cluster: &Cluster<'_>,
    database: &Database,
    port: u16,
    script: &Utf8Path,
) -> Result<Invocation> {
    let bytes = std::fs::read(script).map_err(Error::file("read", script))?;
    let executable = script.metadata().is_ok_and(|stat| stat.permissions().mode() & 0o111 != 0);
    let mut call = if executable && bytes.starts_with(b"#!") {
        Invocation::new(script.as_str())
    } else {
        let shell = if project.runner().find("bash").is_ok() { "bash" } else { "sh" };
        Invocation::new(shell).arg(script.as_str())
    };
    call = call.minimal_env().deadline(DEADLINE).relay(script.file_name().unwrap_or_default());
    call = call.dir(script.parent().unwrap_or(project.root()));
    let text = String::from_utf8_lossy(&bytes);
    let words: std::collections::BTreeSet<&str> =
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    for variable in project.variables().variables().iter().filter(|variable| words.contains(variable.key.as_str())) {
        call = call.secret_env(&variable.key, &variable.value);
    }
    call = database.logged_in(call, "127.0.0.1", port, "prefer");
    if let Some(password) = &database.password {
        call = call.secret_env("POSTGRES_PASSWORD", password);
    }
    let mut path = OsString::from(&cluster.programs.bin);
    path.push(":");
    path.push(project.runner().path());
    Ok(call
        .env("POSTGRES_USER", &database.user)
        .env("POSTGRES_DB", &database.name)
        .env("PGDATA", cluster.data().as_str())
        .env("PATH", path))
}

/// The error message of `psql` with the line number first, without earlier output.
fn explain(said: &str, script: &Utf8Path) -> String {
    let place = format!("psql:{script}:");
    let lines = said.lines().map(|line| match line.strip_prefix(&place).and_then(|rest| rest.split_once(": ")) {
        Some((number, rest)) => format!("line {number}: {}", rest.trim_start()),
        None => line.trim_end().to_owned(),
    });
    let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    let first = lines.iter().position(|line| line.contains("ERROR:")).unwrap_or(0);
    lines[first..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[(&str, &str)]) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap().canonicalize_utf8().unwrap();
        for (name, text) in files {
            std::fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            std::fs::write(root.join(name), text).unwrap();
        }
        let scripts = scripts(&Project::discover(&root).unwrap()).unwrap();
        scripts.into_iter().map(|path| path.strip_prefix(&root).unwrap().as_str().replace("./", "")).collect()
    }

    #[test]
    fn scripts_come_in_the_order_of_their_names_in_the_container() {
        let compose = "services:\n  db:\n    volumes:\n      - ./init:/docker-entrypoint-initdb.d:ro\n      \
                       - ./extra/last.sql:/docker-entrypoint-initdb.d/15-between.sql\n";
        let files = [
            ("compose.yml", compose),
            ("init/20-b.sql.gz", ""),
            ("init/10-a.sh", ""),
            ("init/README.md", ""),
            ("init/.hidden.sql", ""),
            ("init/deeper/1.sql", ""),
            ("extra/last.sql", ""),
        ];
        assert_eq!(names(&files), ["init/10-a.sh", "extra/last.sql", "init/20-b.sql.gz"]);
    }

    #[test]
    fn what_the_manifest_names_counts_alone() {
        let files = [
            ("infra.toml", "[database]\ninit = [\"z.sql\", \"sub\"]\n"),
            ("compose.yml", "services:\n  db:\n    volumes: [\"./init:/docker-entrypoint-initdb.d\"]\n"),
            ("z.sql", ""),
            ("sub/b.sql", ""),
            ("sub/a.sql", ""),
            ("init/x.sql", ""),
        ];
        assert_eq!(names(&files), ["z.sql", "sub/a.sql", "sub/b.sql"]);
    }

    #[test]
    fn an_error_is_shown_with_its_line() {
        let said = "psql:/p/1.sql:2: NOTICE:  hm\npsql:/p/1.sql:12: ERROR:  no such thing\nLINE 1: SELECT x\n";
        assert_eq!(explain(said, "/p/1.sql".into()), "line 12: ERROR:  no such thing\nLINE 1: SELECT x");
        assert_eq!(explain("sh: no\n", "/p/1.sh".into()), "sh: no");
    }
}
