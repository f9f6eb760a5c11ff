//! The body of a change, read strictly: every field is asked for by name, each once, and whatever
//! is left over is refused. So a caller who misspells a field hears of it, and nobody can set what
//! only the service sets.

mod readers;
mod shape;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::value::RawValue;
use switchyard_domain::patch::Patch;
use switchyard_interchange::reply::PublicFailure;

pub(crate) use self::readers::{flag, instant_in_utc, list, one_of, text, usd};
use crate::error;

/// What is wrong with a value, to follow its name: `must be a string`.
pub(crate) type Problem = Cow<'static, str>;

/// The members of an object that were not asked for yet.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    /// Where the object stands in the body; empty for the body itself.
    path: String,
    left: Vec<(Cow<'a, str>, &'a RawValue)>,
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// The members of a body. Refuses what is no object, what is nested too deep, and names that
    /// are given twice.
    pub(crate) fn of(body: &'a [u8]) -> Result<Self, PublicFailure> {
        shape::check(body).map_err(|problem| error::management::bad_body(&problem))?;
        let object: shape::Object<'a> = serde_json::from_slice(body)
            .map_err(|problem| error::management::bad_body(&shape::in_words(&problem)))?;
        Ok(Self {
            path: String::new(),
            left: object.0,
            asked: Vec::new(),
        })
    }

    /// The members of an object that stands at a path of the body, which a reader was given whole.
    pub(crate) fn at(path: String, value: &'a RawValue) -> Result<Self, PublicFailure> {
        let object: Result<shape::Object<'a>, _> = serde_json::from_str(value.get());
        match object {
            Ok(object) => Ok(Self {
                path,
                left: object.0,
                asked: Vec::new(),
            }),
            Err(problem) => Err(error::bad_field(&path, &shape::in_words(&problem))),
        }
    }

    /// A field that may be left out or `null`, each with a meaning of its own.
    pub(crate) fn patch<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a RawValue) -> Result<T, Problem>,
    ) -> Result<Patch<T>, PublicFailure> {
        self.asked.push(name);
        let Some(place) = self.left.iter().position(|(given, _)| *given == name) else {
            return Ok(Patch::Keep);
        };
        let (_, value) = self.left.swap_remove(place);
        if value.get() == "null" {
            return Ok(Patch::Clear);
        }
        read(value)
            .map(Patch::Set)
            .map_err(|problem| self.bad(name, &problem))
    }

    /// A field that may be left out; `null` is the same.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a RawValue) -> Result<T, Problem>,
    ) -> Result<Option<T>, PublicFailure> {
        self.patch(name, read).map(Patch::given)
    }

    /// A field that may be left out, but is never nothing: `null` is refused.
    pub(crate) fn replacement<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a RawValue) -> Result<T, Problem>,
    ) -> Result<Option<T>, PublicFailure> {
        match self.patch(name, read)? {
            Patch::Keep => Ok(None),
            Patch::Set(value) => Ok(Some(value)),
            Patch::Clear => Err(self.bad(name, "must not be null")),
        }
    }

    /// A field that must be there.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a RawValue) -> Result<T, Problem>,
    ) -> Result<T, PublicFailure> {
        match self.patch(name, read)? {
            Patch::Set(value) => Ok(value),
            Patch::Keep | Patch::Clear => Err(self.bad(name, "is missing")),
        }
    }

    /// An object within the object, whose own leftovers are refused by whoever reads it.
    pub(crate) fn object(&mut self, name: &'static str) -> Result<Patch<Self>, PublicFailure> {
        let path = self.path_of(name);
        self.patch(name, |value| {
            let object: shape::Object<'a> =
                serde_json::from_str(value.get()).map_err(|problem| shape::in_words(&problem))?;
            Ok(Self {
                path,
                left: object.0,
                asked: Vec::new(),
            })
        })
    }

    /// Refuses what was not asked for, telling what is `owned` by the service from what nobody
    /// knows.
    pub(crate) fn finish(self, owned: &[&str]) -> Result<(), PublicFailure> {
        let Some((name, _)) = self.left.first() else {
            return Ok(());
        };
        let path = self.path_of(name);
        if self.path.is_empty() && owned.contains(&name.as_ref()) {
            return Err(error::management::server_owned(&path));
        }
        Err(error::management::unknown_field(&path, &self.asked))
    }

    /// The same for a thing that is there already, some fields of which are `fixed` since it was
    /// made.
    pub(crate) fn finish_change(self, owned: &[&str], fixed: &[&str]) -> Result<(), PublicFailure> {
        match self
            .left
            .iter()
            .find(|(name, _)| fixed.contains(&name.as_ref()))
        {
            Some((name, _)) => Err(error::management::fixed_at_creation(&self.path_of(name))),
            None => self.finish(owned),
        }
    }

    /// A field is wrong, for a reason that its reader cannot see.
    pub(crate) fn bad(&self, name: &str, problem: &str) -> PublicFailure {
        error::bad_field(&self.path_of(name), problem)
    }

    /// The path of a field, shortened to what an error repeats.
    fn path_of(&self, name: &str) -> String {
        let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        if self.path.is_empty() {
            name
        } else {
            format!("{}.{name}", self.path)
        }
    }
}
