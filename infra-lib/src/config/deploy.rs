//! `[deploy]`: how releases replace one another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::units::Period;

/// `[deploy]`: where releases come from, how long a deploy waits, and which services it replaces without a gap.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Deploy {
    /// The branch that releases of protected environments come from; default: any.
    pub branch: Option<String>,
    /// How many releases are kept with their images, in addition to the live one; default: 5.
    pub keep: Option<u32>,
    /// A protected environment is deployed only after a backup if the newest verified one is older; default: 24h.
    pub backup_max_age: Option<Period>,
    /// How long new containers may take until they are ready; default: 5m.
    pub ready_timeout: Option<Period>,
    /// How long they and the probe must then stay healthy; default: 10s.
    pub watch: Option<Period>,
    /// A URL that users come in by, such as `https://${DOMAIN}/health`; it must answer below 400.
    pub probe: Option<String>,
    /// The services that a proxy of the project sends requests to, by name.
    pub routes: BTreeMap<String, Route>,
}

/// `[deploy.routes.NAME]`: requests reach this service through a proxy, so that it is replaced without a gap.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Route {
    /// The service that is the proxy: nginx or Caddy.
    pub proxy: String,
    /// The port that the service listens on; default: the only one of `expose`.
    pub port: Option<u16>,
    /// The time between the switch and the stop signal of the old containers; default: 1s.
    pub drain: Option<Period>,
}
