//! What is to hold.

/// What was measured, and what it may be at most.
pub(crate) struct Verdict {
    pub(crate) name: &'static str,
    measured: f64,
    most: f64,
}

impl Verdict {
    pub(crate) const fn new(name: &'static str, measured: f64, most: f64) -> Self {
        Self { name, measured, most }
    }

    pub(crate) fn held(&self) -> bool {
        self.measured <= self.most
    }

    pub(crate) fn print(&self) {
        let Self { name, measured, most } = self;
        let word = if self.held() { "held" } else { "NOT HELD" };
        println!("{name:<30} {measured:>6.2}, at most {most:.2}: {word}");
    }
}
