//! Where the corpus lies: an archive that is unpacked once into the build folder.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The archive's name.
const ARCHIVE: &str = "slt-even.tar.xz";

/// The list of records that PostgreSQL 15 fails.
const EXCUSES: &str = "pg15-fails.tsv";

/// The unpacked corpus.
pub struct Corpus {
    /// The folder of its files.
    root: PathBuf,
    /// Its files, by path below the folder, sorted.
    pub files: Vec<String>,
}

/// Records that PostgreSQL itself does not pass, by file and line.
#[derive(Default)]
pub struct Excused(HashSet<(String, usize)>);

impl Corpus {
    /// Unpacks the archive in `from` into `into`, unless that was done; `None` when there is no archive.
    pub fn open(from: &Path, into: &Path) -> io::Result<Option<Self>> {
        let archive = from.join(ARCHIVE);
        if !archive.exists() {
            return Ok(None);
        }
        if !into.exists() {
            // It gets its name when it is whole.
            let part = into.with_extension("part");
            let _ = fs::remove_dir_all(&part);
            fs::create_dir_all(&part)?;
            let status = Command::new("tar")
                .arg("-xJf")
                .arg(&archive)
                .arg("-C")
                .arg(&part)
                .status()?;
            if !status.success() {
                return Err(io::Error::other(format!(
                    "tar and xz could not unpack {}: {status}",
                    archive.display()
                )));
            }
            fs::rename(&part, into)?;
        }
        let mut files = Vec::new();
        gather(into, "", &mut files)?;
        files.sort();
        Ok(Some(Self {
            root: into.to_owned(),
            files,
        }))
    }

    /// The text of a file.
    pub fn read(&self, file: &str) -> io::Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(self.root.join(file))?).into_owned())
    }
}

fn gather(folder: &Path, prefix: &str, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            gather(&entry.path(), &format!("{name}/"), files)?;
        } else if name.ends_with(".test") {
            files.push(name);
        }
    }
    Ok(())
}

impl Excused {
    /// Reads the list beside the archive; none is empty.
    #[must_use]
    pub fn read(from: &Path) -> Self {
        let text = fs::read_to_string(from.join(EXCUSES)).unwrap_or_default();
        let entry = |line: &str| {
            let mut fields = line.split('\t');
            Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
        };
        Self(text.lines().filter_map(entry).collect())
    }

    /// Whether PostgreSQL fails the record.
    #[must_use]
    pub fn contains(&self, file: &str, line: usize) -> bool {
        self.0.contains(&(file.to_owned(), line))
    }
}
