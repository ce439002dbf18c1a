//! What forgers need: changes below the checksums, and the judge of what was forged.

use super::script::Script;
use super::world::{FILE, PAGE, kill, open, read_state, typed};
use godb_page::page::header;
use godb_page::{PageId, SimulatedDisk};

/// SQLSTATEs of what a catalog with forged names has not: a table, a column.
const OTHER_REFUSALS: [&str; 2] = ["42P01", "42703"];
/// Bytes of a block's header, and where it says how many bytes of records follow.
const BLOCK_HEADER: usize = 96;
const BLOCK_USED: std::ops::Range<usize> = 56..60;

/// Changes a page of the file and seals it again.
pub(crate) fn with_page(disk: &SimulatedDisk, number: usize, change: impl FnOnce(&mut [u8])) {
    let mut bytes = disk.bytes(FILE).expect("the file is there");
    let Some(page) = bytes.chunks_exact_mut(PAGE).nth(number) else {
        return;
    };
    let database = header::database_id(page);
    change(page);
    let id = PageId::from_raw(u32::try_from(number).unwrap_or(0));
    header::seal(page, id, database);
    disk.set_bytes(FILE, &bytes);
}

/// Makes the checksum of a block of the log right.
pub(crate) fn seal_block(block: &mut [u8]) {
    let sum = crc32fast::hash(&block[4..]);
    block[..4].copy_from_slice(&sum.to_le_bytes());
}

/// Makes the checksum of a slot of the log's control file right.
pub(crate) fn seal_slot(slot: &mut [u8]) {
    // It lies where that of a block lies.
    seal_block(slot);
}

/// The records in a block of the log.
pub(crate) fn block_payload(block: &[u8]) -> &[u8] {
    let mut used = [0; 4];
    used.copy_from_slice(&block[BLOCK_USED]);
    let used = usize::try_from(u32::from_le_bytes(used)).unwrap_or(0);
    &block[BLOCK_HEADER..][..used.min(block.len() - BLOCK_HEADER)]
}

/// Opens, reads, checks, writes and closes what was forged. With `strict`, a wrong answer must be one that the check finds out.
pub(crate) fn survive(disk: &SimulatedDisk, script: &Script, strict: bool) -> Result<(), String> {
    let refused = |error: &godb::Error| match OTHER_REFUSALS.contains(&error.sqlstate()) {
        true => Ok(()),
        false => typed(error),
    };
    let db = match open(disk) {
        Ok(db) => db,
        Err(error) => return refused(&error),
    };
    match read_state(&db) {
        Err(error) => refused(&error)?,
        Ok(state) if state == script.states[0] || !strict => {}
        Ok(_) => match db.check() {
            Ok(findings) if findings.is_empty() => {
                return Err("it gives wrong answers, and the check finds nothing".to_owned());
            }
            Ok(_) => {}
            Err(error) => refused(&error)?,
        },
    }
    for result in [
        db.check().map(drop),
        db.put(b"more", &[1; 3000]),
        db.execute("DELETE FROM t WHERE id < 110", &[]).map(drop),
        db.step().map(drop),
        db.checkpoint(),
    ] {
        if let Err(error) = result {
            refused(&error)?;
        }
    }
    kill(db, disk);
    Ok(())
}
