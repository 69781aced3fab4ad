//! Spare things of one kind.

/// Spare things of one kind, for whoever shares them: what was given last is taken first, as it is in a cache, perhaps.
///
/// A driver keeps the receive buffers of a thread in one, beside its [`Pool`](crate::Pool). It holds a limited number of them, and
/// forgets those that lie there for nothing: call [`drop_unused`](Self::drop_unused) now and then.
#[derive(Debug)]
pub struct Shelf<T> {
    items: Vec<T>,
    most: usize,
    /// So many, from the bottom, were not taken since they were last looked at. Invariant: at most `items.len()`.
    unused: usize,
}

impl<T> Shelf<T> {
    /// An empty one, for at most `most` things. It allocates with the first.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self { items: Vec::new(), most, unused: 0 }
    }

    /// What was given last, if anything is there.
    #[inline]
    pub fn take(&mut self) -> Option<T> {
        let item = self.items.pop();
        self.unused = self.unused.min(self.items.len());
        item
    }

    /// Of what `fits`, what was given last.
    pub fn take_fitting(&mut self, fits: impl Fn(&T) -> bool) -> Option<T> {
        let index = self.items.iter().rposition(fits)?;
        self.unused = self.unused.min(index);
        Some(self.items.remove(index))
    }

    /// Would something that is given be kept?
    #[inline]
    #[must_use]
    pub const fn has_room(&self) -> bool {
        self.items.len() < self.most
    }

    /// Puts a thing there, or drops it where there is no room.
    #[inline]
    pub fn give(&mut self, item: T) {
        if self.has_room() {
            self.items.push(item);
        }
    }

    /// Drops what was there all the time since the last call, and returns it.
    pub fn drop_unused(&mut self) -> impl Iterator<Item = T> {
        // Fewer are there where somebody has forgotten what was returned here.
        let unused = self.unused.min(self.items.len());
        self.unused = self.items.len() - unused;
        self.items.drain(..unused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_last_goes_first_and_there_is_an_end_to_it() {
        let mut shelf = Shelf::new(2);
        for item in [1, 2, 3] {
            shelf.give(item);
        }
        assert_eq!([shelf.take(), shelf.take(), shelf.take()], [Some(2), Some(1), None]);
    }

    #[test]
    fn what_nobody_took_between_two_looks_is_dropped() {
        let mut shelf = Shelf::new(9);
        for item in [1, 2, 3, 4] {
            shelf.give(item);
        }
        assert_eq!(shelf.drop_unused().count(), 0, "they have only come");
        // Two are in use at once.
        for _ in 0..5 {
            for item in [shelf.take().unwrap(), shelf.take().unwrap()] {
                shelf.give(item);
            }
        }
        assert_eq!(shelf.drop_unused().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(shelf.drop_unused().count(), 2, "nothing was taken any more");
        assert_eq!(shelf.take(), None);
    }

    #[test]
    fn what_does_not_fit_stays_and_counts_as_unused() {
        let mut shelf = Shelf::new(9);
        for item in [1, 2, 3] {
            shelf.give(item);
        }
        assert_eq!(shelf.drop_unused().count(), 0);
        let two = shelf.take_fitting(|&item| item == 2).unwrap();
        assert_eq!(shelf.take_fitting(|&item| item > 3), None);
        shelf.give(two);
        assert_eq!(shelf.drop_unused().collect::<Vec<_>>(), [1]);
    }
}
