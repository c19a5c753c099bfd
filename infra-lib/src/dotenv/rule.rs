//! The rules for a variable in `infra.toml`.

use serde::{Deserialize, Serialize};

use super::generate::Generator;
use crate::units::Period;

/// `[env.KEY]`: the rules for a variable.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct EnvRule {
    /// How to generate a new value.
    pub generate: Option<Generator>,
    /// A value that `setup` fills in for this checkout.
    pub fill: Option<FillFrom>,
    /// The minimum number of characters.
    pub min_length: Option<usize>,
    /// The maximum age of a value.
    pub rotate_every: Option<Period>,
    /// What the variable is for.
    pub describe: Option<String>,
}

/// A property of this checkout that `setup` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FillFrom {
    /// The uid of the owner of the project's folder, for containers that write to it.
    OwnerUid,
    /// The gid of the project's folder.
    OwnerGid,
}
