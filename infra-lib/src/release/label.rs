//! The labels that a deploy gives to containers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The labels of a service's containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    /// The number of the deploy that made them.
    pub(crate) number: u64,
    /// The release's id.
    pub(crate) release: String,
    /// The digest of everything that defines them.
    pub(crate) definition: String,
}

impl Label {
    const NUMBER: &'static str = "infra.deploy";
    const RELEASE: &'static str = "infra.release";
    const DEFINITION: &'static str = "infra.definition";

    /// From the labels of a container; `None` if no deploy made it.
    pub(crate) fn from_labels(labels: &BTreeMap<String, String>) -> Option<Self> {
        Self::read(|key| labels.get(key).map(String::as_str))
    }

    fn read<'l>(label: impl Fn(&str) -> Option<&'l str>) -> Option<Self> {
        Some(Self {
            number: label(Self::NUMBER)?.parse().ok()?,
            release: label(Self::RELEASE)?.to_owned(),
            definition: label(Self::DEFINITION)?.to_owned(),
        })
    }

    /// As a compose file states them.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            Self::RELEASE: self.release,
            Self::NUMBER: self.number.to_string(),
            Self::DEFINITION: self.definition,
        })
    }

    /// Those in a compose file, by service.
    pub(super) fn in_file(file: &Value) -> BTreeMap<String, Self> {
        let services = file.get("services").and_then(Value::as_object).into_iter().flatten();
        let labels = services.filter_map(|(name, service)| {
            let labels = service.get("labels")?;
            Some((name.clone(), Self::read(|key| labels.get(key)?.as_str())?))
        });
        labels.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let label = Label { number: 7, release: "r".into(), definition: "d".into() };
        let file = json!({"services": {"web": {"labels": label.to_json()}, "db": {"image": "x"}}});
        assert_eq!(Label::in_file(&file), BTreeMap::from([("web".to_owned(), label)]));
    }
}
