//! [`WholeFile`]: whole reads and writes, over files that may do a part of what they are asked, or be interrupted.
//!
//! An operating system promises little for one call: `pread` and `pwrite` may move fewer bytes than asked, and a signal may interrupt them before they moved any. Every call
//! is therefore repeated until it is done, here and nowhere else. The calls are behind a trait, so that a test can make them as short as it likes.

use crate::fault::Fault;
use crate::file_system::File;
use std::io::{Error, ErrorKind, Result};

/// An open file as the operating system gives it.
pub trait RawFile: Send + Sync {
    /// Its length in bytes.
    ///
    /// # Errors
    /// What the system reports; `Interrupted` means: again. So with all calls.
    fn length(&self) -> Result<u64>;
    /// Reads some bytes from `at` on; zero at the end of the file.
    ///
    /// # Errors
    /// What the system reports.
    fn read_some(&self, at: u64, into: &mut [u8]) -> Result<usize>;
    /// Writes some of the bytes at `at`; tells how many.
    ///
    /// # Errors
    /// What the system reports.
    fn write_some(&self, at: u64, from: &[u8]) -> Result<usize>;
    /// Takes the blocks from `from` to `to`, behind the end, and moves the end there. `Unsupported` when the file system cannot.
    ///
    /// # Errors
    /// What the system reports.
    fn allocate(&self, from: u64, to: u64) -> Result<()>;
    /// Moves the end.
    ///
    /// # Errors
    /// What the system reports.
    fn truncate(&self, length: u64) -> Result<()>;
    /// Makes data and length durable.
    ///
    /// # Errors
    /// What the system reports.
    fn sync_data(&self) -> Result<()>;
    /// Hints that bytes will be read soon.
    fn advise(&self, _at: u64, _len: u64) {}
}

/// A file whose reads and writes are whole.
#[derive(Debug)]
pub struct WholeFile<R> {
    name: String,
    read_only: bool,
    raw: R,
}

/// Repeats a call while it is interrupted.
fn again<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

impl<R: RawFile> WholeFile<R> {
    /// The file `raw`, which was opened by this name.
    pub fn new(name: &str, read_only: bool, raw: R) -> Self {
        Self {
            name: name.to_owned(),
            read_only,
            raw,
        }
    }

    fn fault(&self, doing: &'static str) -> impl Fn(Error) -> Fault + '_ {
        move |error| Fault::io(doing, &self.name, error)
    }

    fn writable(&self) -> std::result::Result<(), Fault> {
        if self.read_only {
            return Err(Fault::ReadOnly {
                file: self.name.as_str().into(),
            });
        }
        Ok(())
    }

    /// Takes the blocks between the old length and the new.
    fn grow(&self, from: u64, to: u64) -> Result<()> {
        match again(|| self.raw.allocate(from, to)) {
            // The file system cannot take blocks beforehand: writing zeros does the same, slowly.
            Err(error) if error.kind() == ErrorKind::Unsupported => self.fill(from, to),
            done => done,
        }
    }

    fn fill(&self, mut from: u64, to: u64) -> Result<()> {
        let zeros = [0; 65536];
        while from < to {
            let count = usize::try_from(to - from).unwrap_or(usize::MAX).min(zeros.len());
            self.write_all(from, &zeros[..count])?;
            from += count as u64;
        }
        Ok(())
    }

    fn write_all(&self, mut at: u64, mut from: &[u8]) -> Result<()> {
        while !from.is_empty() {
            let count = again(|| self.raw.write_some(at, from))?;
            if count == 0 {
                // Neither an error nor progress: trying on could be for ever.
                return Err(Error::from(ErrorKind::WriteZero));
            }
            at += count as u64;
            from = &from[count..];
        }
        Ok(())
    }
}

impl<R: RawFile> File for WholeFile<R> {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> std::result::Result<u64, Fault> {
        again(|| self.raw.length()).map_err(self.fault("look at"))
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> std::result::Result<usize, Fault> {
        let mut done = 0;
        while done < into.len() {
            let some = again(|| self.raw.read_some(at + done as u64, &mut into[done..]));
            match some.map_err(self.fault("read"))? {
                0 => break,
                count => done += count,
            }
        }
        Ok(done)
    }

    fn write_at(&self, at: u64, from: &[u8]) -> std::result::Result<(), Fault> {
        self.writable()?;
        self.write_all(at, from).map_err(self.fault("write"))
    }

    fn set_len(&self, len: u64) -> std::result::Result<(), Fault> {
        self.writable()?;
        let now = self.len()?;
        if len > now {
            return self.grow(now, len).map_err(self.fault("grow"));
        }
        again(|| self.raw.truncate(len)).map_err(self.fault("shorten"))
    }

    fn sync(&self) -> std::result::Result<(), Fault> {
        again(|| self.raw.sync_data()).map_err(self.fault("sync"))
    }

    fn will_need(&self, at: u64, len: u64) {
        self.raw.advise(at, len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::Mutex;

    /// Moves at most three bytes at a time, and is interrupted every other time.
    #[derive(Default)]
    struct Fitful {
        bytes: Mutex<Vec<u8>>,
        calls: Mutex<u64>,
    }

    impl Fitful {
        fn interrupted(&self) -> Result<()> {
            let mut calls = self.calls.lock();
            *calls += 1;
            match calls.is_multiple_of(2) {
                true => Ok(()),
                false => Err(Error::from(ErrorKind::Interrupted)),
            }
        }
    }

    impl RawFile for Fitful {
        fn length(&self) -> Result<u64> {
            self.interrupted()?;
            Ok(self.bytes.lock().len() as u64)
        }

        fn read_some(&self, at: u64, into: &mut [u8]) -> Result<usize> {
            self.interrupted()?;
            let bytes = self.bytes.lock();
            let rest = &bytes[usize::try_from(at).unwrap().min(bytes.len())..];
            let count = rest.len().min(into.len()).min(3);
            into[..count].copy_from_slice(&rest[..count]);
            Ok(count)
        }

        fn write_some(&self, at: u64, from: &[u8]) -> Result<usize> {
            self.interrupted()?;
            let count = from.len().min(3);
            let at = usize::try_from(at).unwrap();
            let mut bytes = self.bytes.lock();
            let len = bytes.len().max(at + count);
            bytes.resize(len, 0);
            bytes[at..at + count].copy_from_slice(&from[..count]);
            Ok(count)
        }

        fn allocate(&self, _from: u64, _to: u64) -> Result<()> {
            self.interrupted()?;
            Err(Error::from(ErrorKind::Unsupported))
        }

        fn truncate(&self, length: u64) -> Result<()> {
            self.interrupted()?;
            self.bytes.lock().truncate(usize::try_from(length).unwrap());
            Ok(())
        }

        fn sync_data(&self) -> Result<()> {
            self.interrupted()
        }
    }

    #[test]
    fn whatever_the_system_does_in_parts_is_done_whole() {
        let file = WholeFile::new("a", false, Fitful::default());
        file.write_at(5, b"hello, world").unwrap();
        assert_eq!(file.len().unwrap(), 17);
        let mut into = [1; 20];
        assert_eq!(file.read_at(0, &mut into).unwrap(), 17);
        assert_eq!(&into[..17], b"\0\0\0\0\0hello, world");
        file.set_len(100).unwrap();
        assert_eq!(file.len().unwrap(), 100, "zeros where blocks cannot be taken");
        file.set_len(10).unwrap();
        assert_eq!(file.read_at(5, &mut into).unwrap(), 5);
        file.sync().unwrap();
        let read_only = WholeFile::new("a", true, Fitful::default());
        assert!(matches!(read_only.write_at(0, b"x"), Err(Fault::ReadOnly { .. })));
    }
}
