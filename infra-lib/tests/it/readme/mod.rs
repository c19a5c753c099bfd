//! What the documents say is so: every block is executed, compiled or parsed, every command exists, every link leads
//! somewhere. The Rust blocks are documentation tests of the crate (`cargo test --doc`).

mod commands;
mod contract;
mod manifest;
pub(crate) mod markdown;

use crate::support::*;
use markdown::{blocks, documents};

/// A small real project: a database, and a service that does nothing.
fn shop() -> TestProject {
    TestProject::new()
        .compose(&format!(
            "services:{}  web:\n    build: {{dockerfile_inline: 'FROM @image@'}}\n    entrypoint: [sleep, infinity]\n    init: true\n    \
             depends_on: {{db: {{condition: service_healthy}}}}\n",
            DATABASE.replace("fixture-password", "'${DB_PASSWORD:?}'")
        ))
        .file(".env.example", "DB_PASSWORD=\n")
        .file(".env.production.example", "DB_PASSWORD=\n")
        .file("infra.toml", "[tasks.greet]\nhost = true\nrun = [\"echo\", \"hello\"]\n")
}

/// A `cargo` that knows `xtask` alone, and has the binary under test for it.
fn cargo() -> Fakes {
    // `shell` and `crontab` say where the binary is.
    let script =
        "[ \"$1\" = xtask ] || { echo \"cargo $1 is not run here\" >&2; exit 64; }; shift; exec \"$XTASK\" \"$@\"";
    // Nor is anybody's crontab changed: this one is a file beside it.
    let crontab = "case \"$1\" in -l) cat \"$0.tab\" 2>/dev/null || { echo 'no crontab for me' >&2; exit 1; } ;; \
                   -r) rm \"$0.tab\" ;; -) cat >\"$0.tab\" ;; esac";
    Fakes::new().program("cargo", script).program("crontab", crontab)
}

/// Runs a line of shell in the project, in which `cargo xtask` is the binary under test.
fn shell(project: &TestProject, cargo: &Fakes, line: &str) -> Ended {
    let call = project.xtask(["unused"]).env("PATH", cargo.path());
    call.inside(["sh", "-c", "XTASK=$1; export XTASK; eval \"$0\"", line]).end()
}

/// A fence without a test behind it would be a claim that nobody holds.
#[test]
fn every_block_is_of_a_kind_that_is_tested() {
    for block in documents().iter().flat_map(markdown::Document::blocks) {
        // `sql` is run by `backup_content::readers`, the proxies' configurations by `deploy::bed`.
        let known = ["nginx", "caddyfile", "sh", "sql", "toml", "json", "cron", "rust", "rust,no_run"];
        assert!(known.contains(&block.language.as_str()), "{}: a block of `{}`", block.place, block.language);
    }
}

#[test]
fn links_lead_somewhere() {
    for document in documents() {
        for link in document.links() {
            let file = link.split('#').next().unwrap_or_default();
            let there = link.starts_with("https://") || document.path.parent().unwrap().join(file).exists();
            assert!(there, "{}: {link}", document.name());
        }
    }
}

/// In the order in which a reader meets them, on one project; the cron job comes after its setup.
#[test]
fn shell_blocks_and_cron_lines_do_what_they_say() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    let cargo = cargo();
    let blocks = blocks(&["sh"]);
    let lines = blocks.iter().flat_map(|block| block.text.lines().map(|line| (line, &block.place)));
    let mut ran = 0;
    for (line, place) in lines.filter(|(line, _)| !line.trim().is_empty()) {
        // Cargo's own work, of which this test is a part.
        if line == "cargo test" {
            continue;
        }
        assert!(line.starts_with("cargo xtask "), "{place}: `{line}` is not run by any test");
        let ended = shell(&project, &cargo, line);
        assert_eq!(ended.exit, 0, "{place}: `{line}`: {ended}");
        ran += 1;
    }
    assert!(ran >= 1);
    for block in self::blocks(&["cron"]) {
        crontab(&project, &cargo, &block);
    }
}

/// Runs each job of a crontab once, with cron's own environment and what the crontab sets: silent, and 0.
fn crontab(project: &TestProject, cargo: &Fakes, block: &markdown::Block) {
    let shims = std::env::split_paths(&cargo.path()).next().unwrap();
    let ours = |text: &str| {
        let text = text.replace("/srv/shop", project.dir().to_str().unwrap());
        text.replace("/home/deploy/.cargo/bin", shims.to_str().unwrap())
    };
    let mut path = "/usr/bin:/bin".to_owned();
    let mut jobs = 0;
    for line in block.text.lines() {
        if let Some(stated) = line.strip_prefix("PATH=") {
            assert!(!stated.contains('$'), "{}: cron expands nothing", block.place);
            path = ours(stated);
            continue;
        }
        let mut rest = line;
        for field in 1..=5 {
            let (word, more) = rest.split_once(' ').unwrap_or_else(|| panic!("{}: {line}", block.place));
            let is_field = !word.is_empty() && word.chars().all(|c| c.is_ascii_digit() || "*/,-".contains(c));
            assert!(is_field, "{}: field {field} of `{line}`", block.place);
            rest = more;
        }
        let line = format!("XTASK=$1; export XTASK; {}", ours(rest));
        let job = project.xtask(["unused"]).env_remove("LANG").env("PATH", &path).dir("/");
        job.inside(["sh", "-c", &line, "sh"]).no_tty().end().ok().silent();
        jobs += 1;
    }
    assert!(jobs > 0, "{}", block.place);
}

/// The one that changes something is an example as well, and does what it says.
#[test]
fn the_readmes_rust_block_backs_a_database_up() {
    let Some(_engine) = engine() else { return };
    let source = include_str!("../../../examples/backup.rs");
    assert!(
        blocks(&["rust,no_run"]).iter().any(|block| source.ends_with(&block.text)),
        "examples/backup.rs is the README's"
    );
    let project = shop();
    project.xtask(["setup", "--yes"]).end().ok();
    let program = example("backup");
    project.xtask(["unused"]).inside([program.to_str().unwrap()]).end().ok().shows("verified: ").shows("exit code 0");
    project.xtask(["db-backup", "--list"]).end().ok().shows("before-upgrade").shows("verified");
}

/// A part of a `Cargo.toml`.
fn is_of_cargo(block: &markdown::Block) -> bool {
    block.text.starts_with("[profile.")
}

#[test]
fn toml_blocks_are_manifests() {
    for block in blocks(&["toml"]).into_iter().filter(|block| !is_of_cargo(block)) {
        let parsed = infra_lib::config::Config::parse("infra.toml".into(), &block.text);
        assert!(parsed.is_ok(), "{}: {}", block.place, parsed.unwrap_err());
    }
}

/// What this workspace raises for its own `cargo xtask`, another one is told to raise; and each is really a dependency.
#[test]
fn the_readme_tells_which_packages_a_development_build_must_optimise() {
    let packages = |text: &str| {
        let manifest: toml::Table = text.parse().unwrap();
        manifest["profile"]["dev"]["package"].clone()
    };
    let readme = blocks(&["toml"]).into_iter().filter(is_of_cargo).map(|block| block.text).collect::<String>();
    let workspace = std::fs::read_to_string(markdown::root().join("Cargo.toml")).unwrap();
    assert_eq!(packages(&readme), packages(&workspace));
    let lock = std::fs::read_to_string(markdown::root().join("Cargo.lock")).unwrap();
    for package in packages(&readme).as_table().unwrap().keys() {
        assert!(lock.contains(&format!("name = \"{package}\"\n")), "{package} is no dependency");
    }
}

#[test]
fn json_blocks_are_json() {
    for block in blocks(&["json"]) {
        let parsed: Result<serde_json::Value, _> = serde_json::from_str(&block.text);
        assert!(parsed.is_ok(), "{}: {}", block.place, parsed.unwrap_err());
    }
}

#[test]
fn the_readme_is_read_in_two_minutes() {
    let readme = markdown::document("README.md");
    let words: usize =
        readme.prose().map(|(_, line)| line.split_whitespace().filter(|word| word.len() > 1).count()).sum();
    assert!(words < 480, "{words} words");
}
