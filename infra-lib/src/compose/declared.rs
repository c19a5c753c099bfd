//! Declarations in the compose files other than the services themselves: env files, the project's name, profiles,
//! mounts.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use super::sources::{DEPTH, Definition, Source, Sources, lexical};

/// An env file listed in a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) service: String,
    pub(crate) path: Utf8PathBuf,
    pub(crate) required: bool,
}

/// A bind mount at or below a folder in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mounted {
    /// The file or folder on this machine.
    pub(crate) source: Utf8PathBuf,
    /// Its path below that folder; empty for the folder itself.
    pub(crate) below: String,
}

impl Sources {
    /// The env files of all services, merged like Compose does.
    pub(crate) fn env_files(&self) -> Vec<Named> {
        let mut found = Vec::new();
        for service in self.services() {
            let mut files = Vec::new();
            for own in (0..self.own).filter_map(|file| self.definition(file, &service)) {
                self.add_env_files(own, &service, 0, &mut files);
            }
            found.extend(files);
        }
        found
    }

    fn add_env_files(&self, of: Definition, service: &str, depth: usize, found: &mut Vec<Named>) {
        if let Some(parent) = self.parent(of).filter(|_| depth < DEPTH) {
            self.add_env_files(parent, service, depth + 1, found);
        }
        let Source { tree, base, .. } = &self.files[of.file];
        let Some((_, list)) = tree.entry(of.map, "env_file") else { return };
        if tree.node(list).is_final {
            found.clear();
        }
        for item in tree.items(list) {
            let text = |key| tree.entry(item, key).and_then(|(_, id)| tree.text(id));
            let Some(path) = tree.text(item).or_else(|| text("path")).map(|text| self.filled(text)) else { continue };
            let required = text("required").is_none_or(|required| self.filled(required) != "false");
            if !path.is_empty() {
                found.push(Named { service: service.to_owned(), path: lexical(&base.join(path)), required });
            }
        }
    }

    /// The project name in the files, as written. The last one applies.
    pub(crate) fn name(&self) -> Option<&str> {
        let mut given = self.files[..self.own].iter().rev().filter(|source| source.is_given);
        given.find_map(|source| source.tree.text(source.tree.at(&["name"])?.1))
    }

    /// The profiles that services use.
    pub(crate) fn profiles(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for definition in self.services().iter().flat_map(|service| self.definitions(service)) {
            let tree = &self.files[definition.file].tree;
            let Some((_, list)) = tree.entry(definition.map, "profiles") else { continue };
            found.extend(tree.items(list).into_iter().filter_map(|item| Some(self.filled(tree.text(item)?))));
        }
        found
    }

    /// Whether each service has an image or a build, so that the files are a complete project.
    pub(crate) fn is_complete(&self) -> bool {
        let has = |of: &Definition, key| self.files[of.file].tree.entry(of.map, key).is_some();
        self.services()
            .iter()
            .all(|service| self.definitions(service).iter().any(|of| has(of, "image") || has(of, "build")))
    }

    /// The bind mounts of services at or below this folder of the container.
    pub(crate) fn mounted_at(&self, folder: &str) -> Vec<Mounted> {
        let mut found = Vec::new();
        for of in self.services().iter().flat_map(|service| self.definitions(service)) {
            let Source { tree, base, .. } = &self.files[of.file];
            let Some((_, list)) = tree.entry(of.map, "volumes") else { continue };
            for item in tree.items(list) {
                let field = |key| tree.entry(item, key).and_then(|(_, id)| Some(self.filled(tree.text(id)?)));
                let both = match tree.text(item).map(|text| self.filled(text)) {
                    Some(text) => {
                        let mut parts = text.split(':').map(str::to_owned);
                        parts.next().zip(parts.next())
                    }
                    None => field("source").zip(field("target")),
                };
                let Some((source, target)) = both else { continue };
                let below = target.trim_end_matches('/').strip_prefix(folder);
                let below = below.filter(|rest| rest.is_empty() || rest.starts_with('/'));
                // Anything else is the name of a volume.
                if let Some(below) = below.filter(|_| source.starts_with(['.', '/'])) {
                    let source = lexical(&base.join(source));
                    let mounted = Mounted { source, below: below.trim_start_matches('/').to_owned() };
                    if !found.contains(&mounted) {
                        found.push(mounted);
                    }
                }
            }
        }
        found
    }

    /// The value of a container's variable in the files, as written; `None` if there are several.
    pub(crate) fn environment_value(&self, key: &str) -> Option<String> {
        let services = self.services();
        let value = |service: &String| {
            let pairs = self.definitions(service).into_iter().flat_map(|of| self.pairs(of, &["environment"]));
            pairs.filter(|(name, value, _)| name == key && !value.is_empty()).map(|(_, value, _)| value).next()
        };
        let values: BTreeSet<String> = services.iter().filter_map(value).collect();
        values.first().filter(|_| values.len() == 1).cloned()
    }
}
