//! The gateway at work. A turn asks the chain, takes the bank's files, puts out messages and
//! submits batches. What is decided is decided in `standing.rs` and `plan.rs`; here it is done, and
//! each act is in the journal before it is done.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use bytes::Bytes;
use chain_types::{
    ArrivalItem, BounceItem, ChainId, FailureItem, InstructionId, ParticipantId, SecretKey,
    SignedBatch, TimeMs,
};
use rpc_client::party::BATCH_VALID_MS;
use rpc_iso20022::{EndToEndId, read_each};

use crate::accounts::AccountBook;
use crate::books::GatewayBooks;
use crate::chain::{BatchAnswer, ChainPort, ChainSilence};
use crate::crash::{CrashPlan, CrashPoint};
use crate::fault::GatewayFault;
use crate::folder::{BankFolder, hash_of};
use crate::home::GatewayHome;
use crate::journal::Journal;
use crate::observe::{ChainFollower, seen_of};
use crate::plan::{GatewayPlan, is_late_already};
use crate::profile::BankProfile;
use crate::record::{
    ChainDeed, DeedKind, HeldFile, IntendedMessage, JournalRecord, MessagePurpose, SignedDeeds,
    TakenFile,
};
use crate::replay::JournalReplay;
use crate::sorted::SortedFile;
use crate::standing::{GatewayRules, HeldReason, RETRY_MS};

/// The identity that signs for the gateway, with its key.
#[derive(Debug, Clone)]
pub struct GatewaySigner {
    /// The chain that signatures are bound to.
    pub chain: ChainId,
    /// The gateway that signs, as a participant.
    pub gateway: ParticipantId,
    /// The gateway's secret key.
    pub key: SecretKey,
}

/// The counts of what a turn did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GatewayTurn {
    /// Instructions about which the chain said something new.
    pub seen: usize,
    /// Files of the bank that were taken.
    pub taken: usize,
    /// Messages that were put out.
    pub handed: usize,
    /// Statements that the chain took.
    pub said: usize,
    /// Attempts about which a person is called.
    pub held: usize,
    /// True if the chain could be asked.
    pub is_chain_heard: bool,
}

/// A gateway between the chain and its bank.
#[derive(Debug)]
pub struct BankGateway<C> {
    chain: C,
    signer: GatewaySigner,
    profile: BankProfile,
    accounts: AccountBook,
    folder: BankFolder,
    journal: Journal,
    books: GatewayBooks,
    follower: ChainFollower,
    held: BTreeMap<EndToEndId, HeldReason>,
    crash: CrashPlan,
    /// Held for as long as the gateway is.
    _lock: File,
}

impl<C: ChainPort> BankGateway<C> {
    /// Opens a home and goes on from its journal.
    ///
    /// # Errors
    /// When another process works in it, or a file of it cannot be used.
    pub fn open(
        home: &Path,
        signer: GatewaySigner,
        chain: C,
        crash: CrashPlan,
    ) -> Result<Self, GatewayFault> {
        let home = GatewayHome::new(home);
        let lock = home.lock()?;
        let (profile, accounts) = home.load()?;
        let folder = BankFolder::new(&home.bank());
        let mut replay = JournalReplay::default();
        let journal = Journal::open(&home.journal(), &mut |record| replay.take(record))?;
        replay.check_owner(signer.chain, signer.gateway)?;
        let books = replay.finish(&folder, &profile)?;
        folder.reclaim(|hash| books.has_file(hash))?;
        let (follower, held) = (ChainFollower::default(), BTreeMap::new());
        Ok(Self {
            chain,
            signer,
            profile,
            accounts,
            folder,
            journal,
            books,
            follower,
            held,
            crash,
            _lock: lock,
        })
    }

    /// Does what there is to do, once.
    ///
    /// # Errors
    /// When the disk fails: the process ends, and goes on from the journal when it starts again.
    pub async fn turn(&mut self, now: TimeMs) -> Result<GatewayTurn, GatewayFault> {
        let mut turn = GatewayTurn::default();
        let fresh = self.follow(&mut turn).await?;
        for path in self.folder.claim(&self.crash)? {
            turn.taken += usize::from(self.take(&path, now)?);
        }
        // What an earlier process had decided is done first, by the same bytes.
        let intended: Vec<IntendedMessage> = self.books.intended().cloned().collect();
        for message in &intended {
            self.hand(message, now)?;
        }
        let signed: Vec<SignedDeeds> = self.books.batches().cloned().collect();
        for batch in &signed {
            turn.said += self.submit(batch, now).await?;
        }
        let rules = GatewayRules { profile: &self.profile, accounts: &self.accounts, now };
        let mut plan = GatewayPlan::new(&self.books, &rules);
        plan.retain_fresh(&fresh);
        let messages = plan.messages(&self.books, &rules)?;
        self.books.close(&plan.done);
        self.report_held(&plan.held);
        turn.held = plan.held.len();
        for message in &messages {
            self.warn_of_lateness(message, now);
            self.record(&[JournalRecord::Intended(message.clone())])?;
            self.crash.reach(CrashPoint::MessageIntended)?;
            self.hand(message, now)?;
        }
        turn.handed = intended.len() + messages.len();
        let refused_ms = self.books.refused_ms().unwrap_or_default();
        if now.get() >= refused_ms.saturating_add(RETRY_MS) || refused_ms == 0 {
            for deeds in plan.batches() {
                let batch = self.sign(deeds, now);
                self.record(&[JournalRecord::Signed(batch.clone())])?;
                self.crash.reach(CrashPoint::BatchSigned)?;
                turn.said += self.submit(&batch, now).await?;
            }
        }
        Ok(turn)
    }

    /// Returns what the gateway knows.
    pub fn books(&self) -> &GatewayBooks {
        &self.books
    }

    /// Returns the attempts about which a person is called, as of the last turn.
    pub fn held(&self) -> &BTreeMap<EndToEndId, HeldReason> {
        &self.held
    }

    /// Brings records to disk, and then into the books.
    fn record(&mut self, records: &[JournalRecord]) -> Result<(), GatewayFault> {
        self.journal.append(records, &self.crash)?;
        records.iter().for_each(|record| self.books.apply(record));
        Ok(())
    }

    /// Asks the chain. Returns the instructions whose present state was heard just now.
    async fn follow(
        &mut self,
        turn: &mut GatewayTurn,
    ) -> Result<BTreeSet<InstructionId>, GatewayFault> {
        let reports = match self.follower.follow(&self.chain, &self.books).await {
            Ok(reports) => reports,
            Err(ChainSilence(problem)) => {
                tracing::warn!(problem, "chain is silent: nothing is paid until it is heard");
                return Ok(BTreeSet::new());
            }
        };
        turn.is_chain_heard = true;
        let seen = reports.iter().map(seen_of);
        let news = seen.filter(|seen| self.books.seen(seen.instruction) != Some(seen));
        let news: Vec<JournalRecord> = news.map(JournalRecord::Seen).collect();
        turn.seen = news.len();
        if !news.is_empty() {
            self.crash.reach(CrashPoint::ChainAsked)?;
            self.record(&news)?;
        }
        Ok(reports.into_iter().map(|report| report.instruction_id).collect())
    }

    /// Takes a claimed file of the bank. Returns true if it said something that is used.
    fn take(&mut self, path: &Path, now: TimeMs) -> Result<bool, GatewayFault> {
        let hash: Box<str> = hash_of(path)?.into();
        let name: Box<str> = path.file_name().unwrap_or_default().to_string_lossy().into();
        if self.books.has_file(&hash) {
            tracing::info!(file = &*name, "bank's file was taken before");
            self.folder.discard(path)?;
            return Ok(false);
        }
        let mut sorted = SortedFile::new(&self.books);
        let open = File::open(path).map_err(GatewayFault::io("opened", path))?;
        let read = read_each(BufReader::new(open), &self.profile.dialect, &mut |item| {
            sorted.take(item);
        });
        let about = sorted.about().iter().map(|id| id.to_string().into()).collect();
        let SortedFile { words, messages, findings, .. } = sorted;
        let file = TakenFile { hash, name, time_ms: now.get(), messages, about, findings };
        let problem = match (read, self.books.repeated_message(&file)) {
            (Err(flaw), _) => Some((flaw.name(), flaw.to_string())),
            (Ok(()), Some((message, id))) => {
                let cause = format!("another file had the {message} {id} with other content");
                Some(("message-id-reused", cause))
            }
            (Ok(()), None) => None,
        };
        if let Some((verdict, cause)) = problem {
            let TakenFile { hash, name, .. } = file;
            tracing::warn!(file = &*name, verdict, cause, "bank's file is held");
            let held = HeldFile { hash, name, verdict: verdict.into(), cause };
            self.folder.hold(path, &held)?;
            self.crash.reach(CrashPoint::FileHeld)?;
            self.record(&[JournalRecord::Held(held)])?;
            return Ok(false);
        }
        self.folder.keep(path, &file.hash)?;
        self.crash.reach(CrashPoint::FileNamed)?;
        self.record(&[JournalRecord::Taken(file)])?;
        self.books.hear(now.get(), words);
        Ok(true)
    }

    fn hand(&mut self, message: &IntendedMessage, now: TimeMs) -> Result<(), GatewayFault> {
        self.folder.put(&message.message, &message.xml, &self.crash)?;
        self.crash.reach(CrashPoint::MessageOut)?;
        let handed = JournalRecord::Handed { message: message.message.clone(), time_ms: now.get() };
        self.record(&[handed])
    }

    /// Submits a signed batch. Returns how many of its statements the chain has now; none if the
    /// chain is silent, and then the same bytes are submitted again.
    async fn submit(&mut self, batch: &SignedDeeds, now: TimeMs) -> Result<usize, GatewayFault> {
        // The journal's own digits, under its check.
        let bytes = hex::decode(&batch.bytes).unwrap_or_default();
        let (number, time_ms) = (batch.number, now.get());
        let (record, said) = match self.chain.submit(Bytes::from(bytes)).await {
            Err(ChainSilence(problem)) => {
                tracing::warn!(problem, number, "batch has no answer: it is submitted again");
                return Ok(0);
            }
            Ok(BatchAnswer::Refused(code)) => {
                tracing::warn!(code, number, "batch was refused: it is signed anew");
                (JournalRecord::Refused { number, code, time_ms }, 0)
            }
            Ok(BatchAnswer::Final(items)) => {
                let mut outcomes = vec![0; batch.deeds.len()];
                for (place, code) in items {
                    if let Some(outcome) = outcomes.get_mut(place as usize) {
                        *outcome = code;
                    }
                }
                let said = outcomes.iter().filter(|code| **code <= 1).count();
                (JournalRecord::Answered { number, outcomes, time_ms }, said)
            }
        };
        self.crash.reach(CrashPoint::BatchSubmitted)?;
        self.record(&[record])?;
        Ok(said)
    }

    /// Signs statements of one kind as one batch.
    fn sign(&self, deeds: &[ChainDeed], now: TimeMs) -> SignedDeeds {
        let GatewaySigner { chain, gateway, key } = &self.signer;
        let until = now.plus(BATCH_VALID_MS);
        let bytes = match deeds.first().map(|deed| deed.kind) {
            Some(DeedKind::Failure) => {
                let items: Vec<FailureItem> = deeds.iter().map(failure).collect();
                SignedBatch::sign(*chain, *gateway, key, until, &items)
            }
            Some(DeedKind::Bounce) => {
                let items: Vec<BounceItem> = deeds.iter().map(bounce).collect();
                SignedBatch::sign(*chain, *gateway, key, until, &items)
            }
            Some(DeedKind::Arrival) | None => {
                let items: Vec<ArrivalItem> = deeds.iter().map(arrival).collect();
                SignedBatch::sign(*chain, *gateway, key, until, &items)
            }
        };
        let number = self.books.next_batch();
        SignedDeeds { number, deeds: deeds.to_vec(), bytes: hex::encode(bytes) }
    }

    fn report_held(&mut self, held: &BTreeMap<EndToEndId, HeldReason>) {
        for (id, reason) in held {
            if self.held.get(id) != Some(reason) {
                tracing::warn!(attempt = %id, %reason, "attempt is held: a person decides");
            }
        }
        self.held.clone_from(held);
    }

    fn warn_of_lateness(&self, message: &IntendedMessage, now: TimeMs) {
        let rules = GatewayRules { profile: &self.profile, accounts: &self.accounts, now };
        let late = message.payments.iter().filter(|payment| {
            let attempt = self.books.attempt(payment.id);
            attempt.is_some_and(|attempt| is_late_already(&rules, attempt.deadline_ms))
        });
        let late = late.count();
        if message.purpose == MessagePurpose::Pay && late > 0 {
            let message = &*message.message;
            tracing::warn!(message, late, "bank's day ends after the deadline of payments");
        }
    }
}

fn reference(deed: &ChainDeed) -> [u8; 32] {
    let mut bytes = [0; 32];
    // The journal's own digits: they are 64.
    let _ = hex::decode_to_slice(&deed.reference, &mut bytes);
    bytes
}

fn arrival(deed: &ChainDeed) -> ArrivalItem {
    let amount = chain_types::Amount::new(deed.amount);
    ArrivalItem::new(deed.id.instruction, amount, reference(deed), deed.id.attempt)
}

fn failure(deed: &ChainDeed) -> FailureItem {
    FailureItem::new(deed.id.instruction, deed.reason, reference(deed), deed.id.attempt)
}

fn bounce(deed: &ChainDeed) -> BounceItem {
    BounceItem::new(deed.id.instruction, deed.reason, reference(deed), deed.id.attempt)
}
