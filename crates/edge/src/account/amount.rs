//! Money as a JSON number.

use serde::{Serialize, Serializer, ser::Error};
use serde_json::value::RawValue;
use switchyard_domain::money::UsdNanos;

/// US dollars as a number with all of its digits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usd(pub(crate) UsdNanos);

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = RawValue::from_string(self.0.to_string()).map_err(S::Error::custom)?;
        number.serialize(serializer)
    }
}
