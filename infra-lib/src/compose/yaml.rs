//! Parsing YAML with line numbers.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScanError};

/// The maximum size of a compose file in bytes. Larger ones are rejected before aliases are expanded.
const MAX_BYTES: usize = 4 << 20;
const MAX_DEPTH: usize = 100;
/// The maximum number of nodes in a document with all aliases expanded.
const MAX_NODES: usize = 1_000_000;

/// Why a text cannot be parsed as YAML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum YamlError {
    /// The syntax is invalid.
    #[error("line {line}: invalid YAML: {reason}")]
    Invalid {
        /// The line, from 1.
        line: usize,
        /// The message of the parser.
        reason: String,
    },
    /// A limit is exceeded.
    #[error("line {line}: too large: more than {bound}")]
    TooLarge {
        /// The line, from 1.
        line: usize,
        /// The limit, with its unit.
        bound: String,
    },
}

/// A document: its nodes, of which the first is the root. An alias has the index of the node that it refers to, so
/// that each node is stored once.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
}

/// A node and its first line, from 1.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) line: usize,
    /// Whether `!override` or `!reset` discards the values of other files.
    pub(crate) is_final: bool,
    pub(crate) value: Value,
}

#[derive(Debug)]
pub(crate) enum Value {
    Scalar(String),
    List(Vec<usize>),
    /// Each key with its line and value.
    Map(Vec<(String, usize, usize)>),
}

/// A collection that is still being parsed.
struct Open {
    id: usize,
    /// In a map: the key whose value comes next.
    key: Option<(String, usize)>,
}

/// A document that is still being parsed.
#[derive(Default)]
struct Reader {
    tree: Tree,
    open: Vec<Open>,
    anchors: BTreeMap<usize, usize>,
    /// The size of each node in nodes, with aliases expanded; 0 for an open collection.
    sizes: Vec<usize>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), YamlError> {
        let (anchor, tag, value) = match event {
            Event::Scalar(text, _, anchor, tag) => (anchor, tag, Value::Scalar(text.into_owned())),
            Event::SequenceStart(anchor, tag) => (anchor, tag, Value::List(Vec::new())),
            Event::MappingStart(anchor, tag) => (anchor, tag, Value::Map(Vec::new())),
            Event::Alias(anchor) => {
                let Some(&id) = self.anchors.get(&anchor) else { return Ok(()) };
                if self.sizes[id] == 0 {
                    let reason = "an alias refers to the node that contains it".to_owned();
                    return Err(YamlError::Invalid { line, reason });
                }
                self.put(id, line);
                return Ok(());
            }
            Event::SequenceEnd | Event::MappingEnd => return self.close(line),
            _ => return Ok(()),
        };
        let id = self.tree.nodes.len();
        let is_collection = !matches!(value, Value::Scalar(_));
        let is_final = tag.is_some_and(|tag| matches!(tag.suffix.as_str(), "override" | "reset"));
        self.tree.nodes.push(Node { line, is_final, value });
        self.sizes.push(usize::from(!is_collection));
        if anchor > 0 {
            self.anchors.insert(anchor, id);
        }
        self.put(id, line);
        if is_collection {
            self.open.push(Open { id, key: None });
        }
        if self.open.len() > MAX_DEPTH {
            return Err(YamlError::TooLarge { line, bound: format!("{MAX_DEPTH} levels") });
        }
        Ok(())
    }

    fn close(&mut self, line: usize) -> Result<(), YamlError> {
        let Some(Open { id, .. }) = self.open.pop() else { return Ok(()) };
        let size = |id: &usize| self.sizes[*id];
        let within = match &self.tree.nodes[id].value {
            Value::Scalar(_) => 0,
            Value::List(items) => items.iter().map(size).fold(0, usize::saturating_add),
            Value::Map(entries) => entries.iter().map(|(.., id)| size(id)).fold(0, usize::saturating_add),
        };
        self.sizes[id] = within.saturating_add(1);
        if self.sizes[id] > MAX_NODES {
            return Err(YamlError::TooLarge { line, bound: format!("{MAX_NODES} nodes with its aliases replaced") });
        }
        Ok(())
    }

    /// Adds a node to the innermost open collection.
    fn put(&mut self, id: usize, line: usize) {
        let Some(within) = self.open.last_mut() else { return };
        let key = match &self.tree.nodes[id].value {
            Value::Scalar(text) => text.clone(),
            _ => String::new(),
        };
        match &mut self.tree.nodes[within.id].value {
            Value::List(items) => items.push(id),
            Value::Map(entries) => match within.key.take() {
                Some((key, line)) => entries.push((key, line, id)),
                None => within.key = Some((key, line)),
            },
            Value::Scalar(_) => {}
        }
    }
}

impl Tree {
    /// Parses the documents of a text. Compose merges them like files.
    pub(crate) fn parse(text: &str) -> Result<Vec<Self>, YamlError> {
        if text.len() > MAX_BYTES {
            return Err(YamlError::TooLarge { line: 1, bound: format!("{MAX_BYTES} bytes") });
        }
        let mut documents = Vec::new();
        let mut reader = Reader::default();
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error: ScanError| YamlError::Invalid {
                line: error.marker().line(),
                reason: error.info().to_owned(),
            })?;
            if matches!(event, Event::DocumentEnd) {
                documents.push(std::mem::take(&mut reader).tree);
            } else {
                reader.take(event, span.start.line())?;
            }
        }
        Ok(documents)
    }

    pub(crate) fn root(&self) -> Option<usize> {
        (!self.nodes.is_empty()).then_some(0)
    }

    pub(crate) fn node(&self, id: usize) -> &Node {
        &self.nodes[id]
    }

    /// All nodes once, including keys of maps.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// An entry of a map, including those merged with `<<`: the line of its key, and its value.
    pub(crate) fn entry(&self, map: usize, key: &str) -> Option<(usize, usize)> {
        let Value::Map(entries) = &self.nodes[map].value else { return None };
        if let Some((_, line, id)) = entries.iter().rev().find(|(known, ..)| known == key) {
            return Some((*line, *id));
        }
        let merged = entries.iter().filter(|(known, ..)| known == "<<").map(|(.., id)| *id);
        let mut maps = merged.flat_map(|id| match &self.nodes[id].value {
            Value::List(several) => several.clone(),
            _ => vec![id],
        });
        maps.find_map(|map| self.entry(map, key))
    }

    /// The keys of a map with their lines and values.
    pub(crate) fn entries(&self, map: usize) -> &[(String, usize, usize)] {
        match &self.nodes[map].value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list. A single scalar counts as a list of one item.
    pub(crate) fn items(&self, list: usize) -> Vec<usize> {
        match &self.nodes[list].value {
            Value::List(items) => items.clone(),
            Value::Scalar(_) => vec![list],
            Value::Map(_) => Vec::new(),
        }
    }

    /// The items of a list. Anything else counts as a list of one item.
    pub(crate) fn items_or_map(&self, list: usize) -> Vec<usize> {
        match &self.nodes[list].value {
            Value::List(items) => items.clone(),
            _ => vec![list],
        }
    }

    /// The node and all nodes inside it. Targets of aliases are not included, since they were defined earlier.
    pub(crate) fn within(&self, id: usize) -> Vec<usize> {
        let (mut found, mut queue) = (Vec::new(), vec![id]);
        while let Some(at) = queue.pop() {
            found.push(at);
            match &self.nodes[at].value {
                Value::Scalar(_) => {}
                Value::List(items) => queue.extend(items.iter().filter(|&&item| item > at)),
                Value::Map(entries) => queue.extend(entries.iter().map(|(.., id)| *id).filter(|&id| id > at)),
            }
        }
        found
    }

    pub(crate) fn text(&self, id: usize) -> Option<&str> {
        match &self.nodes[id].value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The node at the path of these keys.
    pub(crate) fn at(&self, keys: &[&str]) -> Option<(usize, usize)> {
        let root = self.root()?;
        let mut found = (self.node(root).line, root);
        for key in keys {
            found = self.entry(found.1, key)?;
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_with_its_line_through_anchors_and_merges() {
        let documents = Tree::parse(
            "# first\nx-base: &base\n  restart: always\n  logging: {driver: local}\nservices:\n  web:\n    <<: *base\n    image: x\n  \
             db:\n    <<: [*base]\n    ports:\n      - 1:2\n      - 3:4\n    command: >-\n      a\n      b\n    user: !reset null\n",
        );
        let tree = &documents.unwrap()[0];
        let line = |keys: &[&str]| tree.at(keys).map(|(line, _)| line);
        assert_eq!(line(&["services", "web", "restart"]), Some(3));
        assert_eq!(line(&["services", "db", "logging", "driver"]), Some(4));
        assert_eq!(line(&["services", "web", "image"]), Some(8));
        assert_eq!((line(&["services", "db", "user"]), line(&["services", "db", "image"])), (Some(17), None));
        let (_, ports) = tree.at(&["services", "db", "ports"]).unwrap();
        let lines: Vec<usize> = tree.items(ports).into_iter().map(|item| tree.node(item).line).collect();
        assert_eq!(lines, [12, 13]);
    }

    #[test]
    fn invalid_yaml_is_an_error_with_its_line() {
        for (text, line) in [("a: }\n", 1), ("b: 1\na: *unknown\n", 2), ("b: 1\na: &a [*a]\n", 2)] {
            assert!(
                matches!(Tree::parse(text), Err(YamlError::Invalid { line: found, .. }) if found == line),
                "{text:?}"
            );
        }
        assert!(Tree::parse("").unwrap().iter().all(|tree| tree.at(&["services"]).is_none()));
        assert_eq!(Tree::parse("a: 1\n---\nname: x\n").unwrap().len(), 2);
    }

    #[test]
    fn nested_aliases_and_deep_nesting_are_bounded() {
        use std::fmt::Write as _;

        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            writeln!(laughs, "a{level}: &a{level} [{aliases}]").unwrap();
        }
        for text in [laughs, format!("a: {}{}", "[".repeat(200), "]".repeat(200)), "#".repeat(MAX_BYTES + 1)] {
            assert!(matches!(Tree::parse(&text), Err(YamlError::TooLarge { .. })), "{}", text.len());
        }
    }
}
