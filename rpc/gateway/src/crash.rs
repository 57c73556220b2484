//! Named places at which a test stops the gateway, so that it is seen to go on rightly from each:
//! within a test's process by an error, and in a process of its own by SIGKILL.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Signal, getpid, kill_process};

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

/// The name of all places together.
const ANY: &str = "any";

/// A text that names no place with a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a place and a number from 1, such as message-out:2; places are {places}")]
pub struct KillPlaceFault {
    found: String,
    places: String,
}

/// A place at which the process kills itself, and the number of the pass at which it does: the
/// text `message-out:2` is the second time that a message is out. `any:40` is the fortieth place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KillPlace {
    point: Option<CrashPoint>,
    at: u64,
}

impl FromStr for KillPlace {
    type Err = KillPlaceFault;

    fn from_str(text: &str) -> Result<Self, KillPlaceFault> {
        let named = |name: &str| CrashPoint::ALL.iter().find(|each| each.name() == name).copied();
        let read = || {
            let (name, number) = text.split_once(':')?;
            let at = number.parse().ok().filter(|at| *at > 0)?;
            let point = if name == ANY { None } else { Some(named(name)?) };
            Some(Self { point, at })
        };
        read().ok_or_else(|| {
            let names = CrashPoint::ALL.iter().map(|each| each.name());
            let places: Vec<&str> = std::iter::once(ANY).chain(names).collect();
            KillPlaceFault { found: text.to_owned(), places: places.join(", ") }
        })
    }
}

/// Says where to stop: nowhere, unless a test says otherwise.
#[derive(Debug, Default)]
pub struct CrashPlan {
    /// Stop when this place is reached; any place if it is `None`.
    point: Option<CrashPoint>,
    /// Stop when it is reached for this time, from 1; never if it is 0.
    at: u64,
    /// Stop by SIGKILL, and not by an error.
    kills: bool,
    reached: AtomicU64,
}

impl CrashPlan {
    /// Stops when `point` is reached for the `at`th time, or any place if there is none.
    pub fn at(point: Option<CrashPoint>, at: u64) -> Self {
        Self { point, at, kills: false, reached: AtomicU64::new(0) }
    }

    /// Kills the process at a place, as `kill -9` does: nothing is flushed and nothing is closed.
    pub fn kill_at(place: KillPlace) -> Self {
        Self { kills: true, ..Self::at(place.point, place.at) }
    }

    /// Stops here if it is the place and the time.
    ///
    /// # Errors
    /// The place at which it stops.
    pub(crate) fn reach(&self, point: CrashPoint) -> Result<(), CrashPoint> {
        if self.pass(point) { Err(self.stop(point)) } else { Ok(()) }
    }

    /// Counts that a place is reached. Returns true if the gateway is to stop there.
    pub(crate) fn pass(&self, point: CrashPoint) -> bool {
        if self.at == 0 || self.point.is_some_and(|wanted| wanted != point) {
            return false;
        }
        self.reached.fetch_add(1, Ordering::Relaxed) + 1 == self.at
    }

    /// Stops: returns the place for an error, or does not return.
    pub(crate) fn stop(&self, point: CrashPoint) -> CrashPoint {
        if self.kills {
            // A signal to oneself arrives before the call returns.
            let _ = kill_process(getpid(), Signal::KILL);
            std::process::abort();
        }
        point
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn places_are_read_by_their_names() {
        for point in CrashPoint::ALL {
            let place: KillPlace = format!("{}:3", point.name()).parse().unwrap();
            assert_eq!(place, KillPlace { point: Some(*point), at: 3 });
        }
        assert_eq!("any:40".parse(), Ok(KillPlace { point: None, at: 40 }));
        for wrong in ["", "message-out", "message-out:0", "message-out:x", "nowhere:1", "any"] {
            let fault = wrong.parse::<KillPlace>().unwrap_err().to_string();
            assert!(fault.contains("any, journal-torn"), "{fault}");
        }
    }
}
