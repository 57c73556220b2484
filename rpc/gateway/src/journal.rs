//! The journal: one file that only grows. An act is on disk before it is done, so that whoever
//! starts again repeats the same bytes instead of deciding anew.
//!
//! ```text
//! file   = "SLGWJRN1" frame*
//! frame  = length u32, CRC-32C of the length u32, CRC-32C of the records u32, records
//! records: a JSON list of what one act needs; a frame counts whole or not at all
//! ```
//!
//! All numbers are little-endian. A frame that reaches to or beyond the end of the file was being
//! written when the power went, and is cut off: nothing rested on it. A damaged frame that others
//! follow is a fault, for cutting it off would forget what was paid.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::crash::{CrashPlan, CrashPoint};
use crate::fault::GatewayFault;
use crate::record::JournalRecord;

/// The first bytes of a journal.
const MAGIC: &[u8; 8] = b"SLGWJRN1";
/// Bytes before a frame's records.
const HEAD_BYTES: u64 = 12;

/// A journal that is open for writing.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// True after a failed write: nobody knows what is on disk.
    is_broken: bool,
}

impl Journal {
    /// Makes a journal with its first record. It and its name are on disk when this returns.
    ///
    /// # Errors
    /// When there is one, or the disk fails.
    pub fn create(path: &Path, first: &JournalRecord) -> Result<(), GatewayFault> {
        if path.exists() {
            return Err(GatewayFault::Exists(path.to_owned()));
        }
        let aside = path.with_extension("new");
        let mut bytes = MAGIC.to_vec();
        bytes.extend(frame(std::slice::from_ref(first)));
        write_synced(&aside, &bytes)?;
        std::fs::rename(&aside, path).map_err(GatewayFault::io("renamed", &aside))?;
        sync_folder_of(path)
    }

    /// Opens a journal, gives each record to `sink`, and cuts off a frame that was not finished.
    ///
    /// # Errors
    /// When the file cannot be used, or is damaged before its end.
    pub fn open(path: &Path, sink: &mut dyn FnMut(JournalRecord)) -> Result<Self, GatewayFault> {
        let file = OpenOptions::new().read(true).write(true).open(path);
        let mut file = file.map_err(GatewayFault::io("opened", path))?;
        let length = replay(path, &file, sink)?;
        file.set_len(length).map_err(GatewayFault::io("cut", path))?;
        file.seek(SeekFrom::End(0)).map_err(GatewayFault::io("read", path))?;
        file.sync_all().map_err(GatewayFault::io("synced", path))?;
        Ok(Self { path: path.to_owned(), file, is_broken: false })
    }

    /// Gives each record of a journal to `sink`. Another process may be writing it.
    ///
    /// # Errors
    /// When the file cannot be used, or is damaged before its end.
    pub fn read(path: &Path, sink: &mut dyn FnMut(JournalRecord)) -> Result<(), GatewayFault> {
        let file = File::open(path).map_err(GatewayFault::io("opened", path))?;
        replay(path, &file, sink).map(|_| ())
    }

    /// Appends records as one frame. They are on disk when this returns.
    ///
    /// # Errors
    /// When the disk fails. Nothing is appended behind a write that failed.
    pub fn append(
        &mut self,
        records: &[JournalRecord],
        crash: &CrashPlan,
    ) -> Result<(), GatewayFault> {
        if self.is_broken {
            let error = std::io::Error::other("an earlier write failed");
            return Err(GatewayFault::io("written", &self.path)(error));
        }
        self.is_broken = true;
        let bytes = frame(records);
        if crash.pass(CrashPoint::JournalTorn) {
            // What a power cut leaves: a part of the frame.
            let _ = self.file.write_all(&bytes[..bytes.len() / 2]);
            return Err(crash.stop(CrashPoint::JournalTorn).into());
        }
        self.file.write_all(&bytes).map_err(GatewayFault::io("written", &self.path))?;
        self.file.sync_data().map_err(GatewayFault::io("synced", &self.path))?;
        self.is_broken = false;
        crash.reach(CrashPoint::JournalWritten)?;
        Ok(())
    }
}

fn frame(records: &[JournalRecord]) -> Vec<u8> {
    // Texts, numbers and lists of them have no value that JSON cannot carry.
    let payload = serde_json::to_vec(records).unwrap_or_default();
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
    let own = crc32c::crc32c(&length).to_le_bytes();
    let check = crc32c::crc32c(&payload).to_le_bytes();
    [&length[..], &own[..], &check[..], &payload].concat()
}

/// Gives each record to `sink`, and returns the number of bytes up to the end of the last frame
/// that is whole.
fn replay(
    path: &Path,
    file: &File,
    sink: &mut dyn FnMut(JournalRecord),
) -> Result<u64, GatewayFault> {
    let size = file.metadata().map_err(GatewayFault::io("read", path))?.len();
    let mut input = BufReader::new(file).take(size);
    let mut read = |bytes: &mut Vec<u8>, count: u64| -> Result<bool, GatewayFault> {
        bytes.clear();
        let read = input.by_ref().take(count).read_to_end(bytes);
        Ok(read.map_err(GatewayFault::io("read", path))? as u64 == count)
    };
    let mut bytes = Vec::new();
    if !read(&mut bytes, MAGIC.len() as u64)? || bytes != MAGIC {
        return Err(GatewayFault::Damaged { offset: 0 });
    }
    let mut at = MAGIC.len() as u64;
    while at < size {
        if !read(&mut bytes, HEAD_BYTES)? {
            break;
        }
        let Some(head) = FrameHead::of(&bytes) else {
            // A file system may have made the file longer, and lost what was written there.
            let is_zeros = bytes.iter().all(|byte| *byte == 0)
                && read(&mut bytes, size - at - HEAD_BYTES)?
                && bytes.iter().all(|byte| *byte == 0);
            return if is_zeros { Ok(at) } else { Err(GatewayFault::Damaged { offset: at }) };
        };
        let end = at + HEAD_BYTES + head.length;
        if end > size || !read(&mut bytes, head.length)? {
            break;
        }
        match serde_json::from_slice::<Vec<JournalRecord>>(&bytes) {
            Ok(records) if crc32c::crc32c(&bytes) == head.check => {
                records.into_iter().for_each(&mut *sink);
            }
            _ if end == size && crc32c::crc32c(&bytes) != head.check => break,
            _ => return Err(GatewayFault::Damaged { offset: at }),
        }
        at = end;
    }
    Ok(at)
}

/// The head of a frame, before its records.
struct FrameHead {
    /// Bytes of the records.
    length: u64,
    /// The CRC-32C of the records.
    check: u32,
}

impl FrameHead {
    /// Returns the head of its bytes, or `None` if its own check is wrong. A length that nobody can
    /// trust would make the rest of the file look unfinished.
    fn of(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (own, rest) = rest.split_first_chunk::<4>()?;
        let (check, _) = rest.split_first_chunk::<4>()?;
        (crc32c::crc32c(length) == u32::from_le_bytes(*own)).then(|| Self {
            length: u64::from(u32::from_le_bytes(*length)),
            check: u32::from_le_bytes(*check),
        })
    }
}

/// Writes a file whole; it is on disk when this returns, its name not yet.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), GatewayFault> {
    let mut file = File::create(path).map_err(GatewayFault::io("made", path))?;
    file.write_all(bytes).map_err(GatewayFault::io("written", path))?;
    file.sync_all().map_err(GatewayFault::io("synced", path))
}

/// Brings the names of a folder to disk.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), GatewayFault> {
    let open = File::open(folder).and_then(|file| file.sync_all());
    open.map_err(GatewayFault::io("synced", folder))
}

fn sync_folder_of(path: &Path) -> Result<(), GatewayFault> {
    path.parent().map_or(Ok(()), sync_folder)
}

#[cfg(test)]
mod tests;
