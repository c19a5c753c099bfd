//! Which rules of `infra.toml` hold in an environment.

use std::collections::BTreeMap;

use crate::dotenv::EnvFile;
use crate::error::Result;
use crate::manifest::EnvRule;
use crate::project::Project;

/// All but those for a variable that the templates of other environments list and this one's do not: such an environment
/// reads no file that could have it.
pub(super) fn here(project: &Project, own: &[EnvFile]) -> Result<BTreeMap<String, EnvRule>> {
    let mut rules = project.manifest().env.clone();
    if own.is_empty() {
        return Ok(rules);
    }
    let names = project.root().read_dir_utf8().into_iter().flatten().flatten();
    let is_template = |name: &str| name.starts_with(".env") && name.ends_with(".example");
    let all = names.filter(|entry| is_template(entry.file_name()));
    let all = all.map(|entry| EnvFile::read(entry.path())).collect::<Result<Vec<_>, _>>()?;
    let lists = |files: &[EnvFile], key: &str| files.iter().any(|file| file.entry(key).is_some());
    rules.retain(|key, _| lists(own, key) || !lists(&all, key));
    Ok(rules)
}
