//! The few things we ask of a file system, each with the sync that makes it last.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, IoSlice, Write as _};
use std::num::NonZeroU64;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, FallocateFlags};

use crate::fault::StoreFault;

/// Only the node's own user reads or writes what it keeps.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// The most slices that the kernel accepts in one vectored write.
const SLICES_MAX: usize = 1_024;

/// Makes a folder and its parents, if it is not there, in a way that outlasts a power loss.
pub(crate) fn create_folder(path: &Path) -> Result<(), StoreFault> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(path)
        .map_err(StoreFault::io("create folder", path))?;
    sync_folder(&parent(path))
}

/// Makes the names in a folder last: a new or renamed file is not safe before this.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StoreFault> {
    let folder = File::open(path).map_err(StoreFault::io("open folder", path))?;
    hook(Operation::Sync).and_then(|()| folder.sync_all()).map_err(StoreFault::io("sync", path))
}

/// The folder that holds `path`.
pub(crate) fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Opens a file that is there, for reading and writing.
pub(crate) fn open(path: &Path) -> Result<File, StoreFault> {
    let opened = OpenOptions::new().read(true).write(true).open(path);
    opened.map_err(StoreFault::io("open", path))
}

/// Opens a file for reading and writing; makes it if it is not there, empties nothing.
pub(crate) fn open_or_create(path: &Path) -> Result<File, StoreFault> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE)
        .open(path)
        .map_err(StoreFault::io("create", path))
}

/// Makes a file at `path` whole or not at all: `fill` writes it under a temporary name, then it
/// is synced and renamed, and the folder is synced. Returns the open file.
pub(crate) fn create_whole(
    path: &Path,
    fill: impl FnOnce(&File, &Path) -> Result<(), StoreFault>,
) -> Result<File, StoreFault> {
    let temporary = temporary_name(path);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(FILE_MODE)
        .open(&temporary)
        .map_err(StoreFault::io("create", &temporary))?;
    fill(&file, &temporary)?;
    hook(Operation::Sync)
        .and_then(|()| file.sync_all())
        .map_err(StoreFault::io("sync", &temporary))?;
    std::fs::rename(&temporary, path).map_err(StoreFault::io("rename", &temporary))?;
    sync_folder(&parent(path))?;
    Ok(file)
}

/// The name under which [`create_whole`] writes; one left behind is a creation that never ended.
pub(crate) fn temporary_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(".new");
    PathBuf::from(name)
}

/// Reserves `bytes` for the file, reading as zeros, so that later syncs need not grow it.
pub(crate) fn preallocate(file: &File, path: &Path, bytes: u64) -> Result<(), StoreFault> {
    match rustix::fs::fallocate(file, FallocateFlags::empty(), 0, bytes) {
        Ok(()) => Ok(()),
        // Not every file system can; a sparse file behaves the same but for its speed.
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
            file.set_len(bytes).map_err(StoreFault::io("preallocate", path))
        }
        Err(errno) => Err(StoreFault::errno("preallocate", path)(errno)),
    }
}

/// Writes all of `slices`, one after another, from `offset` on.
pub(crate) fn write_all_at(
    file: &File,
    path: &Path,
    slices: &[&[u8]],
    mut offset: u64,
) -> Result<(), StoreFault> {
    let fault = StoreFault::io("write", path);
    if let Err(error) = hook(Operation::Write) {
        return Err(fault(error));
    }
    let mut slices: Vec<IoSlice<'_>> = slices.iter().map(|slice| IoSlice::new(slice)).collect();
    let mut rest = slices.as_mut_slice();
    while rest.iter().any(|slice| !slice.is_empty()) {
        let now = &rest[..rest.len().min(SLICES_MAX)];
        match rustix::io::pwritev(file, now, offset) {
            Ok(0) => return Err(fault(io::ErrorKind::WriteZero.into())),
            Ok(written) => {
                offset += written as u64;
                IoSlice::advance_slices(&mut rest, written);
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(fault(errno.into())),
        }
    }
    Ok(())
}

/// Waits until everything written to the file is on disk. A failure here is final: the kernel
/// may have dropped what it could not write, and says so once.
pub(crate) fn sync_data(file: &File, path: &Path) -> Result<(), StoreFault> {
    hook(Operation::Sync).and_then(|()| file.sync_data()).map_err(StoreFault::io("sync", path))
}

/// Has the system give up the pages in which it keeps `bytes` of a file from `offset` on, or with 0
/// all up to its end: whoever reads them next reads the disk. What is not on disk stays, and so do
/// parts of pages. It is advice, and a system that does not take it is only slower.
pub(crate) fn release_pages(file: &File, offset: u64, bytes: u64) {
    let _ = rustix::fs::fadvise(file, offset, NonZeroU64::new(bytes), Advice::DontNeed);
}

/// Fills `buffer` from `offset` on; `false` when the file ends before.
pub(crate) fn read_exact_at(
    file: &File,
    path: &Path,
    buffer: &mut [u8],
    offset: u64,
) -> Result<bool, StoreFault> {
    match file.read_exact_at(buffer, offset) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(StoreFault::io("read", path)(error)),
    }
}

/// The length of an open file in bytes.
pub(crate) fn length(file: &File, path: &Path) -> Result<u64, StoreFault> {
    Ok(file.metadata().map_err(StoreFault::io("read", path))?.len())
}

/// Writes a small text file whole.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<(), StoreFault> {
    create_whole(path, |mut file, temporary| {
        file.write_all(text.as_bytes()).map_err(StoreFault::io("write", temporary))
    })?;
    Ok(())
}

/// An operation that a test may make fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A write of bytes, before they are synced.
    Write,
    /// A sync of a file or folder.
    Sync,
}

#[cfg(not(test))]
#[allow(clippy::unnecessary_wraps)] // its twin under test fails
fn hook(_: Operation) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
use failing::hook;

/// Failures on demand, for the tests of this crate; one thread's failures are its own.
#[cfg(test)]
pub(crate) mod failing {
    use std::cell::Cell;
    use std::io;

    use super::Operation;

    thread_local! {
        static NEXT: Cell<Option<Operation>> = const { Cell::new(None) };
    }

    /// Makes this thread's next `operation` fail with an input/output error.
    pub(crate) fn fail_next(operation: Operation) {
        NEXT.set(Some(operation));
    }

    pub(super) fn hook(operation: Operation) -> io::Result<()> {
        if NEXT.get() == Some(operation) {
            NEXT.set(None);
            return Err(io::Error::from_raw_os_error(5));
        }
        Ok(())
    }
}
