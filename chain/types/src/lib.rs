//! The words of Sluice and their bytes: ids, units, operations, batch, block, certificate,
//! receipt, proof, and the one codec that turns them into bytes.
//!
//! Nothing here opens a file or a socket, reads a clock or draws randomness. Every byte that
//! leaves a machine is described in `docs/wire-format.md`; the golden vectors in `tests/` hold
//! this crate and that page together.

pub mod batch;
pub mod block;
pub mod codec;
pub mod hash;
pub mod ids;
pub mod merkle;
pub mod operation;
pub mod parameters;
pub mod prove;
pub mod receipt;
pub mod registry;
pub mod rejection;
pub mod sign;
pub mod units;
pub mod validators;

pub use batch::{BatchError, BatchHeader, BatchKind, SignedBatch, VerifiedBatch};
pub use block::{Block, BlockHeader, Certificate, CertificateError, Vote, VoteStep};
pub use hash::Digest;
pub use ids::{
    BatchId, BlockHash, ChainId, InstructionId, MerchantId, OrderId, ParticipantId, ValidatorId,
    WindowId,
};
pub use operation::{
    ArrivalItem, CollectItem, FailureItem, FailureReason, Flags, RechargeItem, VoidItem, VoidReason,
};
pub use parameters::Parameters;
pub use prove::Provable;
pub use receipt::{Inclusion, Receipt, ReceiptError};
pub use registry::{ChainGenesis, LiquidityLine, Merchant, Node, Participant, Roles};
pub use rejection::{Outcome, Rejection};
pub use sign::{PublicKey, SecretKey, Signature};
pub use units::{Amount, Currency, Height, Round, TimeMs};
pub use validators::{Validator, ValidatorSet};
