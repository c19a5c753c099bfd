//! The project's own migration commands, from `infra.toml` or from the scripts in a service's package.json.

use camino::Utf8Path;

use crate::project::Project;

use super::tools::place::context;

/// The commands to run; an empty one is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OwnTool {
    /// The service that runs them; `None` means this machine.
    pub(crate) service: Option<String>,
    pub(crate) up: Vec<String>,
    pub(crate) down: Vec<String>,
    pub(crate) status: Vec<String>,
}

/// The commands configured in infra.toml.
pub(crate) fn configured(project: &Project) -> Option<OwnTool> {
    let stated = &project.config().migrations;
    let (up, down, status) = (stated.up.clone(), stated.down.clone(), stated.status.clone());
    (!up.is_empty()).then(|| OwnTool { service: stated.service.clone(), up, down, status })
}

/// Commands derived from the scripts in a service's package.json.
pub(super) fn suggested(project: &Project) -> Option<OwnTool> {
    if !project.has_services() {
        return None;
    }
    let found = project
        .model()
        .ok()?
        .services
        .keys()
        .filter_map(|name| Some(OwnTool { service: Some(name.clone()), ..scripted(&context(project, name)?)? }));
    // Several services built from one folder have the same tool.
    let all: Vec<OwnTool> = found.collect();
    let first = all.first()?.clone();
    all.iter().all(|other| other.up == first.up).then_some(first)
}

fn words(command: &[&str]) -> Vec<String> {
    command.iter().map(|word| (*word).to_owned()).collect()
}

/// Commands derived from the package.json in one folder.
fn scripted(context: &Utf8Path) -> Option<OwnTool> {
    let has = |name: &str| context.join(name).is_file();
    let scripts = scripts(context)?;
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
    let down = script(&["migrate:rollback", "migrate:down", "db:rollback", "migration:revert"]);
    let status = script(&["migrate:status", "db:status", "migration:show"]);
    (!up.is_empty()).then_some(OwnTool { service: None, up, down, status })
}

/// The names of the scripts in `package.json`.
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
        assert_eq!(scripted(dir), None);
        std::fs::write(dir.join("package.json"), r#"{"scripts": {"migrate": "x", "migrate:rollback": "y"}}"#).unwrap();
        let npm = scripted(dir).unwrap();
        assert_eq!(
            (npm.up.join(" ").as_str(), npm.down.join(" ").as_str()),
            ("npm run migrate", "npm run migrate:rollback")
        );
        assert!(npm.status.is_empty());
        std::fs::write(dir.join("bun.lock"), "").unwrap();
        assert_eq!(scripted(dir).unwrap().up, ["bun", "run", "migrate"]);
    }
}
