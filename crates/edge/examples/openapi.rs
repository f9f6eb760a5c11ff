//! Prints the API's description, as `openapi.yaml` holds it.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    io::stdout().write_all(switchyard_edge::openapi::openapi_yaml().as_bytes())
}
