//! Named places at which a test stops the gateway, so that it is seen to go on rightly from each.

use std::sync::atomic::{AtomicU64, Ordering};

/// Declares the places with their names.
macro_rules! crash_points {
    ($($(#[doc = $text:literal])+ $point:ident $name:literal,)*) => {
        /// A place at which the gateway can be stopped.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum CrashPoint { $($(#[doc = $text])+ $point,)* }

        impl CrashPoint {
            /// Every place, in the order of a turn.
            pub const ALL: &[Self] = &[$(Self::$point,)*];

            /// Returns the name of the place.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$point => $name,)* }
            }
        }
    };
}

crash_points! {
    /// A part of a record is in the journal.
    JournalTorn "journal-torn",
    /// A record is on disk, and nothing was done with it yet.
    JournalWritten "journal-written",
    /// The chain was asked, and its word is not in the journal.
    ChainAsked "chain-asked",
    /// A file of the bank was moved out of its folder, and nothing is known of it.
    FileClaimed "file-claimed",
    /// A file of the bank has its name of the content, and no record.
    FileNamed "file-named",
    /// A file of the bank is held, and has no record.
    FileHeld "file-held",
    /// A message is intended, and not put out.
    MessageIntended "message-intended",
    /// A message was written beside its place.
    MessageAside "message-aside",
    /// A message is out, and the journal does not say so.
    MessageOut "message-out",
    /// A batch is signed, and was not submitted.
    BatchSigned "batch-signed",
    /// A batch was submitted, and its answer is not in the journal.
    BatchSubmitted "batch-submitted",
}

/// Says where to stop: nowhere, unless a test says otherwise.
#[derive(Debug, Default)]
pub struct CrashPlan {
    /// Stop when this place is reached; any place if it is `None`.
    point: Option<CrashPoint>,
    /// Stop when it is reached for this time, from 1; never if it is 0.
    at: u64,
    reached: AtomicU64,
}

impl CrashPlan {
    /// Stops when `point` is reached for the `at`th time, or any place if there is none.
    pub fn at(point: Option<CrashPoint>, at: u64) -> Self {
        Self { point, at, reached: AtomicU64::new(0) }
    }

    /// Stops here if it is the place and the time.
    ///
    /// # Errors
    /// The place at which it stops.
    pub(crate) fn reach(&self, point: CrashPoint) -> Result<(), CrashPoint> {
        if self.is_stopped_by(point) { Err(point) } else { Ok(()) }
    }

    fn is_stopped_by(&self, point: CrashPoint) -> bool {
        if self.at == 0 || self.point.is_some_and(|wanted| wanted != point) {
            return false;
        }
        self.reached.fetch_add(1, Ordering::Relaxed) + 1 == self.at
    }
}
