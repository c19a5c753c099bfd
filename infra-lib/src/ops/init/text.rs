//! The text of a new infra.toml.

use std::fmt::Write as _;

use crate::postgres::Place;

/// What was found in the project's folder.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// The compose project's name, if only the folder says it.
    pub(super) name: Option<String>,
    pub(super) files: Vec<String>,
    /// The compose file, if Compose does not find it by itself.
    pub(super) elsewhere: Option<String>,
    pub(super) services: Vec<String>,
    pub(super) environments: Vec<String>,
    pub(super) overlays: Vec<Overlay>,
    pub(super) database: Option<(String, Place)>,
    /// Services of which each could be the database.
    pub(super) candidates: Vec<String>,
    /// Whether `DATABASE_URL` is a variable here.
    pub(super) has_url: bool,
}

/// An environment whose compose files have to be stated.
#[derive(Debug)]
pub(super) struct Overlay {
    pub(super) environment: String,
    pub(super) files: Vec<String>,
    pub(super) stands_alone: bool,
    /// Whether it is the default environment's, which uses it only if the user says so.
    pub(super) is_default: bool,
}

const HEAD: &str = "\
# Settings of `cargo xtask` that the compose files do not contain. Everything here is optional.
";

const TAIL: &str = r#"
# Common additions:
#
# [backup]
# keep = { last = 3, daily = 30 }      # what `db-prune` keeps
# max-age = "26h"                      # `health` fails when the newest backup is older
#
# [env.SESSION_SECRET]
# generate = "token:32"                # `setup` generates one for each checkout
#
# [tasks.test]                         # `cargo xtask test`
# service = "backend"                  # in its running container; or oneoff = "backend", or host = true
# run = ["npm", "test"]
"#;

pub(super) fn write(findings: &Findings) -> String {
    let Findings { name, files, elsewhere, services, environments, overlays, database, candidates, has_url } = findings;
    let mut text = HEAD.to_owned();
    if !files.is_empty() {
        text += "#\n# Detected:\n";
    }
    let mut found = |what: &str, list: &str| {
        let _ = writeln!(text, "#   {what:13} {list}");
    };
    if !files.is_empty() {
        found("compose files", &files.join(", "));
    }
    if !services.is_empty() {
        found("services", &services.join(", "));
    }
    if environments.len() > 1 {
        found("environments", &environments.join(", "));
    }
    if let Some((name, Place::Service { service, .. })) = database {
        found("database", &format!("{name} in service {service}"));
    }
    if let Some(name) = name {
        let _ = write!(
            text,
            "\n# Keeps containers and volumes when the folder is renamed.\n[project]\nname = {}\n",
            quote(name)
        );
    }
    if let Some(file) = elsewhere {
        let file = quote(file);
        let _ = write!(text, "\n# Where `docker compose` does not look by itself.\n[compose]\nfiles = [{file}]\n");
    }
    for Overlay { environment, files, stands_alone, is_default } in overlays {
        let why = match (is_default, stands_alone) {
            (true, _) => "is used only with these lines, as by `docker compose`",
            (false, true) => "has every service, so it is used alone",
            (false, false) => "lacks services, so it is an overlay",
        };
        let off = if *is_default { "# " } else { "" };
        let own = files.last().map(String::as_str).unwrap_or_default();
        let list = files.iter().map(|file| quote(file)).collect::<Vec<_>>().join(", ");
        let _ = write!(text, "\n# {own} {why}.\n{off}[environments.{environment}]\n{off}files = [{list}]\n");
    }
    match (database, &candidates[..]) {
        (None, [_, ..]) => {
            let _ = write!(text, "\n# Several services look like PostgreSQL; choose one.\n[database]\n");
            for service in candidates {
                let _ = writeln!(text, "# service = {}", quote(service));
            }
        }
        (None, []) if *has_url => {
            let _ = write!(
                text,
                "\n# No service looks like PostgreSQL; this variable has its URL.\n[database]\nurl = \"env:DATABASE_URL\"\n"
            );
        }
        _ => {}
    }
    text + TAIL
}

/// A TOML string.
fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn parsed(findings: &Findings) -> Config {
        Config::parse("infra.toml".into(), &write(findings)).unwrap()
    }

    #[test]
    fn nothing_found_is_nothing_stated() {
        assert_eq!(format!("{:?}", parsed(&Findings::default())), format!("{:?}", Config::default()));
    }

    #[test]
    fn the_examples_in_comments_are_valid_too() {
        let lines: Vec<_> = TAIL.lines().skip(2).map(|line| line.trim_start_matches(['#', ' '])).collect();
        let text = lines.join("\n");
        let manifest = Config::parse("infra.toml".into(), &text).unwrap();
        assert_eq!(manifest.tasks["test"].run, ["npm", "test"]);
    }

    #[test]
    fn what_cannot_be_inferred_is_stated() {
        let findings = Findings {
            name: Some("sh\"op".to_owned()),
            overlays: vec![Overlay {
                environment: "production".to_owned(),
                files: vec!["compose.yml".to_owned(), "compose.prod.yml".to_owned()],
                stands_alone: false,
                is_default: false,
            }],
            has_url: true,
            ..Findings::default()
        };
        let manifest = parsed(&findings);
        assert_eq!(manifest.project.name.as_deref(), Some("sh\"op"));
        assert_eq!(manifest.environments["production"].files, ["compose.yml", "compose.prod.yml"]);
        assert_eq!(manifest.database.url.unwrap().to_string(), "env:DATABASE_URL");
    }

    #[test]
    fn a_choice_that_is_not_ours_is_left_open() {
        let findings = Findings { candidates: vec!["a".to_owned(), "b".to_owned()], ..Findings::default() };
        assert!(parsed(&findings).database.service.is_none());
        assert!(write(&findings).contains("# service = \"b\""));
    }
}
