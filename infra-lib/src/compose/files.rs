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

/// What a bind mount puts somewhere below a folder of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mounted {
    /// The file or folder on this machine.
    pub(crate) source: Utf8PathBuf,
    /// Its path below that folder; empty if it is the folder itself.
    pub(crate) below: String,
}

/// The bind mounts at or below `target`, with relative sources below `root`.
///
/// Used only where Compose itself may not be there to be asked: it reads lines, not YAML.
pub(crate) fn mounted_at(files: &[Utf8PathBuf], root: &Utf8Path, target: &str) -> Vec<Mounted> {
    let mut found = Vec::new();
    let mut add = |source: &str, inside: &str| {
        let inside = inside.trim_matches(['"', '\'']).trim_end_matches('/');
        let below = inside.strip_prefix(target).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let source = source.trim_matches(['"', '\'']);
        // Anything else is the name of a volume.
        if let Some(below) = below.filter(|_| source.starts_with(['.', '/'])) {
            let mounted = Mounted {
                source: root.join(source).components().collect(),
                below: below.trim_start_matches('/').to_owned(),
            };
            if !found.contains(&mounted) {
                found.push(mounted);
            }
        }
    };
    for file in files {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let (mut source, mut inside) = (None, None);
        for line in text.lines() {
            let line = line.trim();
            let entry = line.strip_prefix("- ").unwrap_or(line).trim().split(" #").next().unwrap_or_default().trim();
            if line.starts_with("- ") {
                (source, inside) = (None, None);
                let mut parts = entry.trim_matches(['"', '\'']).split(':');
                if let (Some(source), Some(inside)) = (parts.next(), parts.next()) {
                    add(source, inside);
                }
            }
            source = entry.strip_prefix("source:").map(str::trim).or(source);
            inside = entry.strip_prefix("target:").map(str::trim).or(inside);
            if let (Some(from), Some(to)) = (source, inside) {
                add(from, to);
                (source, inside) = (None, None);
            }
        }
    }
    found
}

/// The env files that services are given by `env_file:`, with relative paths below `root`. One whose name depends on a
/// variable is left out.
///
/// Known before Compose is asked, which refuses files that name an env file that is not there: it reads lines, not YAML.
pub(crate) fn service_env_files(files: &[Utf8PathBuf], root: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    let mut add = |name: &str| {
        let name = name.trim().trim_matches(['"', '\'']);
        let path: Utf8PathBuf = root.join(name).components().collect();
        if !name.is_empty() && !name.contains('$') && !found.contains(&path) {
            found.push(path);
        }
    };
    for file in files {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        // How far an `env_file:` is indented whose entries follow on lines of their own.
        let mut list = None;
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with('#')) {
            let indent = line.len() - line.trim_start().len();
            let line = line.trim().split(" #").next().unwrap_or_default().trim();
            if let Some(value) = line.strip_prefix("env_file:") {
                list = value.is_empty().then_some(indent);
                value.trim().trim_matches(['[', ']']).split(',').for_each(&mut add);
                continue;
            }
            let item = line.strip_prefix("- ").map(|item| item.trim_start_matches(['{', ' ']));
            list = list.filter(|&outer| indent > outer || indent == outer && item.is_some());
            if list.is_none() {
                continue;
            }
            match (item.unwrap_or(line).strip_prefix("path:"), item) {
                (Some(path), _) => add(path.split([',', '}']).next().unwrap_or_default()),
                (None, Some(name)) if !name.contains(": ") => add(name),
                _ => {}
            }
        }
    }
    found
}

/// The value that the files give a variable of some container, as written; `None` if they give it several.
///
/// Used only where Compose itself may not be there to be asked: it reads lines, not YAML.
pub(crate) fn environment_value(files: &[Utf8PathBuf], key: &str) -> Option<String> {
    files.iter().rev().find_map(|file| {
        let text = std::fs::read_to_string(file).ok()?;
        let values = text.lines().filter_map(|line| {
            let entry = line.trim();
            let entry = entry.strip_prefix("- ").map_or(entry, |item| item.trim().trim_matches(['"', '\'']));
            let rest = entry.strip_prefix(key)?.trim_start();
            let value = rest.strip_prefix([':', '=']).map(str::trim)?;
            let quoted =
                ['"', '\''].into_iter().find_map(|quote| Some(value.strip_prefix(quote)?.split_once(quote)?.0));
            Some(quoted.unwrap_or_else(|| value.split(" #").next().unwrap_or_default().trim()).to_owned())
        });
        let values: std::collections::BTreeSet<String> = values.filter(|value| !value.is_empty()).collect();
        values.first().filter(|_| values.len() == 1).cloned()
    })
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
        let at = Mounted { source: dir.join("./db/init"), below: String::new() };
        assert_eq!(mounted_at(&files, dir, "/docker-entrypoint-initdb.d"), [at]);
    }

    #[test]
    fn mounts_are_found_however_they_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let text = "services:\n  db:\n    volumes:\n      - \"./a.sql:/init.d/01-a.sql:ro\"\n      - type: bind\n        \
                    source: ./b\n        target: /init.d # all\n      - data:/init.d/x\n      - ./c:/init.different\n      \
                    # - ./d:/init.d\n      - {type: volume}\n      - target: /init.d/\n        source: /e\n";
        std::fs::write(dir.join("compose.yml"), text).unwrap();
        let found = mounted_at(&default_files(dir), dir, "/init.d");
        let found: Vec<_> = found.iter().map(|m| (m.source.as_str(), m.below.as_str())).collect();
        let (a, b) = (dir.join("a.sql"), dir.join("b"));
        assert_eq!(found, [(a.as_str(), "01-a.sql"), (b.as_str(), ""), ("/e", "")]);
    }

    #[test]
    fn env_files_of_services_are_found_however_they_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let text = "a:\n  env_file: ./a/.env # one\nb:\n  env_file: ['b.env', ./a/.env]\nc:\n  env_file:\n  - c.env\n  - \
                    path: d.env\n    required: false\n  image: x\ne:\n  env_file:\n    # - no.env\n    - { path: e.env, \
                    required: false }\n    - ${NAME}.env\n  ports:\n    - 80:80\n";
        std::fs::write(dir.join("compose.yml"), text).unwrap();
        let found = service_env_files(&default_files(dir), dir);
        assert_eq!(found, ["a/.env", "b.env", "c.env", "d.env", "e.env"].map(|name| dir.join(name)));
    }

    #[test]
    fn an_environment_value_counts_when_it_is_the_only_one() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let text = "x:\n  POSTGRES_DB: \"a # b\" # c\ny:\n  - POSTGRES_USER=${U:-u} # d\nz:\n  - \"PW=p\"\n  PW: q\n  PWX: r\n";
        std::fs::write(dir.join("compose.yml"), text).unwrap();
        let value = |key| environment_value(&default_files(dir), key);
        assert_eq!(value("POSTGRES_DB").as_deref(), Some("a # b"));
        assert_eq!(value("POSTGRES_USER").as_deref(), Some("${U:-u}"));
        assert_eq!((value("PW"), value("P")), (None, None));
    }
}
