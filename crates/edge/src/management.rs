//! Management of an account's things by its management keys: input that is read strictly
//! ([`fields`]), changes that are carried out once, and noted with who asked ([`change`]).

pub(crate) mod change;
pub(crate) mod fields;

pub(crate) mod keys;

#[cfg(test)]
mod tests;
