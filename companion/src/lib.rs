//! Companion.
