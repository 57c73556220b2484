//! The next hour, explained: additive Holt-Winters in integers over minute buckets, with a season
//! of a day and one of a week, and events that were declared.
//!
//! A forecast moves what can be moved: checkpoints, archiving, reads of history. It never decides
//! about an order. What it says is the sum of what it prints: level, trend, season and event.

use std::collections::VecDeque;
use std::fmt;

/// Minutes of a day, each with a season of its own.
const DAY: u64 = 1_440;
/// Hours of a week, each with a season of its own beside the day's.
const WEEK_HOURS: u64 = 168;
/// How many minutes ahead are forecast.
pub const HORIZON_MINUTES: u64 = 60;
/// The most declared events.
pub const EVENTS_MAX: usize = 64;
/// Values are kept with this many parts a unit.
const UNIT: i64 = 256;
/// The largest value that is learned from, in items a minute.
const VALUE_MAX: u64 = 1 << 40;
/// Smoothing, in thousandths: of the level, the trend, and the seasons once they are known.
const LEVEL: i64 = 60;
const TREND: i64 = 4;
const DAY_SEASON: i64 = 150;
const WEEK_SEASON: i64 = 60;
/// How much of the trend is left after a minute, in thousandths.
const DAMPING: i64 = 960;
/// The parts in which the factors above are given.
const THOUSAND: i64 = 1_000;

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

/// One minute that is forecast, and what its value is the sum of; items a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForecastPoint {
    /// The minute since the Unix epoch.
    pub minute: u64,
    /// The usual load lately.
    pub level: i64,
    /// What it rises or falls until that minute.
    pub trend: i64,
    /// What the time of day and of the week add.
    pub season: i64,
    /// What declared events add.
    pub event: i64,
    /// The lower end of the interval.
    pub low: u64,
    /// The upper end of the interval.
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

/// What is known of one submitter, or of all together: 13 KiB.
#[derive(Debug, Clone)]
pub struct Forecast {
    next_minute: Option<u64>,
    level: i64,
    trend: i64,
    day: Vec<i64>,
    /// How often each minute of the day was seen, up to what the smoothing asks.
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
            level: 0,
            trend: 0,
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
        match self.next_minute.replace(minute.saturating_add(1)) {
            None => self.level = value,
            Some(next) if minute < next => {
                self.next_minute = Some(next);
                return;
            }
            Some(_) => {}
        }
        let expected = self.level + self.trend + self.season(minute);
        let error = value - expected;
        self.error_near += (error.abs() - self.error_near) / 64;
        self.record_far(minute, value);
        let at = (minute % DAY) as usize;
        let hour = (minute / 60 % WEEK_HOURS) as usize;
        self.level += self.trend + error * LEVEL / THOUSAND;
        self.trend = self.trend * DAMPING / THOUSAND + error * TREND / THOUSAND;
        let rest = error - error * LEVEL / THOUSAND;
        // A season that was seen n times follows by one part in n + 1, until it is well known.
        let seen = i64::from(self.day_seen[at]);
        self.day[at] += rest * DAY_SEASON.max(THOUSAND / (seen + 1)) / THOUSAND;
        self.day_seen[at] = self.day_seen[at].saturating_add(1).min(100);
        if seen > 0 {
            self.week[hour] += rest * WEEK_SEASON / THOUSAND / 4;
        }
        self.pending.push_back((minute + HORIZON_MINUTES, self.usual(minute, HORIZON_MINUTES)));
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
        let minute = last + ahead;
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
            level: self.level / UNIT,
            trend: self.damped_trend(ahead) / UNIT,
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
        self.level + self.damped_trend(ahead) + self.season(last + ahead)
    }

    fn damped_trend(&self, ahead: u64) -> i64 {
        let mut step = self.trend;
        let steps = (0..ahead).map(|_| {
            step = step * DAMPING / THOUSAND;
            step
        });
        steps.sum()
    }

    fn season(&self, minute: u64) -> i64 {
        self.day[(minute % DAY) as usize] + self.week[(minute / 60 % WEEK_HOURS) as usize]
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
        i64::try_from(product).unwrap_or(i64::MAX / 4)
    }

    /// What would have been without the events: nothing of them is learned as usual.
    fn without_events(&self, minute: u64, items: u64) -> i64 {
        let whole = i128::from(items) * i128::from(UNIT) * 1_000 / i128::from(self.factor(minute));
        i64::try_from(whole).unwrap_or(i64::MAX / 1_024)
    }
}
