//! Looking at the header of a file that may be damaged: what is wrong with its copies, and what can be known without either.

use super::header::{FileHeader, HEADER_PAGES};
use crate::fault::Fault;
use crate::file_system::File;
use crate::ids::{DatabaseId, PageId};
use crate::page::header as page;
use std::collections::HashMap;

/// How many pages are looked at to guess a page size.
const SAMPLE: u32 = 256;

impl FileHeader {
    /// What is wrong with the copies of this header in `file`, one [`Fault::Corrupt`] each. A copy that is merely older is what a crash between the two leaves.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn flaws(&self, file: &dyn File) -> Result<Vec<Fault>, Fault> {
        let mut flaws = Vec::new();
        let mut bytes = vec![0; self.page_size];
        for copy in (0..HEADER_PAGES).map(PageId::from_raw) {
            let at = u64::from(copy.raw()) * self.page_size as u64;
            let got = file.read_at(at, &mut bytes)?;
            let flaw = match got == bytes.len() {
                true => page::verify(&bytes, copy, self.database_id).err(),
                false => Some(page::Flaw::NeverWritten),
            };
            if let Some(flaw) = flaw {
                let what = format!("this copy of the file header cannot be used: {flaw}");
                flaws.push(Fault::corrupt_page(file.name(), copy, what));
            }
        }
        Ok(flaws)
    }

    /// What the pages of `file` say about themselves where both copies of its header are lost: the size with which most of them are whole, and
    /// the identity that most of those carry. `None` when no page of any size is whole. Nothing else is known: the epoch, sequence and state are those of a new header.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn guess(file: &dyn File) -> Result<Option<Self>, Fault> {
        let mut best: Option<(usize, Self)> = None;
        for size in (12..=16).map(|bits| 1_usize << bits) {
            if let Some((database, pages)) = most_common(file, size)?
                && best.as_ref().is_none_or(|(most, _)| pages > *most)
            {
                best = Some((pages, Self::new(database, size)));
            }
        }
        Ok(best.map(|(_, header)| header))
    }
}

/// The identity that most of the whole pages carry if pages are of this size, and how many do.
fn most_common(file: &dyn File, size: usize) -> Result<Option<(DatabaseId, usize)>, Fault> {
    let pages = u32::try_from(file.len()? / size as u64).unwrap_or(u32::MAX);
    let step = (pages / SAMPLE).max(1);
    let mut found: HashMap<DatabaseId, usize> = HashMap::new();
    let mut bytes = vec![0; size];
    for id in (0..pages).step_by(step as usize).map(PageId::from_raw) {
        let got = file.read_at(u64::from(id.raw()) * size as u64, &mut bytes)?;
        let database = page::database_id(&bytes);
        if got == size && page::verify(&bytes, id, database).is_ok() {
            *found.entry(database).or_default() += 1;
        }
    }
    Ok(found.into_iter().max_by_key(|(_, count)| *count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::MemoryFileSystem;
    use crate::{FileSystem, OpenMode};

    #[test]
    fn a_damaged_copy_is_named_and_without_both_the_pages_tell() {
        let file = MemoryFileSystem::default()
            .open("a.godb", OpenMode::Create)
            .unwrap();
        let database = DatabaseId::from_bytes([7; 16]);
        let mut header = FileHeader::new(database, 8192);
        header.write(&*file).unwrap();
        for id in 2..40 {
            let mut bytes = vec![0; 8192];
            page::seal(&mut bytes, PageId::from_raw(id), database);
            file.write_at(u64::from(id) * 8192, &bytes).unwrap();
        }
        assert!(header.flaws(&*file).unwrap().is_empty());
        file.write_at(8192 + 300, b"x").unwrap();
        let flaws = header.flaws(&*file).unwrap();
        assert!(
            matches!(&flaws[..], [Fault::Corrupt { page: Some(page), .. }] if page.raw() == 1),
            "{flaws:?}"
        );
        file.write_at(0, &[0; 16384]).unwrap();
        let guess = FileHeader::guess(&*file).unwrap().unwrap();
        assert_eq!((guess.database_id, guess.page_size), (database, 8192));
        file.write_at(0, &vec![1; 40 * 8192]).unwrap();
        assert_eq!(FileHeader::guess(&*file).unwrap(), None);
    }
}
