//! Management of an account's things by its management keys: input that is read strictly
//! ([`fields`]), changes that are carried out once, and noted with who asked ([`change`]).

pub(crate) mod byok;
pub(crate) mod keys;
pub(crate) mod members;
pub(crate) mod workspaces;

pub(crate) mod change;
pub(crate) mod fields;

mod page;
#[cfg(test)]
mod tests;
