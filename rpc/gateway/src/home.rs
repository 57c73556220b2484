//! A gateway's folder: its profile, its account book, its journal, and the folder that it shares
//! with the bank. One process works in it at a time.

use std::fs::File;
use std::path::{Path, PathBuf};

use chain_types::{ChainId, ParticipantId};
use rustix::fs::FlockOperation;

use crate::accounts::AccountBook;
use crate::fault::GatewayFault;
use crate::folder::BankFolder;
use crate::journal::{Journal, sync_folder, write_synced};
use crate::profile::BankProfile;
use crate::record::JournalRecord;

/// The profile of a new home.
const EXAMPLE_PROFILE: &str = include_str!("example/profile.toml");
/// The account book of a new home.
const EXAMPLE_ACCOUNTS: &str = include_str!("example/accounts.toml");

/// The files of a gateway's home.
#[derive(Debug, Clone)]
pub struct GatewayHome {
    folder: PathBuf,
}

impl GatewayHome {
    /// Names the home in a folder.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Makes a home with a profile and an account book to be filled in.
    ///
    /// # Errors
    /// When the folder has a journal already, or the disk fails.
    pub fn create(
        folder: &Path,
        chain: ChainId,
        gateway: ParticipantId,
    ) -> Result<Self, GatewayFault> {
        let home = Self::new(folder);
        if home.journal().exists() {
            return Err(GatewayFault::Exists(home.journal()));
        }
        BankFolder::create(&home.bank())?;
        for (path, text) in [(home.profile(), EXAMPLE_PROFILE), (home.accounts(), EXAMPLE_ACCOUNTS)]
        {
            if !path.exists() {
                write_synced(&path, text.as_bytes())?;
            }
        }
        // The journal is last: without it the folder is no home, and can be made again.
        Journal::create(&home.journal(), &begun(chain, gateway))?;
        sync_folder(folder)?;
        Ok(home)
    }

    /// Returns the path of the profile.
    pub fn profile(&self) -> PathBuf {
        self.folder.join("profile.toml")
    }

    /// Returns the path of the account book.
    pub fn accounts(&self) -> PathBuf {
        self.folder.join("accounts.toml")
    }

    /// Returns the path of the journal.
    pub fn journal(&self) -> PathBuf {
        self.folder.join("journal")
    }

    /// Returns the path of the folder that is shared with the bank.
    pub fn bank(&self) -> PathBuf {
        self.folder.join("bank")
    }

    /// Returns the path of the folder of reconciled days.
    pub fn days(&self) -> PathBuf {
        self.folder.join("days")
    }

    /// Reads the profile and the account book.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub fn load(&self) -> Result<(BankProfile, AccountBook), GatewayFault> {
        let read =
            |path: PathBuf| std::fs::read_to_string(&path).map_err(GatewayFault::io("read", &path));
        let profile = BankProfile::parse(&read(self.profile())?)?;
        let accounts = AccountBook::parse(&read(self.accounts())?)?;
        Ok((profile, accounts))
    }

    /// Locks the home for as long as the file is held.
    ///
    /// # Errors
    /// When another process works in it.
    pub fn lock(&self) -> Result<File, GatewayFault> {
        let path = self.folder.join("lock");
        let open = File::options().create(true).append(true).open(&path);
        let file = open.map_err(GatewayFault::io("opened", &path))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(GatewayFault::Locked(self.folder.clone())),
            Err(errno) => Err(GatewayFault::io("locked", &path)(errno.into())),
        }
    }
}

fn begun(chain: ChainId, gateway: ParticipantId) -> JournalRecord {
    JournalRecord::Begun { chain: chain.to_string(), gateway: gateway.get() }
}
