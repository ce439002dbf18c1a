//! [`Scrub`]: reading what is stored for no other reason than to see whether it can still be read.
//!
//! Disks rot silently, and a page that nobody reads may be gone for months when somebody does. So a thread reads the file from its beginning to its end and again, as slowly
//! as [`Config::scrub_rate`](crate::Config::scrub_rate) says. It reads past the buffer pool, so that nothing useful leaves memory for it, and takes no lock that a writer
//! waits for. A page that has rotted and is still in memory is written again from there; of any other there is a finding, which the log of the program gets at once
//! and [`Database::scrub_report`](crate::Database::scrub_report) keeps.

use crate::check::{Finding, Wrong};
use crate::error::Result;
use crate::settings::LiveSettings;
use crate::storage::Storage;
use godb_buffer::Stored;
use godb_page::sync::Mutex;
use godb_page::{Clock, HEADER_PAGES, PageId};
use std::sync::Arc;
use std::time::Duration;

/// The most bytes of one step: how long it may take, and how much it may catch up.
const SLICE: u64 = 1 << 20;

/// The most findings kept; older ones go.
const KEPT: usize = 1000;

/// One reading of all pages in use.
pub(crate) struct Scrub<'a> {
    storage: &'a Storage,
    next: PageId,
    bytes: Vec<u8>,
}

impl<'a> Scrub<'a> {
    /// Begins at a page.
    pub(crate) fn from(storage: &'a Storage, next: PageId) -> Self {
        Self {
            storage,
            next,
            bytes: vec![0; storage.page_size()],
        }
    }

    /// Looks at the next page in use; `None` at the end of the file.
    pub(crate) fn next(&mut self) -> Result<Option<(PageId, Stored)>> {
        let tree = self.storage.tree();
        while self.next.raw() < tree.pages_in_use()? {
            let id = self.next;
            self.next = PageId::from_raw(id.raw() + 1);
            if !in_use(self.storage, id)? {
                continue;
            }
            match self.storage.pool().verify_stored(id, &mut self.bytes)? {
                // It was given back while it was read, and then its bytes do not matter.
                Stored::Damaged(_) if !in_use(self.storage, id)? => {}
                stored => return Ok(Some((id, stored))),
            }
        }
        Ok(None)
    }
}

/// Whether somebody uses a page. Where the map cannot tell, the page is looked at.
fn in_use(storage: &Storage, id: PageId) -> Result<bool> {
    match storage.tree().is_in_use(id) {
        Err(godb_page::Fault::Corrupt { .. }) => Ok(true),
        known => Ok(known?),
    }
}

impl Storage {
    /// A reading of all pages, from the first.
    pub(crate) fn scrub(&self) -> Scrub<'_> {
        Scrub::from(self, PageId::from_raw(HEADER_PAGES))
    }
}

/// What the scrubber did since the database was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// How often it came to the end of the file.
    pub rounds: u64,
    /// How many pages it read.
    pub pages: u64,
    /// Pages that had rotted and were written again from memory.
    pub mended: Vec<Finding>,
    /// Pages that have rotted.
    pub findings: Vec<Finding>,
}

/// The scrubber of an open database.
pub(crate) struct Scrubber {
    storage: Arc<Storage>,
    clock: Arc<dyn Clock>,
    /// How much it may read.
    settings: Arc<LiveSettings>,
    progress: Mutex<Progress>,
}

struct Progress {
    next: PageId,
    /// Up to when it has done its work.
    paid_until: Duration,
    report: ScrubReport,
}

impl Scrubber {
    pub(crate) fn new(storage: Arc<Storage>, clock: Arc<dyn Clock>, settings: Arc<LiveSettings>) -> Self {
        let progress = Progress {
            next: PageId::from_raw(HEADER_PAGES),
            paid_until: clock.monotonic(),
            report: ScrubReport::default(),
        };
        Self {
            storage,
            clock,
            settings,
            progress: Mutex::new(progress),
        }
    }

    /// What it found.
    pub(crate) fn report(&self) -> ScrubReport {
        self.progress.lock().report.clone()
    }

    /// Reads as many pages as the time since the last step allows.
    pub(crate) fn step(&self) -> Result<()> {
        let rate = self.settings.scrub_rate();
        let now = self.clock.monotonic();
        let mut progress = self.progress.lock();
        if rate == 0 {
            // Time that passes meanwhile is not made up for.
            progress.paid_until = now;
            return Ok(());
        }
        let waited = now.saturating_sub(progress.paid_until);
        let due = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        let bytes = due.saturating_mul(rate) / 1_000_000;
        let pages = bytes.min(SLICE) / self.storage.page_size() as u64;
        if pages > 0 {
            progress.paid_until = now;
            self.look(&mut progress, pages)?;
        }
        Ok(())
    }

    /// Looks at so many pages.
    pub(crate) fn look_at(&self, pages: u64) -> Result<()> {
        self.look(&mut self.progress.lock(), pages)
    }

    fn look(&self, progress: &mut Progress, pages: u64) -> Result<()> {
        let mut scrub = Scrub::from(&self.storage, progress.next);
        for _ in 0..pages {
            let Some((_, stored)) = scrub.next()? else {
                progress.report.rounds += 1;
                progress.next = PageId::from_raw(HEADER_PAGES);
                return Ok(());
            };
            progress.next = scrub.next;
            progress.report.pages += 1;
            progress.report.note(stored);
        }
        Ok(())
    }
}

impl ScrubReport {
    fn note(&mut self, stored: Stored) {
        let (list, fault) = match stored {
            Stored::Sound | Stored::Pending => return,
            Stored::Mended(fault) => {
                tracing::warn!(%fault, "a page had rotted, and was written again from memory");
                (&mut self.mended, fault)
            }
            Stored::Damaged(fault) => {
                tracing::error!(%fault, "a page has rotted");
                (&mut self.findings, fault)
            }
        };
        if let Some(finding) = Finding::of_fault(Wrong::Page, &fault)
            && !list.contains(&finding)
        {
            if list.len() == KEPT {
                list.remove(0);
            }
            list.push(finding);
        }
    }
}
