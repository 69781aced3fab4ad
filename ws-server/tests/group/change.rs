//! Groups under change.
