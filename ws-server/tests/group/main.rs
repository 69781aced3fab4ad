//! Groups: who gets what, in which order, and what becomes of slow members.

mod change;
mod hall;
mod members;
mod policies;
