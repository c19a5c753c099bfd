//! YAML with the line of each key: what Compose's own output no longer knows.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser};

/// A document: its nodes, of which the first is the root. An alias has the number of what it stands for, so that each node
/// is there once.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

/// A node and the line that it begins in, from 1.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    /// Whether it says by `!override` or `!reset` that nothing of other files is left.
    pub(super) is_final: bool,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Scalar(String),
    List(Vec<usize>),
    /// Each key with its own line.
    Map(Vec<(String, usize, usize)>),
}

/// A collection that is still being read.
struct Open {
    id: usize,
    /// In a map: the key whose value comes next.
    key: Option<(String, usize)>,
}

impl Tree {
    /// The first document of a text, as far as it is YAML: Compose has the last word on whether it is.
    pub(super) fn parse(text: &str) -> Self {
        let mut tree = Self::default();
        let (mut open, mut anchors): (Vec<Open>, BTreeMap<usize, usize>) = (Vec::new(), BTreeMap::new());
        for event in Parser::new_from_str(text) {
            let Ok((event, span)) = event else { break };
            let line = span.start.line();
            let (anchor, tag, value) = match event {
                Event::Scalar(text, _, anchor, tag) => (anchor, tag, Value::Scalar(text.into_owned())),
                Event::SequenceStart(anchor, tag) => (anchor, tag, Value::List(Vec::new())),
                Event::MappingStart(anchor, tag) => (anchor, tag, Value::Map(Vec::new())),
                Event::Alias(anchor) => {
                    if let Some(&id) = anchors.get(&anchor) {
                        tree.put(&mut open, id, line);
                    }
                    continue;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    open.pop();
                    continue;
                }
                Event::DocumentEnd => break,
                _ => continue,
            };
            let id = tree.nodes.len();
            let is_collection = !matches!(value, Value::Scalar(_));
            let is_final = tag.is_some_and(|tag| matches!(tag.suffix.as_str(), "override" | "reset"));
            tree.nodes.push(Node { line, is_final, value });
            if anchor > 0 {
                anchors.insert(anchor, id);
            }
            tree.put(&mut open, id, line);
            if is_collection {
                open.push(Open { id, key: None });
            }
        }
        tree
    }

    /// Puts a node where the innermost open collection wants it.
    fn put(&mut self, open: &mut [Open], id: usize, line: usize) {
        let Some(within) = open.last_mut() else { return };
        let key = match &self.nodes[id].value {
            Value::Scalar(text) => text.clone(),
            _ => String::new(),
        };
        match &mut self.nodes[within.id].value {
            Value::List(items) => items.push(id),
            Value::Map(entries) => match within.key.take() {
                Some((key, line)) => entries.push((key, line, id)),
                None => within.key = Some((key, line)),
            },
            Value::Scalar(_) => {}
        }
    }

    pub(super) fn root(&self) -> Option<usize> {
        (!self.nodes.is_empty()).then_some(0)
    }

    pub(super) fn node(&self, id: usize) -> &Node {
        &self.nodes[id]
    }

    /// Every node once, keys of maps among them.
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// An entry of a map, also of one that is merged in with `<<`: the line of its key, and its value.
    pub(super) fn entry(&self, map: usize, key: &str) -> Option<(usize, usize)> {
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
    pub(super) fn entries(&self, map: usize) -> &[(String, usize, usize)] {
        match &self.nodes[map].value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; a single scalar is a list of one.
    pub(super) fn items(&self, list: usize) -> Vec<usize> {
        match &self.nodes[list].value {
            Value::List(items) => items.clone(),
            Value::Scalar(_) => vec![list],
            Value::Map(_) => Vec::new(),
        }
    }

    /// The nodes that stand within one, itself among them; what an alias stands for is elsewhere, and came before.
    pub(super) fn within(&self, id: usize) -> Vec<usize> {
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

    pub(super) fn text(&self, id: usize) -> Option<&str> {
        match &self.nodes[id].value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The node at the end of these keys.
    pub(super) fn at(&self, keys: &[&str]) -> Option<(usize, usize)> {
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
        let tree = Tree::parse(
            "# first\nx-base: &base\n  restart: always\n  logging: {driver: local}\nservices:\n  web:\n    <<: *base\n    image: x\n  \
             db:\n    <<: [*base]\n    ports:\n      - 1:2\n      - 3:4\n    command: >-\n      a\n      b\n    user: !reset null\n",
        );
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
    fn what_is_no_yaml_has_nothing_and_stops_nobody() {
        for text in ["", "a: [", "\t", "*nobody", "- a\n- {b: *x}\n", "a: &a [*a]"] {
            let tree = Tree::parse(text);
            assert_eq!(tree.at(&["services", "db"]), None, "{text:?}");
        }
    }
}
