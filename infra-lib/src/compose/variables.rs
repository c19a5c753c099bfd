//! Finding the variable behind a value in the compose files.

use std::collections::BTreeSet;

use crate::dotenv::references::{outer_references, references};

use super::sources::Sources;
use super::yaml::Value;

impl Sources {
    /// Whether a service uses a variable, also through an alias or `extends`.
    pub(crate) fn uses(&self, service: &str, variable: &str) -> bool {
        self.definitions(service).into_iter().any(|of| {
            let tree = &self.files[of.file].tree;
            let (mut queue, mut seen) = (vec![of.map], BTreeSet::new());
            while let Some(id) = queue.pop() {
                match &tree.node(id).value {
                    _ if !seen.insert(id) => {}
                    Value::Scalar(text) if references(text).iter().any(|it| it.name == variable) => return true,
                    Value::Scalar(_) => {}
                    Value::List(items) => queue.extend(items),
                    Value::Map(entries) => queue.extend(entries.iter().map(|(.., id)| *id)),
                }
            }
            false
        })
    }

    /// The variable for a published port, such as `WEB_PORT` in `${WEB_PORT:-8080}:80`.
    pub(crate) fn port_variable(&self, service: &str, target: u16) -> Option<String> {
        self.definitions(service).into_iter().find_map(|of| {
            let tree = &self.files[of.file].tree;
            let ports = tree.items(tree.entry(of.map, "ports")?.1);
            ports.into_iter().find_map(|port| {
                let field = |key| tree.text(tree.entry(port, key)?.1);
                let (published, inside) = match tree.text(port) {
                    Some(text) => rsplit_outer(text)?,
                    None => field("published").zip(field("target"))?,
                };
                (self.filled(inside).split('/').next()? == target.to_string()).then(|| last_variable(published))?
            })
        })
    }

    /// The variable for a network's subnet, such as `NET` in `${NET:-172.28.0.0/16}`, by the index of the subnet.
    pub(crate) fn subnet_variable(&self, network: &str, index: usize) -> Option<String> {
        self.files[..self.own].iter().rev().find_map(|source| {
            let tree = &source.tree;
            let (_, ranges) = tree.at(&["networks", network, "ipam", "config"])?;
            let (_, subnet) = tree.entry(*tree.items(ranges).get(index)?, "subnet")?;
            last_variable(tree.text(subnet)?)
        })
    }
}

/// Splits a text at its last colon outside of references: `${A:-1}:${B:-2}` has one.
fn rsplit_outer(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    let at = text.char_indices().rev().find_map(|(at, c)| {
        match c {
            '}' => depth += 1,
            '{' => depth = depth.saturating_sub(1),
            _ => {}
        }
        (c == ':' && depth == 0).then_some(at)
    })?;
    Some((&text[..at], &text[at + 1..]))
}

/// The last variable that is not inside another one's default: an address may come before the port.
fn last_variable(text: &str) -> Option<String> {
    Some(outer_references(text).pop()?.name.to_owned())
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;
    use crate::dotenv::Resolved;

    fn sources(text: &str) -> Sources {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        let file = root.join("compose.yml");
        std::fs::write(&file, text).unwrap();
        Sources::read(root, root, &[file], &Resolved::default())
    }

    #[test]
    fn the_variable_of_a_published_port_is_found_in_each_form() {
        let sources = sources(
            "services:\n  db:\n    ports:\n      - 127.0.0.1:${METRICS_PORT:-9187}:9187\n      \
             - {published: '${DB_PORT:-5432}', target: 5432}\n      \
             - {\"published\": \"${BIND:-127.0.0.1}:${TWICE}\", \"target\": \"80\"}\n      - 8080:8080\n      \
             - ${IP:-0.0.0.0}:$PLAIN:81/tcp\n      - '${OUTER:-${INNER:-82}}:82'\n      \
             - '${SAME:-83}:${SAME:-83}'\n",
        );
        let of = |target| sources.port_variable("db", target);
        assert_eq!(of(9187).as_deref(), Some("METRICS_PORT"));
        assert_eq!(of(5432).as_deref(), Some("DB_PORT"));
        assert_eq!(of(80).as_deref(), Some("TWICE"));
        assert_eq!(of(81).as_deref(), Some("PLAIN"));
        assert_eq!(of(82).as_deref(), Some("OUTER"));
        assert_eq!(of(83).as_deref(), Some("SAME"));
        assert_eq!(of(8080), None);
    }

    #[test]
    fn the_variable_of_a_subnet_is_found() {
        let sources = sources(
            "networks:\n  back:\n    ipam:\n      config:\n        - subnet: fd00::/64\n        \
             - subnet: ${NET:-172.28.0.0/16}\n",
        );
        assert_eq!(sources.subnet_variable("back", 1).as_deref(), Some("NET"));
        assert_eq!((sources.subnet_variable("back", 0), sources.subnet_variable("front", 0)), (None, None));
    }

    #[test]
    fn a_variable_is_not_confused_with_one_whose_name_begins_alike() {
        let sources = sources(
            "x-ports: &ports [$PLAIN:81/tcp]\nservices:\n  web: {image: 'web:${TAG}', ports: *ports}\n  db: {image: db}\n",
        );
        assert!(sources.uses("web", "TAG") && sources.uses("web", "PLAIN"));
        assert!(!sources.uses("web", "TA") && !sources.uses("web", "WEB") && !sources.uses("db", "TAG"));
    }
}
