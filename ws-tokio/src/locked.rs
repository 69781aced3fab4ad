//! A socket's lock, as whoever has it holds it.

use crate::core::Core;
use std::ops::{Deref, DerefMut};
use std::sync::MutexGuard;

/// A socket that is locked. What it holds is counted when the lock is let go, for whatever was done meanwhile.
pub(crate) struct Locked<'a, S>(pub(crate) MutexGuard<'a, Core<S>>);

impl<S> Deref for Locked<'_, S> {
    type Target = Core<S>;

    #[inline]
    fn deref(&self) -> &Core<S> {
        &self.0
    }
}

impl<S> DerefMut for Locked<'_, S> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Core<S> {
        &mut self.0
    }
}

impl<S> Drop for Locked<'_, S> {
    #[inline]
    fn drop(&mut self) {
        self.0.settle();
    }
}
