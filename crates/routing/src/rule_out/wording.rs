//! Sentences about lists. A rule that names a list removes many endpoints for it, so each
//! sentence is put together once per decision.

use std::{cell::RefCell, ptr, sync::Arc};

use crate::record::Scope;

#[derive(Default)]
pub(super) struct Wording(RefCell<Vec<Sentence>>);

struct Sentence {
    scope: Scope,
    field: &'static str,
    /// Only compared, never read.
    list: *const String,
    about: String,
    words: Arc<str>,
}

impl Wording {
    /// The sentence about one scope's list and, where it differs between endpoints, what the list
    /// is compared with.
    pub(super) fn of(
        &self,
        scope: Scope,
        field: &'static str,
        list: &[String],
        about: &str,
        write: impl FnOnce() -> String,
    ) -> Arc<str> {
        let mut sentences = self.0.borrow_mut();
        let known = sentences.iter().find(|known| {
            (known.scope, known.field) == (scope, field)
                && ptr::eq(known.list, list.as_ptr())
                && known.about == about
        });
        if let Some(known) = known {
            return Arc::clone(&known.words);
        }
        let words: Arc<str> = write().into();
        sentences.push(Sentence {
            scope,
            field,
            list: list.as_ptr(),
            about: about.to_owned(),
            words: Arc::clone(&words),
        });
        words
    }
}
