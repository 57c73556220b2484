//! From a journal's records to books, at a start: the records first, and then what the bank said in
//! the files that they name.

use std::fs::File;
use std::io::BufReader;

use chain_types::{ChainId, Digest, ParticipantId};
use rpc_iso20022::{EndToEndId, read_each};

use crate::books::{AttemptState, GatewayBooks};
use crate::fault::GatewayFault;
use crate::folder::{BankFolder, hash_of};
use crate::home::GatewayHome;
use crate::journal::Journal;
use crate::profile::BankProfile;
use crate::record::{JournalRecord, TakenFile};
use crate::sorted::SortedFile;

/// How long the files of instructions that arrived are read again at a start, in milliseconds: the
/// days in which money comes back.
const REREAD_MS: u64 = 30 * 86_400_000;

/// A journal that is being replayed.
#[derive(Debug, Default)]
pub(crate) struct JournalReplay {
    books: Option<GatewayBooks>,
    files: Vec<TakenFile>,
}

impl JournalReplay {
    /// Takes the next record. The first one says whose journal it is.
    pub(crate) fn take(&mut self, record: JournalRecord) {
        match (&mut self.books, record) {
            (None, JournalRecord::Begun { chain, gateway }) => {
                let chain = Digest::from_hex(&chain).map(ChainId::new);
                self.books = chain.map(|chain| GatewayBooks::new(chain, gateway));
            }
            (None, _) => {}
            (Some(books), record) => {
                books.apply(&record);
                if let JournalRecord::Taken(file) = record {
                    self.files.push(file);
                }
            }
        }
    }

    /// Compares whose journal it is with whose it should be.
    ///
    /// # Errors
    /// When it is another's.
    pub(crate) fn check_owner(
        &self,
        chain: ChainId,
        gateway: ParticipantId,
    ) -> Result<(), GatewayFault> {
        let text = |chain: ChainId, gateway: u32| format!("gateway {gateway} of chain {chain}");
        let expected = text(chain, gateway.get());
        let found = self.books.as_ref().map(|books| text(books.chain, books.gateway));
        let found = found.unwrap_or_else(|| "nobody".to_owned());
        if found == expected { Ok(()) } else { Err(GatewayFault::Stranger { found, expected }) }
    }

    /// Returns the books, with what the bank said.
    ///
    /// # Errors
    /// When a file of the bank is missing or changed.
    pub(crate) fn finish(
        self,
        folder: &BankFolder,
        profile: &BankProfile,
    ) -> Result<GatewayBooks, GatewayFault> {
        let mut books = self.books.ok_or(GatewayFault::Damaged { offset: 0 })?;
        hear_again(&mut books, &self.files, folder, profile)?;
        Ok(books)
    }
}

/// Reads what a gateway knows, without its lock: it may be at work.
///
/// # Errors
/// When the journal or a file that it rests on cannot be used.
pub fn read_books(home: &GatewayHome, profile: &BankProfile) -> Result<GatewayBooks, GatewayFault> {
    let mut replay = JournalReplay::default();
    Journal::read(&home.journal(), &mut |record| replay.take(record))?;
    replay.finish(&BankFolder::new(&home.bank()), profile)
}

/// Reads taken files again, as far as they speak of attempts that are not long done.
fn hear_again(
    books: &mut GatewayBooks,
    files: &[TakenFile],
    folder: &BankFolder,
    profile: &BankProfile,
) -> Result<(), GatewayFault> {
    let newest_ms = files.iter().map(|file| file.time_ms).max().unwrap_or_default();
    for file in files {
        let is_recent = file.time_ms.saturating_add(REREAD_MS) > newest_ms;
        let mut about = file.about.iter().filter_map(|text| text.parse::<EndToEndId>().ok());
        let is_open = about.any(|id| {
            let state = books.attempt(id).map(|attempt| attempt.state);
            is_recent || state != Some(AttemptState::Arrived)
        });
        if !is_open {
            continue;
        }
        let path = folder.taken(&file.hash);
        let lost = |_| GatewayFault::Evidence(path.clone());
        if hash_of(&path).map_err(lost)? != *file.hash {
            return Err(GatewayFault::Evidence(path));
        }
        let open = File::open(&path).map_err(GatewayFault::io("opened", &path))?;
        let mut sorted = SortedFile::new(books);
        let read = read_each(BufReader::new(open), &profile.dialect, &mut |item| {
            sorted.take(item);
        });
        if read.is_err() {
            // It could be read once: the profile lists less than it did.
            return Err(GatewayFault::Evidence(path));
        }
        let words = sorted.words;
        books.hear(file.time_ms, words);
    }
    Ok(())
}
