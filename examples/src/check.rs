//! Checks whoever echoes at the other end: sends messages of all kinds, and looks at what comes back.

mod line;
mod payload;
mod plan;
mod scenario;

pub use line::{Line, Tokio};
pub use plan::Plan;
pub use scenario::Scenario;
