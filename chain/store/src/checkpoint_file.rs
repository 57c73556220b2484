//! The checkpoint: a file of its own, named by its height and written piece by piece, so that
//! neither memory nor anything else of the node has to take it in at once. It counts from when the
//! index names it, in the one flush that makes everything durable; the one before is removed then.
//! (docs/adr/0023)

use std::fs::{self, File};
use std::io::Read as _;
use std::path::PathBuf;

use chain_types::Height;

use crate::disk;
use crate::fault::StoreFault;

/// So many bytes are handed to the disk at a time, and leave memory: they are read at a start only.
const BYTES_PER_SYNC: u64 = 4 * 1024 * 1024;
const REMEDY: &str = "it is the checkpoint that the index names: remove the index folder, and the \
                      node executes its blocks from genesis anew";

/// The index's entry for the checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CheckpointName {
    /// The height it is after.
    pub height: Height,
    bytes: u64,
    /// The CRC-32C of the file's bytes.
    checksum: u32,
}

impl CheckpointName {
    /// The row of the index: height 8, bytes 8, checksum 4, little-endian.
    pub fn to_bytes(self) -> [u8; 20] {
        let mut row = [0; 20];
        row[..8].copy_from_slice(&self.height.get().to_le_bytes());
        row[8..16].copy_from_slice(&self.bytes.to_le_bytes());
        row[16..].copy_from_slice(&self.checksum.to_le_bytes());
        row
    }

    /// The name that a row is; `None` for bytes of another form.
    pub fn of_bytes(row: &[u8]) -> Option<Self> {
        let (height, rest) = row.split_first_chunk()?;
        let (bytes, rest) = rest.split_first_chunk()?;
        let (height, bytes) =
            (Height::new(u64::from_le_bytes(*height)), u64::from_le_bytes(*bytes));
        Some(Self { height, bytes, checksum: u32::from_le_bytes(rest.try_into().ok()?) })
    }
}

/// The folder of checkpoints.
#[derive(Debug)]
pub(crate) struct CheckpointFiles {
    folder: PathBuf,
}

impl CheckpointFiles {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn path(&self, height: Height) -> PathBuf {
        self.folder.join(format!("{:020}.checkpoint", height.get()))
    }

    /// Writes the checkpoint after `height`: durable when this returns, and of no account before
    /// the index names it. A file of that height is replaced as a whole.
    pub fn write(
        &self,
        height: Height,
        pieces: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<CheckpointName, StoreFault> {
        let mut name = CheckpointName { height, bytes: 0, checksum: 0 };
        let path = self.path(height);
        let file = disk::create_whole(&path, |file, path| {
            let mut synced = 0;
            for piece in pieces {
                disk::write_all_at(file, path, &[&piece], name.bytes)?;
                name.bytes += piece.len() as u64;
                name.checksum = crc32c::crc32c_append(name.checksum, &piece);
                if name.bytes - synced >= BYTES_PER_SYNC {
                    disk::sync_data(file, path)?;
                    disk::release_pages(file, synced, name.bytes - synced);
                    synced = name.bytes;
                }
            }
            Ok(())
        })?;
        disk::release_pages(&file, 0, 0);
        Ok(name)
    }

    /// The bytes of the checkpoint that the index names.
    ///
    /// # Errors
    /// [`StoreFault::Missing`] and [`StoreFault::Corrupt`], with the file.
    pub fn read(&self, name: &CheckpointName) -> Result<Vec<u8>, StoreFault> {
        let path = self.path(name.height);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreFault::Missing { path, remedy: REMEDY });
            }
            Err(error) => return Err(StoreFault::io("open", &path)(error)),
        };
        let mut bytes = Vec::with_capacity(usize::try_from(name.bytes).unwrap_or(0));
        file.read_to_end(&mut bytes).map_err(StoreFault::io("read", &path))?;
        disk::release_pages(&file, 0, 0);
        if bytes.len() as u64 != name.bytes || crc32c::crc32c(&bytes) != name.checksum {
            return Err(StoreFault::corrupt(&path, 0, "the bytes are not those that were written"));
        }
        Ok(bytes)
    }

    /// Removes every checkpoint but this one, and what was left of one that never ended.
    pub fn keep_only(&self, kept: Option<Height>) -> Result<(), StoreFault> {
        let kept = kept.map(|height| self.path(height));
        for path in self.list()? {
            if Some(&path) != kept.as_ref() {
                fs::remove_file(&path).map_err(StoreFault::io("remove", &path))?;
            }
        }
        Ok(())
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        let size = |path: &PathBuf| fs::metadata(path).map_or(0, |metadata| metadata.len());
        self.list().unwrap_or_default().iter().map(size).sum()
    }

    fn list(&self) -> Result<Vec<PathBuf>, StoreFault> {
        let fault = || StoreFault::io("read folder", &self.folder);
        let entries = fs::read_dir(&self.folder).map_err(fault())?;
        entries.map(|entry| entry.map(|entry| entry.path()).map_err(fault())).collect()
    }
}
