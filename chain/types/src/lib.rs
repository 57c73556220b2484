//! The words of Sluice and their bytes: ids, units, operations, batch, block, certificate,
//! receipt, proof, and the one codec that turns them into bytes.
//!
//! Nothing here opens a file or a socket, reads a clock or draws randomness. Every byte that
//! leaves a machine is described in `docs/wire-format.md`; the golden vectors in `tests/` hold
//! this crate and that page together.

pub mod account;
pub mod batch;
pub mod block;
pub mod change;
pub mod codec;
pub mod evidence;
pub mod executed;
pub mod handovers;
pub mod hash;
pub mod hash_many;
pub mod ids;
pub mod lineage;
pub mod merkle;
mod numbered;
pub mod operation;
pub mod parameters;
pub mod proof_bytes;
pub mod prove;
pub mod rate;
pub mod receipt;
pub mod record;
pub mod record_proof;
pub mod registry;
pub mod rejection;
pub mod sign;
pub mod status;
pub mod units;
pub mod validators;
pub mod votes;

pub use account::{AccountKey, AccountKind, LineAccount, SCHEME_OWNER};
pub use batch::{BatchError, BatchHeader, BatchKind, HashedBatch, SignedBatch, VerifiedBatch};
pub use block::{Block, BlockHeader, Certificate, CertificateError};
pub use change::{CashbackTier, Change, Programme};
pub use evidence::{Equivocation, EquivocationFlaw, EquivocationKind};
pub use executed::ExecutedBlock;
pub use handovers::Handovers;
pub use hash::Digest;
pub use ids::{
    BatchId, BlockHash, ChainId, InstructionId, MerchantId, OrderId, ParticipantId, ProposalId,
    QuoteId, TransferId, ValidatorId, WindowId,
};
pub use lineage::{Handover, Lineage, LineageError, Trust, Walk};
pub use numbered::UnknownName;
pub use operation::{
    ApprovalItem, ArrivalItem, BounceItem, CollectItem, ConsentItem, DebitingItem, Decision,
    FailureItem, FailureReason, Flags, HoldDecisionItem, HoldReason, LineItem, ListedChangeItem,
    MerchantItem, PolicyItem, PolicyScope, ProposalItem, QuoteItem, RateItem, RecallItem,
    RechargeItem, ReinstructItem, ReturnItem, ReturnReason, SettleWindowItem,
    SettlementDecisionItem, StepInItem, TransferAction, TransferDecisionItem, TransferItem,
    VoidItem, VoidReason,
};
pub use parameters::Parameters;
pub use proof_bytes::{PROOF_BYTES_MAX, ProofTooLarge};
pub use prove::Provable;
pub use rate::Rate;
pub use receipt::{Inclusion, Receipt, ReceiptError};
pub use record::{CauseKind, EntryCause, Location, RecordCursor};
pub use record_proof::{RecordInclusion, RecordProof, RecordProofError};
pub use registry::{
    ChainGenesis, House, LineKey, LiquidityLine, Merchant, Node, Participant, PartyKeys, ReadyKeys,
    RegistrarLimits, ReservationLine, Roles, Signers,
};
pub use rejection::{Outcome, Rejection};
pub use sign::{PublicKey, SecretKey, Signature};
pub use status::{BreachStage, InstructionState, OrderStatus, ProposalStatus, TransferStatus};
pub use units::{Amount, Currency, Height, Round, TimeMs};
pub use validators::{SetChange, Validator, ValidatorSet};
pub use votes::{Proposal, SignedProposal, SignedVote, Vote, VoteStep};
