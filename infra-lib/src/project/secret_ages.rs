//! When each generated secret was created.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::project::error::Result;

use super::Project;

const FILE: &str = "secrets.json";

impl Project {
    /// The creation times by key; never the values.
    pub(crate) fn secret_ages(&self) -> BTreeMap<String, Timestamp> {
        let all: BTreeMap<String, BTreeMap<String, Timestamp>> = self.state().read(FILE).unwrap_or_default();
        all.get(&self.environment().name).cloned().unwrap_or_default()
    }

    /// Records that these secrets of this environment were created now.
    pub(crate) fn remember_secrets(&self, keys: &[String]) -> Result<()> {
        if keys.is_empty() || self.runner().is_dry_run() {
            return Ok(());
        }
        let mut all: BTreeMap<String, BTreeMap<String, Timestamp>> = self.state().read(FILE).unwrap_or_default();
        let now = Timestamp::now();
        all.entry(self.environment().name.clone()).or_default().extend(keys.iter().map(|key| (key.clone(), now)));
        Ok(self.state().write(FILE, &all)?)
    }
}
