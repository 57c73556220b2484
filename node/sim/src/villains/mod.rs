//! Hostile nodes, one kind a file. Each runs a real replica, or none, and stands between it and
//! the network: it sees all that its replica hears and says, changes it for each receiver, and says
//! more, signed with its own keys, at times of its own.

mod absent;
mod boaster;
mod censor;
mod early_starter;
mod equivocator;
mod false_evidence;
mod false_round;
mod far_rounds;
mod flooder;
mod framer;
mod hidden_lock;
mod moody;
mod refuser;
mod scene;
mod two_lists;
mod unknown_batch;
mod untimely;
mod villain;
mod withholder;

use boaster::Answers;
use equivocator::Difference;
pub use scene::Scene;
pub use villain::Villain;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $villain:expr;)*) => {
        /// A kind of hostile node.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// Every kind of hostile node.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// A hostile node of this kind.
            pub fn villain(self) -> Box<dyn Villain> {
                match self { $(Self::$kind => Box::new($villain),)* }
            }
        }
    };
}

kinds! {
    /// Is not there at all.
    Absent = absent::Absent;
    /// Says in each of its blocks that it was proposed in a later round.
    FalseRound = false_round::FalseRound::default();
    /// Proposes a block of a batch that does not exist, many times.
    UnknownBatch = unknown_batch::UnknownBatch;
    /// Shows its block with another batch list to some, and is silent after that.
    TwoLists = two_lists::TwoLists::default();
    /// Shows its block too early to one, and with its vote to the rest.
    Untimely = untimely::Untimely::default();
    /// Sends messages of every kind.
    Flooder = flooder::Flooder::default();
    /// Proposes for thousands of rounds.
    FarRounds = far_rounds::FarRounds::default();
    /// Says that it is far ahead.
    Boaster = boaster::Boaster::new(Answers::Honestly);
    /// Says that it is far ahead, and gives a block in nine seconds.
    SlowBoaster = boaster::Boaster::new(Answers::Slowly);
    /// Says that it is far ahead, and gives blocks that do not hold.
    FalseBoaster = boaster::Boaster::new(Answers::Falsely);
    /// Shows some a block late, and one of them its vote.
    HiddenLock = hidden_lock::HiddenLock::default();
    /// Begins each height at once.
    EarlyStarter = early_starter::EarlyStarter::default();
    /// Shows blocks of two times.
    TwoTimes = equivocator::Equivocator::new(Difference::Times);
    /// Shows a full block and an empty one.
    TwoBlocks = equivocator::Equivocator::new(Difference::Batches);
    /// Shows its blocks to nobody.
    Withholder = withholder::Withholder { shows_one: false };
    /// Shows its blocks to one.
    ShowsOne = withholder::Withholder { shows_one: true };
    /// Would have others accused.
    Framer = framer::Framer;
    /// Puts forged evidence into its blocks.
    FalseEvidence = false_evidence::FalseEvidence::default();
    /// Says that others' keys are used elsewhere.
    Refuser = refuser::Refuser;
    /// Leaves a submitter's batches out.
    Censor = censor::Censor;
    /// Is hostile in one way after the other.
    Moody = moody::Moody::default();
}
