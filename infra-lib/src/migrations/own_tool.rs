//! The project's own migration tool: the commands that `infra.toml` states, or those that a service's files suggest.

use camino::{Utf8Path, Utf8PathBuf};

use crate::project::Project;

use super::layout::Layout;

/// How it is called; an empty command is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OwnTool {
    /// The service that has it; none: this machine.
    pub(crate) service: Option<String>,
    pub(crate) up: Vec<String>,
    pub(crate) down: Vec<String>,
    pub(crate) status: Vec<String>,
}

/// The tool that migrates in our place. `None`: the files are of a format that we apply ourselves.
pub(crate) fn of(project: &Project) -> Option<OwnTool> {
    let stated = &project.manifest().migrations;
    if !stated.up.is_empty() {
        let (up, down, status) = (stated.up.clone(), stated.down.clone(), stated.status.clone());
        return Some(OwnTool { service: stated.service.clone(), up, down, status });
    }
    if Layout::find(project).is_ok_and(|layout| layout.tool.book().is_some()) || !project.has_services() {
        return None;
    }
    let services = &project.model().ok()?.services;
    let found = services.iter().filter_map(|(name, service)| {
        let context = Utf8PathBuf::from(service.build.as_ref()?.context.as_ref()?);
        Some(OwnTool { service: Some(name.clone()), ..suggested(&context)? })
    });
    // Several services that are built from one folder have the same tool.
    let all: Vec<OwnTool> = found.collect();
    let first = all.first()?.clone();
    all.iter().all(|other| other.up == first.up).then_some(first)
}

fn words(command: &[&str]) -> Vec<String> {
    command.iter().map(|word| (*word).to_owned()).collect()
}

/// What the files of a service's folder suggest.
fn suggested(context: &Utf8Path) -> Option<OwnTool> {
    let has = |name: &str| context.join(name).is_file();
    let tool = |up: &[&str], down: &[&str], status: &[&str]| {
        Some(OwnTool { service: None, up: words(up), down: words(down), status: words(status) })
    };
    if let Some(scripts) = scripts(context) {
        let runner = match () {
            () if has("bun.lock") || has("bun.lockb") => "bun",
            () if has("pnpm-lock.yaml") => "pnpm",
            () if has("yarn.lock") => "yarn",
            () => "npm",
        };
        let script = |names: &[&str]| {
            let name = names.iter().find(|name| scripts.iter().any(|known| known == *name));
            name.map_or_else(Vec::new, |name| words(&[runner, "run", name]))
        };
        let up = script(&["migrate", "migrate:up", "db:migrate", "migration:run"]);
        if !up.is_empty() {
            let down = script(&["migrate:rollback", "migrate:down", "db:rollback", "migration:revert"]);
            let status = script(&["migrate:status", "db:status", "migration:show"]);
            return Some(OwnTool { service: None, up, down, status });
        }
    }
    match () {
        () if has("alembic.ini") => {
            tool(&["alembic", "upgrade", "head"], &["alembic", "downgrade", "-1"], &["alembic", "current"])
        }
        () if has("manage.py") => {
            tool(&["python", "manage.py", "migrate"], &[], &["python", "manage.py", "showmigrations"])
        }
        () if has("prisma/schema.prisma") => {
            tool(&["npx", "prisma", "migrate", "deploy"], &[], &["npx", "prisma", "migrate", "status"])
        }
        () => None,
    }
}

/// The names of the scripts of `package.json`.
fn scripts(context: &Utf8Path) -> Option<Vec<String>> {
    let text = std::fs::read(context.join("package.json")).ok()?;
    let package: serde_json::Value = serde_json::from_slice(&text).ok()?;
    Some(package.get("scripts")?.as_object()?.keys().cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_services_files_suggest_its_tool() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap();
        assert_eq!(suggested(dir), None);
        std::fs::write(dir.join("alembic.ini"), "").unwrap();
        assert_eq!(suggested(dir).unwrap().down, ["alembic", "downgrade", "-1"]);
        std::fs::write(dir.join("package.json"), r#"{"scripts": {"migrate": "x", "migrate:rollback": "y"}}"#).unwrap();
        let npm = suggested(dir).unwrap();
        assert_eq!(
            (npm.up.join(" ").as_str(), npm.down.join(" ").as_str()),
            ("npm run migrate", "npm run migrate:rollback")
        );
        assert!(npm.status.is_empty());
        std::fs::write(dir.join("bun.lock"), "").unwrap();
        assert_eq!(suggested(dir).unwrap().up, ["bun", "run", "migrate"]);
    }
}
