//! The strikes of a peer, how many of them are forgiven, and for how long it is banned. Knows no
//! clock.

use std::time::{Duration, Instant};

use prometheus_client::encoding::EncodeLabelValue;

use crate::config::Limits;

/// How a peer broke the rules. The network strikes for the first five itself; for the others the
/// node does, through [`Network::strike`](crate::Network::strike).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelValue)]
pub enum Strike {
    /// A frame with a bad length.
    Frame,
    /// Bytes on a stream that runs the other way.
    WrongWay,
    /// A request with a bad length.
    Request,
    /// A response with a bad length.
    Response,
    /// Bytes on a link that are no frames, or streams that break the rules of the link.
    Link,
    /// A message, request or answer that does not decode.
    Undecodable,
    /// A consensus message of a node without voting power.
    Powerless,
    /// A vote or a proposal whose signature does not verify.
    Forged,
    /// A batch that can be valid nowhere: its bytes, its chain or its root are wrong.
    Batch,
    /// A batch of a key, kind or version that this node does not know. An honest peer sends some
    /// while a key is rotated, because nodes learn of it one after another.
    Unverifiable,
    /// A block or another answer that does not hold.
    Invalid,
    /// Two signed values for one step: proof of a cheat or of a key used twice.
    Equivocation,
}

/// How much a strike counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// A twelfth of a strike, and no more than that each second.
    Minor,
    /// An offence that counts as one strike.
    Full,
    /// A ban at once.
    Final,
}

/// Strikes of [`Weight::Minor`] that weigh as much as a full one.
const MINORS_PER_STRIKE: u32 = 12;
/// At most one strike of [`Weight::Minor`] counts in this time.
const MINOR_PAUSE: Duration = Duration::from_secs(1);
/// A peer that was not banned for so long is banned as if for the first time.
const BANS_FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);
/// The most doublings of a ban: far more than the longest ban allows.
const DOUBLINGS_MAX: u32 = 20;

impl Strike {
    /// Every kind of strike.
    pub const ALL: [Self; 12] = [
        Self::Frame,
        Self::WrongWay,
        Self::Request,
        Self::Response,
        Self::Link,
        Self::Undecodable,
        Self::Powerless,
        Self::Forged,
        Self::Batch,
        Self::Unverifiable,
        Self::Invalid,
        Self::Equivocation,
    ];

    const fn weight(self) -> Weight {
        match self {
            Self::Unverifiable => Weight::Minor,
            Self::Equivocation => Weight::Final,
            _ => Weight::Full,
        }
    }
}

/// Why the node dropped a peer's message that an honest peer may send too: counted, never a strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelValue)]
pub enum Ignored {
    /// It speaks of a height that is long committed.
    Late,
    /// It speaks of a height whose validators this node does not know yet.
    Ahead,
    /// The peer sent the same a moment ago.
    Duplicate,
    /// The peer sends more of its kind than is needed.
    OverBudget,
    /// A newer message of the peer took its place before it was handled.
    Replaced,
    /// The peer has lost its voting power a few blocks ago; the message is handled nevertheless.
    LostPower,
    /// A batch of an unknown key, kind or version, while this node is catching up.
    Unverifiable,
    /// The peer was banned before its message was handled.
    Banned,
}

impl Ignored {
    /// Every reason to ignore a message.
    pub const ALL: [Self; 8] = [
        Self::Late,
        Self::Ahead,
        Self::Duplicate,
        Self::OverBudget,
        Self::Replaced,
        Self::LostPower,
        Self::Unverifiable,
        Self::Banned,
    ];
}

/// The limits of strikes and bans.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    strikes_max: u32,
    strike_decay: Duration,
    ban: Duration,
    ban_max: Duration,
}

impl From<&Limits> for Rules {
    fn from(limits: &Limits) -> Self {
        Self {
            strikes_max: limits.strikes_max,
            strike_decay: limits.strike_decay,
            ban: limits.ban,
            ban_max: limits.ban_max.max(limits.ban),
        }
    }
}

/// A peer that is banned now, for its operator to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ban {
    /// Strikes of every kind since the last ban.
    pub(crate) count: u64,
    /// The length of the ban.
    pub(crate) length: Duration,
    pub(crate) until: Instant,
}

/// The offences of one peer lately.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The strikes that are not yet forgiven, as the time that forgives them: a strike adds
    /// `strike_decay`.
    debt: Duration,
    settled: Option<Instant>,
    minor: Option<Instant>,
    /// Bans in a row.
    bans: u32,
    last_ban_end: Option<Instant>,
    banned_until: Option<Instant>,
    /// Strikes since the last ban.
    count: u64,
    /// Strikes that no log line tells yet.
    unreported: [u64; Strike::ALL.len()],
}

impl Record {
    /// Counts a strike and decides whether the peer is banned for it.
    pub(crate) fn strike(&mut self, kind: Strike, now: Instant, rules: &Rules) -> Option<Ban> {
        if self.banned_until.is_some() {
            return None;
        }
        self.settle(now);
        self.count += 1;
        self.unreported[kind as usize] += 1;
        match kind.weight() {
            Weight::Final => return Some(self.ban(now, rules)),
            Weight::Full => self.debt += rules.strike_decay,
            Weight::Minor => {
                let is_new = |last| now.saturating_duration_since(last) >= MINOR_PAUSE;
                if self.minor.is_none_or(is_new) {
                    self.minor = Some(now);
                    self.debt += rules.strike_decay / MINORS_PER_STRIKE;
                }
            }
        }
        // What the moments between strikes forgave does not save a peer from its last one.
        let borne = rules.strike_decay * rules.strikes_max.saturating_sub(1);
        (self.debt > borne).then(|| self.ban(now, rules))
    }

    /// Forgives as much as the time since the last call has earned.
    fn settle(&mut self, now: Instant) {
        let settled = self.settled.replace(now).unwrap_or(now);
        self.debt = self.debt.saturating_sub(now.saturating_duration_since(settled));
        let is_old = |end| now.saturating_duration_since(end) >= BANS_FORGOTTEN_AFTER;
        if self.last_ban_end.is_some_and(is_old) {
            self.bans = 0;
        }
    }

    fn ban(&mut self, now: Instant, rules: &Rules) -> Ban {
        let doubled = 1_u32 << self.bans.min(DOUBLINGS_MAX);
        let length = rules.ban.saturating_mul(doubled).min(rules.ban_max);
        let (count, until) = (self.count, now + length);
        *self = Self {
            bans: self.bans.saturating_add(1),
            last_ban_end: Some(until),
            banned_until: Some(until),
            ..Self::default()
        };
        Ban { count, length, until }
    }

    /// The end of the ban, if the peer is banned.
    pub(crate) fn banned_until(&self) -> Option<Instant> {
        self.banned_until
    }

    /// Ends a ban whose time has passed; false if there is no such.
    pub(crate) fn pardon(&mut self, now: Instant) -> bool {
        let is_over = self.banned_until.is_some_and(|until| until <= now);
        if is_over {
            self.banned_until = None;
        }
        is_over
    }

    /// Takes back a ban that could not be carried out.
    pub(crate) fn lift(&mut self) {
        self.banned_until = None;
        self.bans = self.bans.saturating_sub(1);
    }

    /// Takes the kinds that no log line has reported yet, each with its count.
    pub(crate) fn take_unreported(&mut self) -> Vec<(Strike, u64)> {
        let counts = std::mem::take(&mut self.unreported);
        Strike::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn rules() -> Rules {
        Rules { strikes_max: 3, strike_decay: 60 * SECOND, ban: 30 * SECOND, ban_max: 600 * SECOND }
    }

    /// The strikes of `kind`, one each `pause`, until the peer is banned; none after `limit`.
    fn until_banned(kind: Strike, pause: Duration, limit: u32) -> Option<u32> {
        let (start, mut record) = (Instant::now(), Record::default());
        (1..=limit)
            .find(|count| record.strike(kind, start + pause * (count - 1), &rules()).is_some())
    }

    #[test]
    fn each_kind_bans_after_as_many_as_it_weighs() {
        let table = [
            ("three at once", Strike::Forged, Duration::ZERO, Some(3)),
            ("three within a minute", Strike::Powerless, 10 * SECOND, Some(3)),
            ("two a minute are too many", Strike::Batch, 30 * SECOND, Some(4)),
            ("one a minute is forgiven", Strike::Undecodable, 60 * SECOND, None),
            ("one is enough", Strike::Equivocation, SECOND, Some(1)),
            ("a burst of a rotation is not", Strike::Unverifiable, Duration::ZERO, None),
            ("half a minute of it is", Strike::Unverifiable, SECOND, Some(30)),
        ];
        for (what, kind, pause, expected) in table {
            assert_eq!(until_banned(kind, pause, 100_000), expected, "{what}");
        }
    }

    /// The length of the ban for an equivocation at `now`, whose end is pardoned.
    fn banned(record: &mut Record, now: &mut Instant) -> u64 {
        let ban = record.strike(Strike::Equivocation, *now, &rules()).map(|ban| ban.length);
        let length = ban.unwrap_or_default();
        assert!(record.strike(Strike::Forged, *now, &rules()).is_none(), "it is banned already");
        assert!(!record.pardon(*now), "not before its time");
        *now += length;
        assert!(record.pardon(*now));
        length.as_secs()
    }

    #[test]
    fn bans_double_up_to_the_longest_and_are_forgotten_after_an_hour_of_peace() {
        let (mut now, mut record) = (Instant::now(), Record::default());
        for seconds in [30, 60, 120, 240, 480, 600, 600] {
            assert_eq!(banned(&mut record, &mut now), seconds);
        }
        now += Duration::from_secs(3599);
        assert_eq!(banned(&mut record, &mut now), 600);
        now += Duration::from_secs(3600);
        assert_eq!(banned(&mut record, &mut now), 30);
    }

    #[test]
    fn a_ban_that_is_over_starts_with_no_strikes() {
        let (start, mut record) = (Instant::now(), Record::default());
        let strike = |record: &mut Record, now| record.strike(Strike::Forged, now, &rules());
        assert!(strike(&mut record, start).is_none() && strike(&mut record, start).is_none());
        let ban = strike(&mut record, start);
        assert_eq!(ban.map(|ban| (ban.count, ban.length)), Some((3, 30 * SECOND)));
        assert_eq!(record.take_unreported(), [], "the line of the ban told them");
        let end = start + 30 * SECOND;
        assert!(record.pardon(end));
        assert!(strike(&mut record, end).is_none() && strike(&mut record, end).is_none());
        assert_eq!(record.take_unreported(), [(Strike::Forged, 2)]);
        assert_eq!(record.take_unreported(), []);
    }
}
