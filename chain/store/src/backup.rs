//! Block files copied while a node writes them, and a new home made from the copy.
//!
//! A backup is a prefix of the chain: the block files up to a certificate. They only grow, so a
//! prefix never changes. Every frame's checksums tell whether it was whole when it was read, and
//! the copy ends at the last whole certificate. A certificate proves its block to anybody, also if
//! the node that wrote it loses it with the power a moment later.
//!
//! Nothing else of a home is taken. Index and checkpoint are made from the blocks again. A vote
//! guard, a consensus log or a key must never be copied: see [`crate::Cell`].

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use chain_types::hash::Sha256Pieces;
use chain_types::{BlockHash, ChainId, Digest, Height, codec};

use crate::block_files::{BLOCK_FILE_MAGIC, BLOCK_FILE_SUFFIX, BlockFile, Kind, number_of};
use crate::disk;
use crate::fault::{FETCH_REMEDY, StoreFault};
use crate::file_names::{BLOCKS_FOLDER, LOCK_FILE, MARKER_FILE, RESTORING_FOLDER};
use crate::frame::{FileHeader, FrameHeader, padding};
use crate::home::{Home, lock};
use crate::recovery::{StoredCertificate, next};

/// Bytes that are copied, and bytes that are handed to the disk, at a time.
const CHUNK_BYTES: usize = 1024 * 1024;
const BYTES_PER_SYNC: u64 = 8 * 1024 * 1024;
/// The newest block files stay in the system's memory: the node that writes them reads them.
const CACHED_FILES: u32 = 3;
/// The folder that a new file system has in its root; a backup into such a root ignores it.
const LOST_AND_FOUND: &str = "lost+found";

/// A block file of a backup. Its place in the list is its number, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupFile {
    /// The file's length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
}

/// The blocks of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupBlocks {
    /// The last height in it.
    pub head: Height,
    /// The block of that height.
    pub block: BlockHash,
    /// Its files, by number.
    pub files: Vec<BackupFile>,
}

/// The path of the block file of a number, from 1, in a home and in a backup.
pub fn block_file_path(folder: &Path, number: usize) -> PathBuf {
    folder.join(BLOCKS_FOLDER).join(format!("{number:08}{BLOCK_FILE_SUFFIX}"))
}

/// Copies the block files of the home in `home` into the folder `to`, up to the last certificate.
/// A node may run on the home meanwhile. `progress` learns of each file that is copied. Gives
/// `None`, and leaves no file, when the home holds no certified block yet. All of it is durable
/// when this returns.
///
/// # Errors
/// [`StoreFault::Occupied`] when `to` is not empty, [`StoreFault::Corrupt`] when the home's files
/// do not read back, [`StoreFault::Io`] when a disk refuses. The copy is removed then.
pub fn back_up_blocks(
    home: &Path,
    chain_id: ChainId,
    to: &Path,
    progress: &mut dyn FnMut(usize, &BackupFile),
) -> Result<Option<BackupBlocks>, StoreFault> {
    disk::create_folder(to)?;
    if !entries_but(to, &[LOST_AND_FOUND])?.is_empty() {
        return Err(StoreFault::Occupied { folder: to.to_path_buf() });
    }
    disk::create_folder(&to.join(BLOCKS_FOLDER))?;
    let taken = Taking::new(home, chain_id, to).and_then(|taking| taking.run(progress));
    if !matches!(taken, Ok(Some(_))) {
        // What it was is told; what is left of the copy is of no use, and the disk may be full.
        let _ = std::fs::remove_dir_all(to.join(BLOCKS_FOLDER));
    }
    taken
}

struct Taking<'a> {
    home: &'a Path,
    to: &'a Path,
    chain_id: ChainId,
    /// The last file when the copy began: where it ends, so that a slow copy ends at all.
    last: u32,
    head: Option<(Height, BlockHash)>,
    /// The last certificate: its file, where it ends, and the digest up to there.
    cut: Option<(usize, u64, Sha256Pieces)>,
    files: Vec<BackupFile>,
}

impl<'a> Taking<'a> {
    fn new(home: &'a Path, chain_id: ChainId, to: &'a Path) -> Result<Self, StoreFault> {
        let names = entries_but(&home.join(BLOCKS_FOLDER), &[])?;
        let last = names.iter().filter_map(|name| number_of(name)).max().unwrap_or(0);
        Ok(Self { home, to, chain_id, last, head: None, cut: None, files: Vec::new() })
    }

    fn run(
        mut self,
        progress: &mut dyn FnMut(usize, &BackupFile),
    ) -> Result<Option<BackupBlocks>, StoreFault> {
        for number in 1..=self.last {
            let file = self.copy_file(number)?;
            progress(number as usize, &file);
            self.files.push(file);
        }
        self.cut()
    }

    fn copy_file(&mut self, number: u32) -> Result<BackupFile, StoreFault> {
        let Some(source) = self.source(number)? else {
            let path = block_file_path(self.home, number as usize);
            return Err(StoreFault::Missing { path, remedy: FETCH_REMEDY });
        };
        let mut target = Target::create(block_file_path(self.to, number as usize))?;
        target.append(&[&source.header.to_bytes()])?;
        let mut stood_still = false;
        loop {
            let before = target.end;
            let take = |header, body: Vec<u8>| self.take(&source, &mut target, header, &body);
            source.frames().scan(before, take)?;
            let end = target.end;
            let beyond = match self.source(number + 1)? {
                Some(next) if next.header.previous_end == end => break,
                Some(next) => next.header.previous_end,
                None => match source.frames().find_after(end, |later| later.mark > end)? {
                    None => break,
                    Some(later) => later.offset,
                },
            };
            // A frame that was being written when it was read is whole the next time.
            if stood_still && end == before {
                let what = format!("no frame reads back there, but the file goes on to {beyond}");
                return Err(StoreFault::corrupt(&source.path, end, what));
            }
            stood_still = end == before;
        }
        if number + CACHED_FILES <= self.last {
            disk::release_pages(&source.file, 0, 0);
        }
        target.finish()
    }

    /// The block file of a number in the home, to be read; `None` when it is not there.
    fn source(&self, number: u32) -> Result<Option<BlockFile>, StoreFault> {
        let path = block_file_path(self.home, number as usize);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreFault::io("open", &path)(error)),
        };
        let header = FileHeader::read(&file, &path, BLOCK_FILE_MAGIC, number, self.chain_id)?;
        Ok(Some(BlockFile { file, path, header }))
    }

    fn take(
        &mut self,
        source: &BlockFile,
        target: &mut Target,
        header: FrameHeader,
        body: &[u8],
    ) -> Result<(), StoreFault> {
        let opening = header.to_bytes(source.header.salt);
        target.append(&[&opening, body, padding(u64::from(header.length))])?;
        if header.kind != Kind::Certificate as u8 {
            return Ok(());
        }
        let wrong = |what: String| StoreFault::corrupt(&source.path, header.offset, what);
        let stored: StoredCertificate = codec::decode(body, codec::DECODE_BYTES_MAX)
            .map_err(|error| wrong(format!("a certificate that does not decode: {error}")))?;
        let (height, block) = (stored.certificate.height, stored.certificate.block);
        let expected = next(self.head.map(|(head, _)| head));
        if height != expected {
            return Err(wrong(format!("a certificate of height {height}, not {expected}")));
        }
        self.head = Some((height, block));
        self.cut = Some((header.file as usize, target.end, target.digest.clone()));
        Ok(())
    }

    /// Cuts off what follows the last certificate.
    fn cut(mut self) -> Result<Option<BackupBlocks>, StoreFault> {
        let (Some((head, block)), Some((last, bytes, digest))) = (self.head, self.cut) else {
            return Ok(None);
        };
        for number in last + 1..=self.files.len() {
            let path = block_file_path(self.to, number);
            std::fs::remove_file(&path).map_err(StoreFault::io("remove", &path))?;
        }
        let path = block_file_path(self.to, last);
        let file = disk::open(&path)?;
        file.set_len(bytes).map_err(StoreFault::io("truncate", &path))?;
        file.sync_all().map_err(StoreFault::io("sync", &path))?;
        self.files.truncate(last - 1);
        self.files.push(BackupFile { bytes, sha256: digest.finish() });
        disk::sync_folder(&self.to.join(BLOCKS_FOLDER))?;
        disk::sync_folder(self.to)?;
        Ok(Some(BackupBlocks { head, block, files: self.files }))
    }
}

/// A file that is being copied to.
struct Target {
    file: File,
    path: PathBuf,
    end: u64,
    synced: u64,
    digest: Sha256Pieces,
}

impl Target {
    fn create(path: PathBuf) -> Result<Self, StoreFault> {
        let file = disk::open_or_create(&path)?;
        Ok(Self { file, path, end: 0, synced: 0, digest: Sha256Pieces::default() })
    }

    fn append(&mut self, parts: &[&[u8]]) -> Result<(), StoreFault> {
        disk::write_all_at(&self.file, &self.path, parts, self.end)?;
        for part in parts {
            self.digest.update(part);
            self.end += part.len() as u64;
        }
        // Little at a time: a node may wait for the same disk.
        if self.end - self.synced >= BYTES_PER_SYNC { self.sync() } else { Ok(()) }
    }

    fn sync(&mut self) -> Result<(), StoreFault> {
        disk::sync_data(&self.file, &self.path)?;
        disk::release_pages(&self.file, self.synced, self.end - self.synced);
        self.synced = self.end;
        Ok(())
    }

    fn finish(mut self) -> Result<BackupFile, StoreFault> {
        self.sync()?;
        Ok(BackupFile { bytes: self.end, sha256: self.digest.finish() })
    }
}

/// A home in the making, which no node opens before it is finished. It stands in a folder within
/// its target, which is locked meanwhile. Dropped before that, it is removed.
#[derive(Debug)]
pub struct NewHome {
    target: PathBuf,
    is_finished: bool,
    /// Closing it gives up the lock.
    _lock: File,
}

impl NewHome {
    /// Begins a home of a chain in the folder `target`, which is made if it is not there.
    ///
    /// # Errors
    /// [`StoreFault::Occupied`] when the folder holds anything but what a restore that never ended
    /// has left, [`StoreFault::Locked`] when another process makes a home there.
    pub fn begin(target: &Path, chain_id: ChainId) -> Result<Self, StoreFault> {
        disk::create_folder(target)?;
        let allowed = [LOCK_FILE, RESTORING_FOLDER, LOST_AND_FOUND];
        if !entries_but(target, &allowed)?.is_empty() {
            return Err(StoreFault::Occupied { folder: target.to_path_buf() });
        }
        let lock = lock(target)?;
        let home = Self { target: target.to_path_buf(), is_finished: false, _lock: lock };
        home.discard()?;
        drop(Home::open(&home.folder(), chain_id)?);
        Ok(home)
    }

    /// Returns the folder of the home until it is finished, for [`crate::Store::open`].
    pub fn folder(&self) -> PathBuf {
        self.target.join(RESTORING_FOLDER)
    }

    /// Copies the block files of the backup in `from`, and compares each with what `files` says of
    /// it. `progress` learns of each.
    ///
    /// # Errors
    /// [`StoreFault::Backup`] with the file that differs, [`StoreFault::WrongChain`].
    pub fn copy_blocks(
        &self,
        from: &Path,
        files: &[BackupFile],
        progress: &mut dyn FnMut(usize, &BackupFile),
    ) -> Result<(), StoreFault> {
        for (number, listed) in (1..).zip(files) {
            let source = block_file_path(from, number);
            let copied = copy(&source, block_file_path(&self.folder(), number))?;
            let what = match copied {
                copied if copied.bytes != listed.bytes => {
                    format!("it has {} bytes, not {}", copied.bytes, listed.bytes)
                }
                copied if copied.sha256 != listed.sha256 => {
                    format!("its SHA-256 is {}, not {}", copied.sha256, listed.sha256)
                }
                _ => {
                    progress(number, listed);
                    continue;
                }
            };
            return Err(StoreFault::Backup { path: source, what });
        }
        disk::sync_folder(&self.folder().join(BLOCKS_FOLDER))
    }

    /// Moves the home to its place. A store that was opened on it is closed. The file that makes it
    /// a home comes last.
    ///
    /// # Errors
    /// [`StoreFault::Io`] when the disk refuses; no node opens the folder then.
    pub fn finish(mut self) -> Result<(), StoreFault> {
        let from = self.folder();
        let mut names = entries_but(&from, &[LOCK_FILE, MARKER_FILE])?;
        names.push(MARKER_FILE.to_owned());
        for name in names {
            if name == MARKER_FILE {
                disk::sync_folder(&self.target)?;
            }
            let path = from.join(&name);
            let moved = std::fs::rename(&path, self.target.join(&name));
            moved.map_err(StoreFault::io("rename", &path))?;
        }
        self.is_finished = true;
        self.discard()?;
        disk::sync_folder(&self.target)
    }

    fn discard(&self) -> Result<(), StoreFault> {
        let folder = self.folder();
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreFault::io("remove", &folder)(error))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for NewHome {
    fn drop(&mut self) {
        if !self.is_finished {
            // What is left behind is removed by the next restore, and no node opens it.
            let _ = self.discard();
        }
    }
}

fn copy(from: &Path, to: PathBuf) -> Result<BackupFile, StoreFault> {
    let mut source = match File::open(from) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let what = "it is not there".to_owned();
            return Err(StoreFault::Backup { path: from.to_path_buf(), what });
        }
        Err(error) => return Err(StoreFault::io("open", from)(error)),
    };
    let mut target = Target::create(to)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let size = source.read(&mut chunk).map_err(StoreFault::io("read", from))?;
        if size == 0 {
            return target.finish();
        }
        target.append(&[&chunk[..size]])?;
    }
}

/// The names in a folder, but for these.
fn entries_but(folder: &Path, but: &[&str]) -> Result<Vec<String>, StoreFault> {
    let fault = || StoreFault::io("list", folder);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fault())? {
        let name = entry.map_err(fault())?.file_name().to_string_lossy().into_owned();
        if !but.contains(&name.as_str()) {
            names.push(name);
        }
    }
    Ok(names)
}
