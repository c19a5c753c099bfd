//! Imports run one way: a module imports only modules below it.
//!
//! `docs/architecture.md` has the list, a paragraph per layer. A violation is reported with its file, its line and the
//! two modules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of the crate, from the bottom to the top.
const LAYERS: [&str; 33] = [
    "exit",
    "failure",
    "secret",
    "units",
    "hex",
    "cancel",
    "suggest",
    "users",
    "fs",
    "report",
    "consent",
    "dotenv",
    "exec",
    "config",
    "state",
    "lock",
    "journal",
    "release",
    "compose",
    "schedule",
    "project",
    "postgres",
    "stack",
    "policy",
    "backup",
    "migrations",
    "volumes",
    "probe",
    "checks",
    "deploy",
    "ops",
    "cli",
    "lib",
];

/// Imports against the order that are still to be removed: the importing file, the imported module, and how many.
/// The list may only get shorter.
const OPEN: &[(&str, &str, usize)] = &[];

/// An import of another module of the crate.
#[derive(Debug)]
struct Import {
    /// Below `src/`.
    file: String,
    line: usize,
    from: String,
    to: String,
}

impl Import {
    /// Whether it runs upwards. A name that is not a module is one that `lib.rs` exports again.
    fn is_backward(&self) -> bool {
        let rank = |module: &str| LAYERS.iter().position(|layer| *layer == module);
        rank(&self.to).is_none_or(|to| rank(&self.from).is_none_or(|from| to > from))
    }
}

/// Every import between modules below this folder.
fn imports(src: &Path) -> Vec<Import> {
    let mut found = Vec::new();
    for path in files(src) {
        let file = path.strip_prefix(src).unwrap().to_str().unwrap().to_owned();
        let from = file.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        if from == "lib" {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            for rest in code.split("crate::").skip(1) {
                let to: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let to = if to.is_empty() { "lib".to_owned() } else { to };
                if to != from {
                    found.push(Import { file: file.clone(), line: number + 1, from: from.clone(), to });
                }
            }
        }
    }
    found
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let rust = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    folders.iter().flat_map(|folder| self::files(folder)).chain(rust).collect()
}

#[test]
fn imports_run_one_way() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let imports = imports(&src);
    assert!(imports.len() > 1000, "only {} imports were found", imports.len());
    let modules: BTreeSet<&str> = imports.iter().map(|import| import.from.as_str()).collect();
    let unknown: Vec<_> = modules.iter().filter(|module| !LAYERS.contains(module)).collect();
    assert!(unknown.is_empty(), "modules without a layer: {unknown:?}");

    let mut backward: BTreeMap<(&str, &str), Vec<&Import>> = BTreeMap::new();
    for import in imports.iter().filter(|import| import.is_backward()) {
        backward.entry((&import.file, &import.to)).or_default().push(import);
    }
    let mut wrong = Vec::new();
    for ((file, to), imports) in &backward {
        let open = OPEN.iter().find(|open| (open.0, open.1) == (*file, *to)).map_or(0, |open| open.2);
        if imports.len() > open {
            wrong.extend(imports.iter().map(|import| {
                format!("src/{}:{}: `{}` imports `{}`, which is above it", file, import.line, import.from, import.to)
            }));
        }
    }
    for (file, to, count) in OPEN {
        let now = backward.get(&(*file, *to)).map_or(0, Vec::len);
        if now < *count {
            wrong.push(format!("src/{file}: only {now} imports of `{to}` are left: correct the list of open ones"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_backward_import_is_found() {
    let holder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = holder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("ops/start.rs", "use crate::project::open::Project;\n// use crate::cli::run;\nuse crate::ops::stop::Stop;\n");
    write("exec/runner.rs", "use crate::hex;\nuse crate::project::error::Error;\nfn f() -> crate::Secret { g() }\n");
    let mut found: Vec<String> = imports(holder.path())
        .iter()
        .filter(|import| import.is_backward())
        .map(|import| format!("{}:{} {} {}", import.file, import.line, import.from, import.to))
        .collect();
    found.sort();
    assert_eq!(found, ["exec/runner.rs:2 exec project", "exec/runner.rs:3 exec Secret"]);
}
