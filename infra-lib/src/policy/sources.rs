//! The compose files as written: where a key of a service stands, across overlays, includes and `extends`.

use std::collections::BTreeSet;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::finding::Place;
use super::yaml::Tree;

/// The files, later ones winning, each after those that it includes.
#[derive(Debug)]
pub(super) struct Sources {
    root: Utf8PathBuf,
    files: Vec<Source>,
    /// How many of the files are the project's own; behind them are those that are only extended from.
    own: usize,
}

#[derive(Debug)]
struct Source {
    path: Utf8PathBuf,
    /// What its relative paths begin at.
    base: Utf8PathBuf,
    tree: Tree,
}

/// An env file that a service names.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) service: String,
    pub(super) path: Utf8PathBuf,
    pub(super) required: bool,
}

/// What one file says about a service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Definition {
    file: usize,
    line: usize,
    map: usize,
}

/// No chain of files or services is longer, unless it goes round.
const DEPTH: usize = 16;

impl Sources {
    pub(super) fn read(root: &Utf8Path, files: &[Utf8PathBuf]) -> Self {
        let mut sources = Self { root: root.to_owned(), files: Vec::new(), own: 0 };
        for path in files {
            sources.include(path, 0);
        }
        sources.own = sources.files.len();
        let mut at = 0;
        while at < sources.files.len() && at < DEPTH * DEPTH {
            for path in sources.extended(at) {
                sources.load(&path);
            }
            at += 1;
        }
        sources
    }

    fn include(&mut self, path: &Utf8Path, depth: usize) {
        if depth > DEPTH || self.files.iter().any(|known| known.path == path) {
            return;
        }
        let Some(mut source) = Source::read(path) else { return };
        if depth == 0 {
            source.base.clone_from(&self.root);
        }
        for included in source.included() {
            self.include(&included, depth + 1);
        }
        self.files.push(source);
    }

    fn load(&mut self, path: &Utf8Path) {
        if !self.files.iter().any(|known| known.path == path) {
            self.files.extend(Source::read(path));
        }
    }

    /// The other files that services of this one extend.
    fn extended(&self, at: usize) -> Vec<Utf8PathBuf> {
        let source = &self.files[at];
        let services = source.tree.at(&["services"]).map(|(_, id)| source.tree.entries(id)).unwrap_or_default();
        services.iter().filter_map(|(.., map)| source.extends(*map)?.0).collect()
    }

    /// What the files say about a service, the word that counts first.
    pub(super) fn definitions(&self, service: &str) -> Vec<Definition> {
        let mut found = Vec::new();
        for file in (0..self.own).rev() {
            let Some((line, map)) = self.files[file].tree.at(&["services", service]) else { continue };
            let mut at = Definition { file, line, map };
            for _ in 0..DEPTH {
                found.push(at);
                let source = &self.files[at.file];
                let Some((path, name)) = source.extends(at.map) else { break };
                let path = path.unwrap_or_else(|| source.path.clone());
                let Some(file) = self.files.iter().position(|known| known.path == path) else { break };
                let Some((line, map)) = self.files[file].tree.at(&["services", &name]) else { break };
                at = Definition { file, line, map };
            }
        }
        found
    }

    /// Where this key of a service stands; where no file has it, where the service is defined first.
    pub(super) fn place(&self, service: &str, keys: &[&str]) -> Place {
        let definitions = self.definitions(service);
        let stated = definitions.iter().find_map(|definition| {
            let tree = &self.files[definition.file].tree;
            let mut at = (definition.line, definition.map);
            for key in keys {
                at = match tree.entry(at.1, key) {
                    Some(next) => next,
                    // What is not there was taken out here.
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

    /// Where the item of a service's list stands that is the one; else where the list does.
    pub(super) fn item(&self, service: &str, keys: &[&str], is_it: impl Fn(&Tree, usize) -> bool) -> Place {
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

    /// Where a variable of a service's environment (or another map or list of pairs) stands.
    pub(super) fn pair(&self, service: &str, keys: &[&str], name: &str) -> Place {
        for definition in self.definitions(service) {
            let pairs = self.pairs(definition, keys);
            if let Some((_, _, line)) = pairs.into_iter().find(|(key, ..)| key == name) {
                return self.at(definition.file, line);
            }
        }
        self.place(service, keys)
    }

    /// The pairs below a key of one definition, from a map or from a list of `KEY=value`: key, value as written, line.
    pub(super) fn pairs(&self, definition: Definition, keys: &[&str]) -> Vec<(String, String, usize)> {
        let tree = &self.files[definition.file].tree;
        let Some(id) = keys.iter().try_fold(definition.map, |map, key| Some(tree.entry(map, key)?.1)) else {
            return Vec::new();
        };
        let text = |id: usize| tree.text(id).unwrap_or_default().to_owned();
        let mut found: Vec<_> =
            tree.entries(id).iter().map(|(key, line, id)| (key.clone(), text(*id), *line)).collect();
        // What is merged in stands in the map that it comes from.
        for merged in tree.entries(id).iter().filter(|(key, ..)| key == "<<").flat_map(|(.., id)| maps(tree, *id)) {
            found.extend(tree.entries(merged).iter().map(|(key, line, id)| (key.clone(), text(*id), *line)));
        }
        found.extend(tree.items(id).into_iter().filter_map(|item| {
            let (key, value) = tree.text(item)?.split_once('=')?;
            Some((key.to_owned(), value.to_owned(), tree.node(item).line))
        }));
        found
    }

    /// The env files that services name.
    pub(super) fn env_files(&self) -> Vec<Named> {
        let mut found = Vec::new();
        for (file, service) in self.services() {
            for definition in self.definitions(&service).into_iter().filter(|definition| definition.file == file) {
                let Source { tree, base, .. } = &self.files[file];
                let Some((_, list)) = tree.entry(definition.map, "env_file") else { continue };
                for item in tree.items(list) {
                    let text = |key| tree.entry(item, key).and_then(|(_, id)| tree.text(id));
                    let Some(stated) = tree.text(item).or_else(|| text("path")) else { continue };
                    let path = lexical(&base.join(stated));
                    let required = text("required") != Some("false");
                    found.push(Named { service: service.clone(), path, required });
                }
            }
        }
        found
    }

    /// Each service of each file, of any profile.
    pub(super) fn services(&self) -> Vec<(usize, String)> {
        let named = |file: usize| {
            let tree = &self.files[file].tree;
            let services = tree.at(&["services"]).map(|(_, id)| tree.entries(id)).unwrap_or_default();
            services.iter().map(move |(name, ..)| (file, name.clone())).collect::<Vec<_>>()
        };
        (0..self.own).flat_map(named).collect()
    }

    /// Each text of each file, with its place; those of services that are not wanted are left out.
    pub(super) fn texts<'a>(&'a self, wanted: &'a dyn Fn(&str) -> bool) -> impl Iterator<Item = (&'a str, Place)> {
        self.files.iter().enumerate().flat_map(move |(file, source)| {
            let services = source.tree.at(&["services"]).map(|(_, id)| source.tree.entries(id)).unwrap_or_default();
            let left_out = services.iter().filter(|(name, ..)| !wanted(name));
            let left_out: BTreeSet<usize> = left_out.flat_map(|(.., id)| source.tree.within(*id)).collect();
            let scalars = source.tree.nodes().iter().enumerate().filter_map(move |(id, node)| match &node.value {
                super::yaml::Value::Scalar(text) if !left_out.contains(&id) => Some((text.as_str(), node.line)),
                _ => None,
            });
            scalars.map(move |(text, line)| (text, self.at(file, line)))
        })
    }

    /// Where a definition's file has this line.
    pub(super) fn line(&self, definition: Definition, line: usize) -> Place {
        self.at(definition.file, line)
    }

    fn at(&self, file: usize, line: usize) -> Place {
        let path = &self.files[file].path;
        Place { file: path.strip_prefix(&self.root).unwrap_or(path).to_string(), line: Some(line) }
    }
}

/// The path without `.` and `..`, as it is written; links are not followed.
pub(super) fn lexical(path: &Utf8Path) -> Utf8PathBuf {
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

/// A map, or those of a list.
fn maps(tree: &Tree, id: usize) -> Vec<usize> {
    if tree.entries(id).is_empty() { tree.items(id) } else { vec![id] }
}

impl Source {
    fn read(path: &Utf8Path) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        let base = path.parent().unwrap_or("".into()).to_owned();
        Some(Self { path: path.to_owned(), base, tree: Tree::parse(&text) })
    }

    fn beside(&self, path: &str) -> Utf8PathBuf {
        lexical(&self.path.parent().unwrap_or("".into()).join(path))
    }

    /// The files that its `include` names.
    fn included(&self) -> Vec<Utf8PathBuf> {
        let Some((_, list)) = self.tree.at(&["include"]) else { return Vec::new() };
        let paths = self.tree.items(list).into_iter().flat_map(|item| match self.tree.entry(item, "path") {
            Some((_, paths)) => self.tree.items(paths),
            None => vec![item],
        });
        paths.filter_map(|id| self.tree.text(id)).map(|path| self.beside(path)).collect()
    }

    /// The file, unless it is this one, and the service that a service extends.
    fn extends(&self, service: usize) -> Option<(Option<Utf8PathBuf>, String)> {
        let (_, id) = self.tree.entry(service, "extends")?;
        if let Some(name) = self.tree.text(id) {
            return Some((None, name.to_owned()));
        }
        let text = |key: &str| self.tree.text(self.tree.entry(id, key)?.1);
        Some((text("file").map(|path| self.beside(path)), text("service")?.to_owned()))
    }
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
        let sources = Sources::read(root, &[base, overlay]);
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
        let sources = Sources::read(root, &[root.join("compose.yml"), last]);
        assert_eq!(at(sources.place("web", &["deploy", "resources", "limits"])), "last.yml:4");
        assert_eq!(at(sources.place("web", &["logging", "options"])), "compose.yml:4");
        assert_eq!(at(sources.item("web", &["ports"], second)), "last.yml:3");
        let sources = Sources::read(root, &[root.join("compose.yml")]);
        assert_eq!(at(sources.item("web", &["ports"], second)), "compose.yml:13");
    }
}
