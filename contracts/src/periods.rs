//! Periods that end what began long ago: what began under one ends under it, also when governance
//! makes it shorter; a longer one holds for all, but for a grace, of which everybody was told when
//! it began.

use chain_state::Overlay;
use chain_types::{Parameters, TimeMs};

/// A parameter that says how long something may be done after it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    /// Returns, since the order's id.
    Return,
    /// Bounces, since the arrival.
    Bounce,
    /// The grace of reversals, since the collection.
    ReversalGrace,
}

impl Period {
    const ALL: [Self; 3] = [Self::Return, Self::Bounce, Self::ReversalGrace];

    fn name(self) -> &'static str {
        match self {
            Self::Return => "return_period_ms",
            Self::Bounce => "bounce_period_ms",
            Self::ReversalGrace => "reversal_grace_ms",
        }
    }

    fn of(self, parameters: &Parameters) -> u64 {
        match self {
            Self::Return => parameters.return_period_ms,
            Self::Bounce => parameters.bounce_period_ms,
            Self::ReversalGrace => parameters.reversal_grace_ms,
        }
    }

    /// The parameter's place in the list.
    fn number(self) -> u16 {
        let place = Parameters::NAMES.iter().position(|name| *name == self.name());
        place.and_then(|place| u16::try_from(place).ok()).unwrap_or(u16::MAX)
    }

    /// The longest that a chain can have.
    pub(crate) fn longest_ms(self) -> u64 {
        let bounds = Parameters::BOUNDS.get(usize::from(self.number()));
        bounds.map_or(u64::MAX, |(_, longest)| *longest)
    }
}

/// Returns true if a period is over for what began at `began`: the longest one that was in force
/// since.
pub(crate) fn is_over(overlay: &mut Overlay<'_>, period: Period, began: TimeMs) -> bool {
    let (time, present) = (overlay.time(), period.of(overlay.state().parameters()));
    if time <= began.plus(present) {
        return false;
    }
    let number = period.number();
    let periods = overlay.tables().past_periods();
    let past = periods.range((number, began)..=(number, TimeMs::new(u64::MAX)));
    let longest = past.map(|(_, length)| *length).max();
    longest.is_none_or(|longest| time > began.plus(longest))
}

/// The period that was in force in the block of `time`, no later than now.
pub(crate) fn at(overlay: &mut Overlay<'_>, period: Period, time: TimeMs) -> u64 {
    let number = period.number();
    let present = period.of(overlay.state().parameters());
    let periods = overlay.tables().past_periods();
    let first = periods.range((number, time)..=(number, TimeMs::new(u64::MAX))).next();
    first.map_or(present, |(_, length)| *length)
}

/// Keeps the periods that the block's changes of governance end.
pub(crate) fn note_changes(overlay: &mut Overlay<'_>) {
    let time = overlay.time();
    for period in Period::ALL {
        let before = period.of(overlay.state().parameters());
        if period.of(&overlay.next_registry().parameters) != before {
            overlay.tables().past_periods().put((period.number(), time), before);
        }
    }
}

/// Forgets periods under which nothing can be any more.
pub(crate) fn forget(overlay: &mut Overlay<'_>) {
    for period in Period::ALL {
        let (number, longest_ms) = (period.number(), period.longest_ms());
        let known = overlay.state().tables().past_periods.range((number, TimeMs::new(0))..);
        let over: Vec<(u16, TimeMs)> = known
            .map(|(key, _)| *key)
            .take_while(|(of, until)| *of == number && until.plus(longest_ms) < overlay.time())
            .collect();
        for key in over {
            overlay.tables().past_periods().remove(&key);
        }
    }
}
