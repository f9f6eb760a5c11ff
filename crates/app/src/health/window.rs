//! Rolling windows: a ring of slots of equal length, each counting for itself. A window is the
//! current slot and some before it, so it is exact to the length of one slot.

use std::time::Duration;

use switchyard_domain::clock::Timestamp;

/// The last so many slots.
#[derive(Debug)]
pub(super) struct Ring<T> {
    slot_micros: i64,
    slots: Box<[Slot<T>]>,
    /// The newest slot written to. A clock that goes back does not reopen older ones.
    newest: i64,
}

#[derive(Debug, Clone, Default)]
struct Slot<T> {
    /// Which slot since 1970.
    number: i64,
    value: T,
}

impl<T: Clone + Default> Ring<T> {
    pub(super) fn new(slot: Duration, slots: usize) -> Self {
        Self {
            slot_micros: i64::try_from(slot.as_micros()).unwrap_or(i64::MAX).max(1),
            slots: vec![Slot::default(); slots].into(),
            newest: 0,
        }
    }

    /// The slot of this moment.
    pub(super) fn now(&mut self, now: Timestamp) -> &mut T {
        let number = self.number(now).max(self.newest);
        self.newest = number;
        let index = self.index(number);
        let slot = &mut self.slots[index];
        if slot.number != number {
            *slot = Slot {
                number,
                value: T::default(),
            };
        }
        &mut slot.value
    }

    /// The slots of the last `slots` lengths, this moment's included; untouched ones are left out.
    pub(super) fn last(&self, slots: usize, now: Timestamp) -> impl Iterator<Item = &T> {
        let newest = self.number(now).max(self.newest);
        let oldest = newest - i64::try_from(slots).unwrap_or(i64::MAX) + 1;
        self.slots
            .iter()
            .filter(move |slot| (oldest..=newest).contains(&slot.number))
            .map(|slot| &slot.value)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.slots.fill(Slot::default());
    }

    fn number(&self, at: Timestamp) -> i64 {
        at.micros().div_euclid(self.slot_micros)
    }

    fn index(&self, number: i64) -> usize {
        let slots = i64::try_from(self.slots.len()).unwrap_or(i64::MAX);
        usize::try_from(number.rem_euclid(slots)).unwrap_or(0)
    }
}
