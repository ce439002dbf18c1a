//! The format of a page.

pub mod header;
