//! The JSON Schema of `infra.toml`, for editors.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, schema_for};

use super::{ByteSize, Manifest, Period, Reference};
use crate::dotenv::Generator;

/// The schema as pretty JSON, with a line end.
pub fn json_schema() -> String {
    format!("{:#}\n", schema_for!(Manifest).as_value())
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
    Period: "Period", "A length of time; a day has 24 hours.", "26h";
    ByteSize: "ByteSize", "A number of bytes: KB is 1000, KiB is 1024.", "100KB";
    Reference: "Reference", "Where a value stands: env:NAME, file:PATH, cmd:PROGRAM ARG, or the value itself for a name that is no secret.", "env:DB_NAME";
    Generator: "Generator", "hex:N, base64:N or token:N, with N random bytes.", "hex:64";
}
