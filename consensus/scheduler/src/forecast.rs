//! The next hour, explained: additive Holt-Winters in integers over minute buckets, with a season
//! of a day and one of a week, and events that were declared.
//!
//! After Taylor (2003): the mean and its slope move slowly, the seasons are learned beside them,
//! and the present deviation from all three is carried forward, a little less each minute. A
//! forecast moves what can be moved: checkpoints, archiving, reads of history. It never decides
//! about an order. What it says is the sum of what it prints: level, trend, season and event.

use std::collections::VecDeque;
use std::fmt;

/// Minutes of a day, each with a season of its own.
const DAY: u64 = 1_440;
/// Hours of a week, each with a season of its own beside the day's.
const WEEK_HOURS: u64 = 168;
/// The number of minutes ahead that are forecast.
pub const HORIZON_MINUTES: u64 = 60;
/// The most declared events.
pub const EVENTS_MAX: usize = 64;
/// Values are kept with this many parts a unit.
const UNIT: i64 = 1 << 16;
/// The largest value that is learned from, in items a minute: a thousand million a second.
const VALUE_MAX: u64 = 1 << 36;
/// The largest value with events, in parts.
const EVENT_MAX: i64 = 1 << 60;
/// The mean follows over two days, once two days are known.
const MEAN_MINUTES: i64 = 2 * DAY as i64;
/// The slope of the mean follows this many times as slowly.
const SLOPE_FACTOR: i64 = 4 * MEAN_MINUTES;
/// The deviation from mean and seasons follows over this many minutes.
const DEVIATION_MINUTES: i64 = 20;
/// The part of the deviation that is left after a minute, in thousandths.
const DAMPING: i64 = 998;
/// A minute of the day follows by one part in this many, once it was seen as often.
const DAY_SEEN: i64 = 16;
/// An hour of the week follows by one part in this many, a minute.
const WEEK_PARTS: i64 = 90;

/// Something that was announced: the load is multiplied from one minute to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeclaredEvent {
    /// The first minute since the Unix epoch.
    pub from_minute: u64,
    /// The minute after the last.
    pub until_minute: u64,
    /// The factor in thousandths: 12,000 is twelve times the usual load.
    pub factor_permille: u32,
}

/// The forecast of one minute as a sum of parts; all are in items a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForecastPoint {
    /// The minute since the Unix epoch.
    pub minute: u64,
    /// The usual load lately, in items a minute.
    pub level: i64,
    /// The load's rise until that minute, in items a minute; a fall is negative.
    pub trend: i64,
    /// The part of the time of day and of the week, in items a minute.
    pub season: i64,
    /// The part of declared events, in items a minute.
    pub event: i64,
    /// The lower end of the interval, in items a minute.
    pub low: u64,
    /// The upper end of the interval, in items a minute.
    pub high: u64,
}

impl ForecastPoint {
    /// Returns the value that is forecast, in items a minute: the sum of its parts, not below zero.
    pub fn items(&self) -> u64 {
        u64::try_from(self.level + self.trend + self.season + self.event).unwrap_or(0)
    }
}

impl fmt::Display for ForecastPoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { minute, level, trend, season, event, low, high } = self;
        let (hour, rest) = (minute % DAY / 60, minute % 60);
        write!(
            formatter,
            "{hour:02}:{rest:02} {} = level {level} {trend:+} trend {season:+} season {event:+} \
             event; {low} to {high}",
            self.items()
        )
    }
}

/// A forecast for one submitter, or for all together, learned from minutes of load: 14 KiB.
#[derive(Debug, Clone)]
pub struct Forecast {
    next_minute: Option<u64>,
    /// The minutes that were learned.
    learned: i64,
    mean: i64,
    slope: i64,
    deviation: i64,
    day: Vec<i64>,
    /// The number of times that each minute of the day was seen, up to 255.
    day_seen: Vec<u8>,
    week: Vec<i64>,
    events: Vec<DeclaredEvent>,
    /// The forecasts for the next minutes that were made an hour before, each with its minute.
    pending: VecDeque<(u64, i64)>,
    /// The mean absolute error of a minute ahead and of an hour ahead.
    error_near: i64,
    error_far: i64,
}

impl Default for Forecast {
    fn default() -> Self {
        Self {
            next_minute: None,
            learned: 0,
            mean: 0,
            slope: 0,
            deviation: 0,
            day: vec![0; DAY as usize],
            day_seen: vec![0; DAY as usize],
            week: vec![0; WEEK_HOURS as usize],
            events: Vec::new(),
            pending: VecDeque::new(),
            error_near: 0,
            error_far: 0,
        }
    }
}

impl Forecast {
    /// Declares an event. Returns false when its times or its factor make no sense, or when there
    /// are [`EVENTS_MAX`] already that are not over.
    pub fn declare(&mut self, event: DeclaredEvent) -> bool {
        let now = self.next_minute.unwrap_or(0);
        self.events.retain(|other| other.until_minute > now);
        let is_sound = event.from_minute < event.until_minute && event.factor_permille > 0;
        let is_taken = is_sound && self.events.len() < EVENTS_MAX;
        if is_taken {
            self.events.push(event);
        }
        is_taken
    }

    /// Learns the items of a minute. Minutes come in order; those that are left out count as
    /// unknown, and one that was learned already is ignored.
    pub fn record(&mut self, minute: u64, items: u64) {
        let value = self.without_events(minute, items.min(VALUE_MAX));
        if self.next_minute.is_some_and(|next| minute < next) {
            return;
        }
        self.next_minute = Some(minute.saturating_add(1));
        let (at, hour) = places(minute);
        let error = value - self.mean - self.season(minute);
        self.error_near += ((error - self.deviation).abs() - self.error_near) / 64;
        self.record_far(minute, value);
        self.learned = (self.learned + 1).min(MEAN_MINUTES);
        self.mean += self.slope + error / self.learned;
        if self.learned == MEAN_MINUTES {
            self.slope += error / MEAN_MINUTES / SLOPE_FACTOR;
        }
        self.deviation += (error - self.deviation) / DEVIATION_MINUTES;
        let seen = i64::from(self.day_seen[at]);
        self.day[at] += error / (seen + 1).min(DAY_SEEN);
        self.day_seen[at] = self.day_seen[at].saturating_add(1);
        if seen > 0 {
            self.week[hour] += error / WEEK_PARTS;
        }
        self.pending.push_back((
            minute.saturating_add(HORIZON_MINUTES),
            self.usual(minute, HORIZON_MINUTES),
        ));
    }

    fn record_far(&mut self, minute: u64, value: i64) {
        while let Some((forecast_minute, forecast)) = self.pending.front().copied() {
            if forecast_minute > minute {
                return;
            }
            self.pending.pop_front();
            if forecast_minute == minute {
                let error = (value - forecast).abs();
                self.error_far += (error - self.error_far) / 64;
            }
        }
    }

    /// Forecasts the minute that is `ahead` minutes after the last one that was learned, at least 1
    /// and at most an hour. `None` before anything was learned.
    pub fn ahead(&self, ahead: u64) -> Option<ForecastPoint> {
        let ahead = ahead.clamp(1, HORIZON_MINUTES);
        let last = self.next_minute?.saturating_sub(1);
        let minute = last.saturating_add(ahead);
        let usual = self.usual(last, ahead);
        let event = self.with_events(minute, usual.max(0)) - usual.max(0);
        let span = i64::try_from(ahead).unwrap_or(1);
        let far = self.error_far.max(self.error_near);
        let error = self.error_near + (far - self.error_near) * span / HORIZON_MINUTES as i64;
        // 2.5 mean absolute errors hold 95 % of normal errors. An event's size is a guess.
        let width = error * 5 / 2 + event.abs() / 4;
        let items = |value: i64| u64::try_from(value / UNIT).unwrap_or(0);
        Some(ForecastPoint {
            minute,
            level: (self.mean + self.deviation) / UNIT,
            trend: self.trend(ahead) / UNIT,
            season: self.season(minute) / UNIT,
            event: event / UNIT,
            low: items(usual + event - width),
            high: items(usual + event + width),
        })
    }

    /// Forecasts the whole next hour.
    pub fn hour(&self) -> impl Iterator<Item = ForecastPoint> + '_ {
        (1..=HORIZON_MINUTES).filter_map(|ahead| self.ahead(ahead))
    }

    fn usual(&self, last: u64, ahead: u64) -> i64 {
        self.mean + self.deviation + self.trend(ahead) + self.season(last.saturating_add(ahead))
    }

    /// Returns the move of the level within `ahead` minutes: along its slope, and back to the mean.
    fn trend(&self, ahead: u64) -> i64 {
        let left = (0..ahead).fold(self.deviation, |left, _| left / 1_000 * DAMPING);
        self.slope * i64::try_from(ahead).unwrap_or(0) + left - self.deviation
    }

    fn season(&self, minute: u64) -> i64 {
        let (at, hour) = places(minute);
        self.day[at] + self.week[hour]
    }

    /// The factor of the events of a minute, in thousandths.
    fn factor(&self, minute: u64) -> u32 {
        let is_on =
            |event: &&DeclaredEvent| (event.from_minute..event.until_minute).contains(&minute);
        let factors = self.events.iter().filter(is_on).map(|event| event.factor_permille);
        factors.max().unwrap_or(1_000)
    }

    fn with_events(&self, minute: u64, value: i64) -> i64 {
        let product = i128::from(value) * i128::from(self.factor(minute)) / 1_000;
        i64::try_from(product).unwrap_or(EVENT_MAX).min(EVENT_MAX)
    }

    /// Returns the load of a minute as it would be without declared events. So an event is not
    /// learned as usual load.
    fn without_events(&self, minute: u64, items: u64) -> i64 {
        let whole = i128::from(items) * i128::from(UNIT) * 1_000 / i128::from(self.factor(minute));
        i64::try_from(whole).unwrap_or(EVENT_MAX).min(VALUE_MAX as i64 * UNIT)
    }
}

/// The places of a minute in the seasons of the day and of the week.
fn places(minute: u64) -> (usize, usize) {
    ((minute % DAY) as usize, (minute / 60 % WEEK_HOURS) as usize)
}
