//! What can be known about compose files without Compose.

use camino::{Utf8Path, Utf8PathBuf};

/// The names that Compose looks for, in its order, with the overrides that go with them.
const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES: [&str; 4] =
    ["compose.override.yaml", "compose.override.yml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// The files that Compose would take in this folder.
pub(crate) fn default_files(dir: &Utf8Path) -> Vec<Utf8PathBuf> {
    let first = |names: &[&str]| names.iter().map(|name| dir.join(name)).find(|path| path.is_file());
    match first(&NAMES) {
        Some(main) => std::iter::once(main).chain(first(&OVERRIDES)).collect(),
        None => Vec::new(),
    }
}

/// Files beside the main one that are named after an environment, such as `docker-compose.prod.yml`.
pub(crate) fn overlay_candidates(dir: &Utf8Path, environment: &str) -> Vec<Utf8PathBuf> {
    let short = match environment {
        "production" => "prod",
        "development" => "dev",
        "staging" => "stage",
        "testing" => "test",
        other => other,
    };
    let mut found = Vec::new();
    for stem in ["compose", "docker-compose"] {
        for name in [environment, short] {
            for extension in ["yml", "yaml"] {
                let path = dir.join(format!("{stem}.{name}.{extension}"));
                if path.is_file() && !found.contains(&path) {
                    found.push(path);
                }
            }
        }
    }
    found
}

/// The top-level `name:` of the last file that has one, as written.
pub(crate) fn declared_name(files: &[Utf8PathBuf]) -> Option<String> {
    files.iter().rev().find_map(|file| {
        let text = std::fs::read_to_string(file).ok()?;
        let value = text.lines().find_map(|line| line.strip_prefix("name:"))?;
        let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        (!value.is_empty()).then(|| value.to_owned())
    })
}

/// The sources that short-syntax mounts put below `target`, relative to the files' folder.
///
/// Used only where Compose itself is not there to be asked.
pub(crate) fn mounted_at(files: &[Utf8PathBuf], target: &str) -> Vec<Utf8PathBuf> {
    let mut sources = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let dir = file.parent().unwrap_or(Utf8Path::new("."));
        for line in text.lines() {
            let entry = line.trim().trim_start_matches("- ").trim_matches(['"', '\'']);
            if let Some((source, _)) = entry.split_once(&format!(":{target}"))
                && source.starts_with(['.', '/'])
            {
                sources.push(dir.join(source));
            }
        }
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_for_its_name_and_its_init_scripts() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let text =
            "name: \"shop\" # ours\nservices:\n  db:\n    volumes:\n      - ./db/init:/docker-entrypoint-initdb.d:ro\n";
        std::fs::write(dir.join("compose.yml"), text).unwrap();
        let files = default_files(dir);
        assert_eq!(declared_name(&files).as_deref(), Some("shop"));
        assert_eq!(mounted_at(&files, "/docker-entrypoint-initdb.d"), [dir.join("./db/init")]);
    }
}
