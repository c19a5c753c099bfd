//! The JSON Schema of `infra.toml`, for editors.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, schema_for};

use super::{Config, Reference};
use crate::dotenv::Generator;
use crate::units::{ByteSize, Period};

/// The schema as pretty JSON, with a line end.
pub fn json_schema() -> String {
    format!("{:#}\n", schema_for!(Config).as_value())
}

/// Values that are written as text in a notation of their own.
macro_rules! text {
    ($($type:ty: $name:literal, $description:literal, $example:literal;)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "description": $description, "examples": [$example]})
            }
        }
    )*};
}

text! {
    Period: "Period", "A duration; a day has 24 hours.", "26h";
    ByteSize: "ByteSize", "A number of bytes: KB is 1000, KiB is 1024.", "100KB";
    Reference: "Reference", "Where a value comes from: env:NAME, file:PATH, cmd:PROGRAM ARG, or the value itself if it is not a secret.", "env:DB_NAME";
    Generator: "Generator", "hex:N, base64:N or token:N, with N random bytes.", "hex:64";
}
