//! What reaches the log when somebody causes many lines.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use tracing::subscriber::with_default;
use tracing::{debug, error, info, warn};

use super::line::LINE_BYTES_MAX;
use super::*;

/// A log in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines of what `work` logs, and the throttle that they passed.
fn lines_of(work: impl FnOnce()) -> (Vec<String>, LineThrottle) {
    let (memory, throttle) = (Memory::default(), LineThrottle::default());
    let writer = memory.clone();
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(Lines::new(move || writer.clone(), false));
    let subscriber = tracing_subscriber::registry()
        .with(EnvFilter::new("debug"))
        .with(throttle.clone())
        .with(layer);
    with_default(subscriber, work);
    let text = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
    (text.lines().map(str::to_owned).collect(), throttle)
}

fn count(lines: &[String], word: &str) -> usize {
    lines.iter().filter(|line| line.contains(word)).count()
}

#[test]
fn lines_of_one_kind_are_held_back_and_others_are_not() {
    let (lines, throttle) = lines_of(|| {
        for number in 0..100_000 {
            warn!(number, "a client did it again");
        }
        for _ in 0..5 {
            error!("a write failed");
        }
    });
    // The loop may last long enough to earn a few more.
    let flood = count(&lines, "a client did it again");
    assert!((20..100).contains(&flood), "{flood}");
    assert_eq!(count(&lines, "a write failed"), 5);
    let report = throttle.take_report().unwrap();
    assert_eq!(report.count, 100_000 - flood as u64);
    assert!(report.kinds.contains("logs::tests:"), "{report:?}");
    assert_eq!(throttle.take_report(), None);
}

/// A hundred places of the code, each of which logs once a turn.
macro_rules! hundred_places {
    () => {
        hundred_places!(@ten); hundred_places!(@ten); hundred_places!(@ten);
        hundred_places!(@ten); hundred_places!(@ten); hundred_places!(@ten);
        hundred_places!(@ten); hundred_places!(@ten); hundred_places!(@ten);
        hundred_places!(@ten);
    };
    (@ten) => {
        warn!("flood"); warn!("flood"); warn!("flood"); warn!("flood"); warn!("flood");
        warn!("flood"); warn!("flood"); warn!("flood"); warn!("flood"); warn!("flood");
    };
}

#[test]
fn many_kinds_share_the_budget_of_their_level() {
    let (lines, _) = lines_of(|| {
        for _ in 0..100 {
            hundred_places!();
        }
        info!("another level");
        error!("another level");
    });
    let flood = count(&lines, "flood");
    assert!((500..1_000).contains(&flood), "{flood}");
    assert_eq!(count(&lines, "another level"), 2);
}

#[test]
fn a_line_that_holds_what_a_client_sent_is_cut_and_debug_is_never_held_back() {
    let sent = "[".repeat(1_900_000);
    let (lines, _) = lines_of(|| {
        warn!(sent, "unsubscribe");
        for _ in 0..1_000 {
            debug!("asked for");
        }
    });
    assert_eq!(lines.len(), 1_001);
    assert!(lines.iter().all(|line| line.len() < LINE_BYTES_MAX));
}
