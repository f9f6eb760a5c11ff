//! Chat completions against recorded traffic, and against itself.

mod corpus;
mod decode;
mod never_panics;
mod passing_on;
mod round_trip;
mod validator;
