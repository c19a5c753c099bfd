//! The compose files as written: where a key of a service is defined, across overlays, includes and `extends`.

use std::collections::BTreeSet;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use crate::dotenv::{Resolved, interpolate};
use crate::exec::inherited;

use super::yaml::{Tree, Value, YamlError};

/// A location in a file of the project.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The path relative to the project, or absolute if it is outside.
    pub(crate) file: String,
    /// The line, from 1; `None` for the complete file.
    pub(crate) line: Option<usize>,
}

/// The files in order of precedence, each after those that it includes. Each document of a file counts separately.
#[derive(Debug)]
pub(crate) struct Sources {
    root: Utf8PathBuf,
    variables: Resolved,
    pub(super) files: Vec<Source>,
    /// The number of the project's own files. Files that are only used by `extends` follow.
    pub(super) own: usize,
    error: Option<(Utf8PathBuf, YamlError)>,
}

#[derive(Debug)]
pub(super) struct Source {
    path: Utf8PathBuf,
    /// The folder to which its relative paths refer.
    pub(super) base: Utf8PathBuf,
    /// Whether it is one of the given files. Only these name the project.
    pub(super) is_given: bool,
    pub(super) tree: Tree,
}

/// The definition of a service in one file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Definition {
    pub(super) file: usize,
    line: usize,
    pub(super) map: usize,
}

/// The maximum length of a chain of files or services; longer ones are cycles.
pub(super) const DEPTH: usize = 16;

impl Sources {
    /// Reads the files. Locations are relative to `root`; paths in the files are relative to `directory`, the compose
    /// project's folder. The variables are used in file names.
    pub(crate) fn read(root: &Utf8Path, directory: &Utf8Path, files: &[Utf8PathBuf], variables: &Resolved) -> Self {
        let (root, variables) = (root.to_owned(), variables.clone());
        let mut sources = Self { root, variables, files: Vec::new(), own: 0, error: None };
        for path in files {
            sources.include(path, directory, 0);
        }
        sources.own = sources.files.len();
        let mut at = 0;
        while at < sources.files.len() && at < DEPTH * DEPTH {
            for path in sources.extended(at) {
                if !sources.has(&path) {
                    let base = path.parent().unwrap_or("".into()).to_owned();
                    let documents = sources.load(&path, &base, false);
                    sources.files.extend(documents);
                }
            }
            at += 1;
        }
        sources
    }

    /// The first file that is not valid YAML, and the error.
    pub(crate) fn error(&self) -> Option<(&Utf8Path, &YamlError)> {
        self.error.as_ref().map(|(path, error)| (path.as_path(), error))
    }

    /// The paths of all files that exist, each once.
    pub(crate) fn paths(&self) -> BTreeSet<&Utf8Path> {
        self.files.iter().map(|source| source.path.as_path()).collect()
    }

    fn has(&self, path: &Utf8Path) -> bool {
        self.files.iter().any(|known| known.path == path)
    }

    fn include(&mut self, path: &Utf8Path, base: &Utf8Path, depth: usize) {
        if depth > DEPTH || self.has(path) {
            return;
        }
        for source in self.load(path, base, depth == 0) {
            for (included, base) in self.included(&source) {
                self.include(&included, &base, depth + 1);
            }
            self.files.push(source);
        }
    }

    /// Loads a file. A missing file has no documents; Compose reports it.
    fn load(&mut self, path: &Utf8Path, base: &Utf8Path, is_given: bool) -> Vec<Source> {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let trees = Tree::parse(&text).unwrap_or_else(|error| {
            self.error.get_or_insert_with(|| (path.to_owned(), error));
            Vec::new()
        });
        let source = |tree| Source { path: path.to_owned(), base: base.to_owned(), is_given, tree };
        trees.into_iter().map(source).collect()
    }

    /// The text with variables replaced, or as written if a required variable is missing.
    pub(super) fn filled(&self, text: &str) -> String {
        let lookup = |name: &str| self.variables.value(name).map(str::to_owned).or_else(|| inherited(name));
        interpolate(text, lookup).map_or_else(|_| text.to_owned(), |filled| filled.value.to_string())
    }

    /// The files in a file's `include`, each with its base folder.
    fn included(&self, source: &Source) -> Vec<(Utf8PathBuf, Utf8PathBuf)> {
        let tree = &source.tree;
        let Some((_, list)) = tree.at(&["include"]) else { return Vec::new() };
        let mut found = Vec::new();
        for item in tree.items_or_map(list) {
            let paths = tree.entry(item, "path").map_or(item, |(_, paths)| paths);
            let path = |id: usize| Some(lexical(&source.base.join(self.filled(tree.text(id)?))));
            let paths: Vec<_> = tree.items(paths).into_iter().filter_map(path).collect();
            let folder = paths.first().and_then(|path| path.parent()).map(Utf8Path::to_owned);
            let stated = tree.entry(item, "project_directory").and_then(|(_, id)| path(id));
            let Some(base) = stated.or(folder) else { continue };
            found.extend(paths.into_iter().map(|path| (path, base.clone())));
        }
        found
    }

    /// The file (unless it is the same one) and the service that a service extends.
    fn extends(&self, source: &Source, service: usize) -> Option<(Option<Utf8PathBuf>, String)> {
        let tree = &source.tree;
        let (_, id) = tree.entry(service, "extends")?;
        if let Some(name) = tree.text(id) {
            return Some((None, self.filled(name)));
        }
        let text = |key: &str| tree.text(tree.entry(id, key)?.1).map(|text| self.filled(text));
        Some((text("file").map(|path| lexical(&source.base.join(path))), text("service")?))
    }

    /// The other files whose services this one extends.
    fn extended(&self, at: usize) -> Vec<Utf8PathBuf> {
        let source = &self.files[at];
        let services = source.tree.at(&["services"]).map(|(_, id)| source.tree.entries(id)).unwrap_or_default();
        services.iter().filter_map(|(.., map)| self.extends(source, *map)?.0).collect()
    }

    /// The definition that another one extends.
    pub(super) fn parent(&self, of: Definition) -> Option<Definition> {
        let source = &self.files[of.file];
        let (path, name) = self.extends(source, of.map)?;
        let path = path.unwrap_or_else(|| source.path.clone());
        let mut files = (0..self.files.len()).rev().filter(|&file| self.files[file].path == path);
        files.find_map(|file| self.definition(file, &name))
    }

    pub(super) fn definition(&self, file: usize, service: &str) -> Option<Definition> {
        let (line, map) = self.files[file].tree.at(&["services", service])?;
        Some(Definition { file, line, map })
    }

    /// All definitions of a service, in order of precedence.
    pub(crate) fn definitions(&self, service: &str) -> Vec<Definition> {
        let mut found = Vec::new();
        for file in (0..self.own).rev() {
            let own = self.definition(file, service);
            found.extend(std::iter::successors(own, |&of| self.parent(of)).take(DEPTH));
        }
        found
    }

    /// The location of a service's key, or the first definition of the service if no file has the key.
    pub(crate) fn place(&self, service: &str, keys: &[&str]) -> Place {
        let definitions = self.definitions(service);
        let stated = definitions.iter().find_map(|definition| {
            let tree = &self.files[definition.file].tree;
            let mut at = (definition.line, definition.map);
            for key in keys {
                at = match tree.entry(at.1, key) {
                    Some(next) => next,
                    // A key that is missing here was removed here.
                    None if tree.node(at.1).is_final => break,
                    None => return None,
                };
            }
            Some(self.at(definition.file, at.0))
        });
        stated.unwrap_or_else(|| match definitions.iter().min_by_key(|definition| definition.file) {
            Some(first) => self.at(first.file, first.line),
            None => self.files.first().map(|_| Place { line: None, ..self.at(0, 1) }).unwrap_or_default(),
        })
    }

    /// The location of the matching item in a service's list, or of the list.
    pub(crate) fn item(&self, service: &str, keys: &[&str], is_it: impl Fn(&Tree, usize) -> bool) -> Place {
        for definition in self.definitions(service) {
            let tree = &self.files[definition.file].tree;
            let list = keys.iter().try_fold(definition.map, |map, key| Some(tree.entry(map, key)?.1));
            let items = list.map(|list| tree.items(list)).unwrap_or_default();
            if let Some(item) = items.into_iter().find(|&item| is_it(tree, item)) {
                return self.at(definition.file, tree.node(item).line);
            }
            if list.is_some_and(|list| tree.node(list).is_final) {
                break;
            }
        }
        self.place(service, keys)
    }

    /// The location of a variable in a service's environment, or in another map or list of pairs.
    pub(crate) fn pair(&self, service: &str, keys: &[&str], name: &str) -> Place {
        for definition in self.definitions(service) {
            let pairs = self.pairs(definition, keys);
            if let Some((_, _, line)) = pairs.into_iter().find(|(key, ..)| key == name) {
                return self.at(definition.file, line);
            }
        }
        self.place(service, keys)
    }

    /// The pairs below a key of one definition, from a map or from a list of `KEY=value`: key, value as written,
    /// line.
    pub(crate) fn pairs(&self, definition: Definition, keys: &[&str]) -> Vec<(String, String, usize)> {
        let tree = &self.files[definition.file].tree;
        let Some(id) = keys.iter().try_fold(definition.map, |map, key| Some(tree.entry(map, key)?.1)) else {
            return Vec::new();
        };
        let text = |id: usize| tree.text(id).unwrap_or_default().to_owned();
        let mut found: Vec<_> =
            tree.entries(id).iter().map(|(key, line, id)| (key.clone(), text(*id), *line)).collect();
        // Merged entries are located in the map that they come from.
        for merged in tree.entries(id).iter().filter(|(key, ..)| key == "<<").flat_map(|(.., id)| maps(tree, *id)) {
            found.extend(tree.entries(merged).iter().map(|(key, line, id)| (key.clone(), text(*id), *line)));
        }
        found.extend(tree.items(id).into_iter().filter_map(|item| {
            let (key, value) = tree.text(item)?.split_once('=')?;
            Some((key.to_owned(), value.to_owned(), tree.node(item).line))
        }));
        found
    }

    /// The names of the services in all files and profiles.
    pub(crate) fn services(&self) -> BTreeSet<String> {
        let named = |source: &Source| {
            let services = source.tree.at(&["services"]).map(|(_, id)| source.tree.entries(id)).unwrap_or_default();
            services.iter().filter(|(name, ..)| name != "<<").map(|(name, ..)| name.clone()).collect::<Vec<_>>()
        };
        self.files[..self.own].iter().flat_map(named).collect()
    }

    /// All texts of all files with their locations, except those of unwanted services.
    pub(crate) fn texts<'a>(&'a self, wanted: &'a dyn Fn(&str) -> bool) -> impl Iterator<Item = (&'a str, Place)> {
        self.files.iter().enumerate().flat_map(move |(file, source)| {
            let services = source.tree.at(&["services"]).map(|(_, id)| source.tree.entries(id)).unwrap_or_default();
            let left_out = services.iter().filter(|(name, ..)| !wanted(name));
            let left_out: BTreeSet<usize> = left_out.flat_map(|(.., id)| source.tree.within(*id)).collect();
            let scalars = source.tree.nodes().iter().enumerate().filter_map(move |(id, node)| match &node.value {
                Value::Scalar(text) if !left_out.contains(&id) => Some((text.as_str(), node.line)),
                _ => None,
            });
            scalars.map(move |(text, line)| (text, self.at(file, line)))
        })
    }

    /// The location of a line in a definition's file.
    pub(crate) fn line(&self, definition: Definition, line: usize) -> Place {
        self.at(definition.file, line)
    }

    fn at(&self, file: usize, line: usize) -> Place {
        let path = &self.files[file].path;
        Place { file: path.strip_prefix(&self.root).unwrap_or(path).to_string(), line: Some(line) }
    }
}

/// Removes `.` and `..` from a path without following links.
pub(crate) fn lexical(path: &Utf8Path) -> Utf8PathBuf {
    let mut out = Utf8PathBuf::new();
    for part in path.components() {
        match part {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// A map, or the maps in a list.
fn maps(tree: &Tree, id: usize) -> Vec<usize> {
    if tree.entries(id).is_empty() { tree.items(id) } else { vec![id] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stands_in_the_overlay_the_base_the_extended_or_the_included_file() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(root.join(name), text).unwrap();
            root.join(name)
        };
        write("common.yml", "services:\n  app:\n    restart: always\n    user: root\n");
        write("cache.yml", "services:\n  cache:\n    image: redis:7\n");
        let base = write(
            "compose.yml",
            "include:\n  - cache.yml\nservices:\n  web:\n    extends:\n      file: ./common.yml\n      service: app\n    environment:\n      \
             - A=1\n      - B=2\n    ports:\n      - 80:80\n      - 81:81\n",
        );
        let overlay = write("prod.yml", "services:\n  web:\n    environment: {B: x}\n    ports: !reset []\n");
        let sources = Sources::read(root, root, &[base, overlay], &Resolved::default());
        let place = |keys: &[&str]| sources.place("web", keys).line.map(|line| (sources.place("web", keys).file, line));
        assert_eq!(place(&["user"]), Some(("common.yml".to_owned(), 4)));
        assert_eq!(place(&["ports"]), Some(("prod.yml".to_owned(), 4)));
        assert_eq!(place(&["healthcheck"]), Some(("compose.yml".to_owned(), 4)));
        let at = |place: Place| format!("{}:{}", place.file, place.line.unwrap_or(0));
        assert_eq!(at(sources.place("cache", &["image"])), "cache.yml:3");
        assert_eq!(at(sources.pair("web", &["environment"], "A")), "compose.yml:9");
        assert_eq!(at(sources.pair("web", &["environment"], "B")), "prod.yml:3");
        let second = |tree: &Tree, item: usize| tree.text(item) == Some("81:81");
        assert_eq!(at(sources.item("web", &["ports"], second)), "prod.yml:4", "what was taken out is not looked for");
        assert_eq!(at(sources.place("nobody", &[])), "cache.yml:0");
        let last = write("last.yml", "services:\n  web:\n    ports: !override []\n    deploy: !override {}\n");
        let sources = Sources::read(root, root, &[root.join("compose.yml"), last], &Resolved::default());
        assert_eq!(at(sources.place("web", &["deploy", "resources", "limits"])), "last.yml:4");
        assert_eq!(at(sources.place("web", &["logging", "options"])), "compose.yml:4");
        assert_eq!(at(sources.item("web", &["ports"], second)), "last.yml:3");
        let sources = Sources::read(root, root, &[root.join("compose.yml")], &Resolved::default());
        assert_eq!(at(sources.item("web", &["ports"], second)), "compose.yml:13");
    }
}
