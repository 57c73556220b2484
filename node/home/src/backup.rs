//! The manifest of a backup: a folder of block files with the genesis file and a manifest.
//!
//! | file | what it is |
//! |---|---|
//! | `blocks/00000001.blk`, ... | the chain up to the manifest's height |
//! | `genesis.toml` | the chain's genesis file, when the backup was told of it |
//! | `node.toml` | the configuration, when the backup was told of it; it holds no keys |
//! | `manifest.json` | chain, height, block, and every file above with its length and SHA-256 |
//! | `manifest.json.sha256` | the manifest's SHA-256, written last: without it a backup is none |

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chain_store::{BackupBlocks, BackupFile, StoreFault, block_file_path};
use chain_types::{ChainId, Digest, Height, hash};
use serde::{Deserialize, Serialize};

use node_console::exit::{Exit, WithExit as _, failure};

/// The name of the genesis file in a backup.
pub const GENESIS_FILE: &str = "genesis.toml";
/// The name of the node's configuration in a backup.
pub const CONFIG_FILE: &str = "node.toml";
const MANIFEST_FILE: &str = "manifest.json";
const CHECKSUM_FILE: &str = "manifest.json.sha256";
const FORMAT: &str = "sluice backup, format 1";
const FILE_MODE: u32 = 0o600;
/// A manifest of a million block files is smaller than this.
const MANIFEST_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The content of `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: String,
    /// The version of the program that wrote it.
    program: String,
    /// The time of the backup, for people.
    taken_at: String,
    chain_id: String,
    /// The last height in the blocks.
    pub height: u64,
    /// The block of that height.
    pub block_hash: String,
    files: Vec<ManifestFile>,
}

/// A file that the manifest names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestFile {
    name: String,
    bytes: u64,
    sha256: String,
}

impl ManifestFile {
    fn new(folder: &Path, path: &Path, file: &BackupFile) -> Self {
        let name = path.strip_prefix(folder).unwrap_or(path).display().to_string();
        Self { name, bytes: file.bytes, sha256: file.sha256.to_string() }
    }
}

impl Manifest {
    /// The manifest of what stands in `folder`: these blocks, and the files of these names.
    ///
    /// # Errors
    /// When one of the files cannot be read.
    pub fn new(
        folder: &Path,
        chain_id: ChainId,
        blocks: &BackupBlocks,
        others: &[&str],
    ) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        for name in others {
            let path = folder.join(name);
            let bytes = std::fs::read(&path).with_context(|| cannot("read", &path))?;
            let file = BackupFile { bytes: bytes.len() as u64, sha256: hash::sha256(&[&bytes]) };
            files.push(ManifestFile::new(folder, &path, &file));
        }
        for (number, file) in (1..).zip(&blocks.files) {
            files.push(ManifestFile::new(folder, &block_file_path(folder, number), file));
        }
        Ok(Self {
            format: FORMAT.to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            taken_at: format!("{:.0}", jiff::Timestamp::now()),
            chain_id: chain_id.to_string(),
            height: blocks.head.get(),
            block_hash: blocks.block.to_string(),
            files,
        })
    }

    /// Writes it, and after it the checksum by which the backup is whole.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let text = format!("{}\n", serde_json::to_string_pretty(self)?);
        write_file(&folder.join(MANIFEST_FILE), text.as_bytes())?;
        sync_folder(folder)?;
        let checksum = checksum_of(text.as_bytes());
        write_file(&folder.join(CHECKSUM_FILE), checksum.as_bytes())?;
        sync_folder(folder)
    }

    /// The manifest of the backup in `folder`, held against its checksum. The files besides the
    /// blocks are compared.
    ///
    /// # Errors
    /// When the folder is no whole backup, and when a file is not what was written: with its name.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let (path, checksum_path) = (folder.join(MANIFEST_FILE), folder.join(CHECKSUM_FILE));
        let checksum = read_part(&checksum_path, folder)?;
        let text = read_part(&path, folder)?;
        if checksum != checksum_of(&text).into_bytes() {
            let what = format!("its SHA-256 is not the one in {CHECKSUM_FILE}");
            return Err(differs(path, what));
        }
        let manifest: Self = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not a manifest", path.display()))
            .exit(Exit::Negative)?;
        if manifest.format != FORMAT {
            let message = format!(
                "{} has {:?}, but this program reads {FORMAT:?}; use the matching release",
                path.display(),
                manifest.format
            );
            return Err(failure(Exit::Usage, message));
        }
        manifest.compare_others(folder)?;
        Ok(manifest)
    }

    /// The chain.
    ///
    /// # Errors
    /// When the manifest names none.
    pub fn chain_id(&self) -> anyhow::Result<ChainId> {
        self.chain_id.parse().ok().context("the manifest names no chain").exit(Exit::Negative)
    }

    /// Returns the height of the last block.
    pub fn height(&self) -> Height {
        Height::new(self.height)
    }

    /// The block files, by number.
    ///
    /// # Errors
    /// When one is missing from the manifest, or its SHA-256 is none.
    pub fn block_files(&self, folder: &Path) -> anyhow::Result<Vec<BackupFile>> {
        let mut found = Vec::new();
        for file in self.files.iter().filter(|file| !is_other(file)) {
            let path = block_file_path(folder, found.len() + 1);
            let digest = Digest::from_hex(&file.sha256);
            let is_next = path == folder.join(&file.name);
            let Some(sha256) = digest.filter(|_| is_next) else {
                let what = format!("it does not list {} as a block file", file.name);
                return Err(differs(folder.join(MANIFEST_FILE), what));
            };
            found.push(BackupFile { bytes: file.bytes, sha256 });
        }
        Ok(found)
    }

    fn compare_others(&self, folder: &Path) -> anyhow::Result<()> {
        for file in self.files.iter().filter(|file| is_other(file)) {
            let path = folder.join(&file.name);
            let bytes = read_part(&path, folder)?;
            if hash::sha256(&[&bytes]).to_string() != file.sha256 {
                return Err(differs(path, format!("its SHA-256 is not {}", file.sha256)));
            }
        }
        Ok(())
    }
}

/// Returns true if the file is none of the blocks. Names of a manifest never lead anywhere else.
fn is_other(file: &ManifestFile) -> bool {
    [GENESIS_FILE, CONFIG_FILE].contains(&file.name.as_str())
}

/// Returns the checksum that `sha256sum manifest.json` prints.
fn checksum_of(manifest: &[u8]) -> String {
    format!("{}  {MANIFEST_FILE}\n", hash::sha256(&[manifest]))
}

/// Copies a small file into a backup.
///
/// # Errors
/// When it cannot be read, or the disk refuses.
pub fn copy_file(from: &Path, to: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(from).with_context(|| cannot("read", from))?;
    write_file(to, &bytes)
}

/// Removes what a backup that could not be ended has left.
pub fn discard(folder: &Path) {
    // Without its checksum it is no backup, whatever stays behind.
    for name in [CHECKSUM_FILE, MANIFEST_FILE, CONFIG_FILE, GENESIS_FILE] {
        let _ = std::fs::remove_file(folder.join(name));
    }
    let _ = std::fs::remove_dir_all(folder.join("blocks"));
}

fn differs(path: PathBuf, what: String) -> anyhow::Error {
    anyhow::Error::from(StoreFault::Backup { path, what }).context(Exit::Negative)
}

fn cannot(action: &str, path: &Path) -> String {
    format!("cannot {action} {}", path.display())
}

fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let options = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path);
    let written = options.and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.with_context(|| cannot("write", path))
}

fn sync_folder(folder: &Path) -> anyhow::Result<()> {
    File::open(folder).and_then(|open| open.sync_all()).with_context(|| cannot("sync", folder))
}

/// A file that a whole backup has.
fn read_part(path: &Path, folder: &Path) -> anyhow::Result<Vec<u8>> {
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            let message = format!(
                "{} is not a complete backup: {} is missing; it did not finish, or this is another \
                 folder",
                folder.display(),
                path.display()
            );
            failure(Exit::Usage, message)
        }
        _ => anyhow::Error::from(error).context(cannot("open", path)),
    })?;
    let mut bytes = Vec::new();
    let read = file.take(MANIFEST_BYTES_MAX).read_to_end(&mut bytes);
    read.with_context(|| cannot("read", path))?;
    Ok(bytes)
}
