//! The main file: its header, and its pages.

mod direct;
mod header;
mod inspect;
mod memory_store;
mod page_file;
mod safe_copies;

pub use header::{FORMAT_VERSION, FileHeader, HEADER_PAGES, MAX_STATE};
pub use memory_store::MemoryPageStore;
pub use page_file::{PageFile, PageFileOptions};
