//! Figures of a model: how well scores order fraud before the rest, and what a limit catches.

/// A score and the truth of its order.
type Scored = (i32, bool);

/// The orders that a limit holds, and what they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Alerts {
    /// Orders of both kinds.
    pub orders: u64,
    /// Orders that are fraud.
    pub frauds: u64,
    /// Orders whose score is at or above the limit.
    pub alerts: u64,
    /// Alerts that are fraud.
    pub hits: u64,
}

impl Alerts {
    /// Orders that were held and honest, or passed and fraud.
    pub const fn misjudged(&self) -> u64 {
        self.alerts - self.hits + self.frauds - self.hits
    }
}

/// Counts what a limit holds.
pub fn alerts(scored: &[Scored], limit: i64) -> Alerts {
    let mut counts = Alerts::default();
    for (score, is_fraud) in scored {
        let (is_alert, fraud) = (i64::from(*score) >= limit, u64::from(*is_fraud));
        counts.orders += 1;
        counts.frauds += fraud;
        counts.alerts += u64::from(is_alert);
        counts.hits += if is_alert { fraud } else { 0 };
    }
    counts
}

/// The average precision in millionths: the mean, over the frauds, of the precision of all orders
/// with at least the fraud's score. Zero without fraud.
pub fn average_precision_ppm(scored: &[Scored]) -> u64 {
    let mut sorted = scored.to_vec();
    sorted.sort_unstable_by_key(|(score, _)| std::cmp::Reverse(*score));
    let (mut seen, mut hits, mut sum) = (0_u64, 0_u64, 0_u64);
    for tied in sorted.chunk_by(|one, other| one.0 == other.0) {
        let frauds = tied.iter().filter(|(_, is_fraud)| *is_fraud).count() as u64;
        seen += tied.len() as u64;
        hits += frauds;
        sum += frauds * (hits * 1_000_000 / seen);
    }
    sum.checked_div(hits).unwrap_or(0)
}

/// The least limit that holds at most `share_ppm` millionths of the orders.
pub fn limit_of_share(scored: &[Scored], share_ppm: u64) -> i64 {
    let mut scores: Vec<i32> = scored.iter().map(|(score, _)| *score).collect();
    scores.sort_unstable_by_key(|score| std::cmp::Reverse(*score));
    let most = usize::try_from(scores.len() as u64 * share_ppm / 1_000_000).unwrap_or(usize::MAX);
    // The first score that must pass: everything at or below it passes.
    scores.get(most).map_or(i64::from(i32::MIN), |score| i64::from(*score) + 1)
}

/// The limit that misjudges the fewest orders; of equal ones the highest.
pub fn limit_of_least_error(scored: &[Scored]) -> i64 {
    let mut sorted = scored.to_vec();
    sorted.sort_unstable_by_key(|(score, _)| std::cmp::Reverse(*score));
    let (mut best, mut gained, mut limit) = (0, 0_i64, i64::from(i32::MAX) + 1);
    for tied in sorted.chunk_by(|one, other| one.0 == other.0) {
        for (_, is_fraud) in tied {
            gained += if *is_fraud { 1 } else { -1 };
        }
        if gained > best {
            (best, limit) = (gained, i64::from(tied[0].0));
        }
    }
    limit
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORED: [Scored; 6] =
        [(9, true), (7, false), (7, true), (5, false), (3, true), (1, false)];

    #[test]
    fn precision_is_averaged_over_frauds_and_ties_are_one_step() {
        // 1/1, 2/3 and 3/5.
        assert_eq!(average_precision_ppm(&SCORED), (1_000_000 + 666_666 + 600_000) / 3);
        assert_eq!(average_precision_ppm(&[(1, false)]), 0);
        assert_eq!(average_precision_ppm(&[(2, true), (1, false)]), 1_000_000);
    }

    #[test]
    fn a_limit_holds_no_more_than_its_share() {
        for (share, held) in [(0, 0), (166_000, 0), (167_000, 1), (400_000, 1), (500_000, 3)] {
            let limit = limit_of_share(&SCORED, share);
            assert_eq!(alerts(&SCORED, limit).alerts, held, "{share}: {limit}");
        }
        let all = alerts(&SCORED, limit_of_share(&SCORED, 1_000_000));
        assert_eq!((all.alerts, all.hits, all.misjudged()), (6, 3, 3));
    }

    #[test]
    fn the_limit_of_least_error_is_found() {
        assert_eq!(limit_of_least_error(&SCORED), 9);
        assert_eq!(limit_of_least_error(&[(4, true), (3, true), (2, false)]), 3);
        let nothing = limit_of_least_error(&[(4, false)]);
        assert_eq!(alerts(&[(4, false)], nothing).alerts, 0);
    }
}
