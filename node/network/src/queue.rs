//! Messages waiting for one peer's lane, bounded in number and bytes.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::config::LaneLimits;
use crate::lane::Lane;

/// Bytes of messages that one write takes from the queue, beyond the first message.
const TAKE_BYTES: usize = 64 * 1024;

/// One peer's outgoing queue on one lane: many producers, one writer.
#[derive(Debug)]
pub(crate) struct Queue {
    lane: Lane,
    messages_max: usize,
    bytes_max: usize,
    age_max: Option<Duration>,
    waiting: Mutex<Waiting>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<(Instant, Bytes)>,
    bytes: usize,
}

impl Queue {
    /// `age_max`: messages that waited longer are dropped unsent.
    pub(crate) fn new(lane: Lane, limits: &LaneLimits, age_max: Option<Duration>) -> Self {
        Self {
            lane,
            messages_max: limits.queue_messages_max,
            bytes_max: limits.queue_bytes_max,
            age_max,
            waiting: Mutex::default(),
            filled: Notify::new(),
        }
    }

    // Every change under the lock is complete before anything can panic, so poison means nothing.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a message, and gives the number of messages dropped for want of room: older ones on
    /// the consensus lane, this one on the bulk lane.
    pub(crate) fn push(&self, bytes: Bytes, now: Instant) -> usize {
        let mut dropped = 0;
        {
            let mut waiting = self.waiting();
            while waiting.messages.len() >= self.messages_max
                || waiting.bytes + bytes.len() > self.bytes_max
            {
                if self.lane == Lane::Bulk {
                    return 1;
                }
                let Some((_, oldest)) = waiting.messages.pop_front() else { break };
                waiting.bytes -= oldest.len();
                dropped += 1;
            }
            waiting.bytes += bytes.len();
            waiting.messages.push_back((now, bytes));
        }
        self.filled.notify_one();
        dropped
    }

    /// Moves the next messages, in order, to `taken`: at least one if any waits, then more while
    /// they are small. Gives the number dropped because they waited too long.
    pub(crate) fn take(&self, taken: &mut Vec<Bytes>, now: Instant) -> usize {
        let mut stale = 0;
        let mut bytes_taken = 0;
        let mut waiting = self.waiting();
        while let Some((queued, bytes)) = waiting.messages.front() {
            let length = bytes.len();
            let old = self.age_max.is_some_and(|age| now.saturating_duration_since(*queued) > age);
            if !old && !taken.is_empty() && bytes_taken + length > TAKE_BYTES {
                break;
            }
            let Some((_, bytes)) = waiting.messages.pop_front() else { break };
            waiting.bytes -= length;
            if old {
                stale += 1;
            } else {
                bytes_taken += length;
                taken.push(bytes);
            }
        }
        stale
    }

    /// Waits until a message may be there. For the single writer.
    pub(crate) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Drops all that waits and gives its number.
    pub(crate) fn clear(&self) -> usize {
        let mut waiting = self.waiting();
        waiting.bytes = 0;
        std::mem::take(&mut waiting.messages).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(messages: usize, bytes: usize) -> LaneLimits {
        LaneLimits {
            queue_messages_max: messages,
            queue_bytes_max: bytes,
            ..crate::Limits::default().bulk
        }
    }

    fn message(number: u8, length: usize) -> Bytes {
        Bytes::from(vec![number; length])
    }

    fn take_all(queue: &Queue, now: Instant) -> Vec<u8> {
        let mut numbers = Vec::new();
        loop {
            let mut taken = Vec::new();
            queue.take(&mut taken, now);
            if taken.is_empty() {
                return numbers;
            }
            numbers.extend(taken.iter().map(|bytes| bytes[0]));
        }
    }

    #[test]
    fn consensus_keeps_the_newest() {
        let now = Instant::now();
        let queue = Queue::new(Lane::Consensus, &limits(3, 100), None);
        let dropped: usize = (0..5).map(|number| queue.push(message(number, 1), now)).sum();
        assert_eq!(dropped, 2);
        assert_eq!(take_all(&queue, now), [2, 3, 4]);
    }

    #[test]
    fn consensus_makes_room_for_bytes() {
        let now = Instant::now();
        let queue = Queue::new(Lane::Consensus, &limits(100, 100), None);
        assert_eq!(queue.push(message(0, 40), now), 0);
        assert_eq!(queue.push(message(1, 40), now), 0);
        assert_eq!(queue.push(message(2, 90), now), 2);
        assert_eq!(take_all(&queue, now), [2]);
    }

    #[test]
    fn bulk_keeps_the_oldest() {
        let now = Instant::now();
        let queue = Queue::new(Lane::Bulk, &limits(100, 100), None);
        assert_eq!(queue.push(message(0, 60), now), 0);
        assert_eq!(queue.push(message(1, 60), now), 1);
        assert_eq!(queue.push(message(2, 40), now), 0);
        assert_eq!(take_all(&queue, now), [0, 2]);
        assert_eq!(queue.push(message(3, 100), now), 0, "taken bytes are free again");
        assert_eq!(queue.clear(), 1);
        assert_eq!(queue.push(message(4, 100), now), 0, "cleared bytes are free again");
    }

    #[test]
    fn what_waited_too_long_is_not_sent() {
        let now = Instant::now();
        let age = Duration::from_secs(10);
        let queue = Queue::new(Lane::Consensus, &limits(100, 100), Some(age));
        queue.push(message(0, 1), now);
        queue.push(message(1, 1), now + Duration::from_secs(5));
        let mut taken = Vec::new();
        assert_eq!(queue.take(&mut taken, now + Duration::from_secs(11)), 1);
        assert_eq!(taken, [message(1, 1)]);
    }

    #[test]
    fn small_messages_are_taken_together_and_large_ones_alone() {
        let now = Instant::now();
        let queue = Queue::new(Lane::Bulk, &limits(100, 1 << 24), None);
        for (number, length) in [(0, 10), (1, 10), (2, 1 << 20), (3, 1 << 20), (4, 1)] {
            queue.push(message(number, length), now);
        }
        let mut sizes = Vec::new();
        loop {
            let mut taken = Vec::new();
            queue.take(&mut taken, now);
            if taken.is_empty() {
                break;
            }
            sizes.push(taken.len());
        }
        assert_eq!(sizes, [2, 1, 1, 1]);
    }
}
