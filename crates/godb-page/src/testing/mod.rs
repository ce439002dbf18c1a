//! Conformance suites: what every [`FileSystem`](crate::FileSystem) and every [`PageStore`](crate::PageStore) must do.
//!
//! Call them from a test of an implementation of your own. They panic at the first broken promise.

mod file_system;
mod page_store;

pub use file_system::file_system;
pub use page_store::page_store;
