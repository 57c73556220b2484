//! Work that takes long on a thread that serves others: reading a message of megabytes, making the
//! text of a page of a thousand items. It is done aside: the thread's other tasks go on at another
//! thread meanwhile, so that no client waits for the size of another's message or answer.
//!
//! Reading needs several times a message's bytes. Long messages are therefore read one at a time,
//! in the order in which they came; a message that waits for its turn holds its own bytes only,
//! which the server counts (`bodies`). Long answers are bounded by the turns of dear reads.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::{block_in_place, yield_now};

use crate::turns::with_long_turns;

/// Bytes of the longest text that is read where it came: some tens of microseconds.
const SHORT_BYTES_MAX: usize = 64 * 1024;

/// Long texts that are read at once.
pub(crate) const LONG_READS_MAX: usize = 1;

tokio::task_local! {
    /// True if the next poll of the present call takes long.
    static TAKES_LONG: Cell<bool>;
}

/// The turns of long messages: one is read at a time.
#[derive(Debug)]
pub(crate) struct LongReads {
    turns: Semaphore,
}

impl LongReads {
    pub(crate) fn new() -> Self {
        Self { turns: Semaphore::new(LONG_READS_MAX) }
    }

    /// Waits for the turn of a text of so many bytes; a short one needs none.
    async fn turn(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        if bytes <= SHORT_BYTES_MAX {
            return None;
        }
        // Nobody closes it.
        self.turns.acquire().await.ok()
    }

    /// Does what a text of so many bytes needs: at once if it is short, else aside in its turn.
    pub(crate) async fn read<T>(&self, bytes: usize, work: impl FnOnce() -> T) -> T {
        match self.turn(bytes).await {
            Some(_turn) => aside(work),
            None => work(),
        }
    }

    /// Makes and runs a call whose parameters have so many bytes. They are read as the call is made
    /// and up to its first wait, which is done as in [`Self::read`]. From [`rest_takes_long`] on
    /// the call goes on aside as well.
    pub(crate) async fn call<F: Future>(
        &self,
        bytes: usize,
        make: impl FnOnce() -> F,
    ) -> F::Output {
        let running = async {
            match self.turn(bytes).await {
                Some(turn) => {
                    let call = aside(|| Box::pin(make()));
                    Call { call, first: Some(turn) }.await
                }
                None => Call { call: Box::pin(make()), first: None }.await,
            }
        };
        TAKES_LONG.scope(Cell::new(false), running).await
    }
}

/// Lets the present call go on aside, up to its next wait: its answer is long.
pub(crate) async fn rest_takes_long() {
    // What runs after its call, such as a subscription, has short answers.
    if TAKES_LONG.try_with(|takes_long| takes_long.set(true)).is_ok() {
        yield_now().await;
    }
}

/// Lets the thread's other tasks go on elsewhere while this is done.
fn aside<T>(work: impl FnOnce() -> T) -> T {
    block_in_place(|| with_long_turns(work))
}

/// A call that runs, with its turn as long as it has not waited for anything.
struct Call<'a, F> {
    call: Pin<Box<F>>,
    first: Option<SemaphorePermit<'a>>,
}

impl<F: Future> Future for Call<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let first = self.first.take();
        let takes_long = first.is_some() || TAKES_LONG.try_with(Cell::take).unwrap_or(false);
        let call = self.call.as_mut();
        if takes_long { aside(|| call.poll(context)) } else { call.poll(context) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Arc, mpsc};

    use tokio::runtime::{Builder, Runtime};
    use tokio::sync::{Barrier, oneshot};

    use super::*;

    /// A server with one thread for all of its clients.
    fn one_thread() -> Runtime {
        Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    }

    /// Work that ends only once another task has run meanwhile.
    fn until_another_runs() -> impl FnOnce() {
        let (runs, has_run) = mpsc::sync_channel(1);
        tokio::spawn(async move { runs.send(()).unwrap() });
        move || has_run.recv().unwrap()
    }

    #[test]
    fn others_are_served_while_a_long_message_is_read() {
        let (done, ended) = mpsc::sync_channel(1);
        let runtime = one_thread();
        runtime.spawn(async move {
            LongReads::new().read(SHORT_BYTES_MAX + 1, until_another_runs()).await;
            done.send(()).unwrap();
        });
        ended.recv().unwrap();
    }

    #[test]
    fn others_are_served_while_long_parameters_are_read_and_a_long_answer_is_made() {
        let (done, ended) = mpsc::sync_channel(1);
        let runtime = one_thread();
        runtime.spawn(async move {
            let reads = LongReads::new();
            let reads_long = async { until_another_runs()() };
            reads.call(SHORT_BYTES_MAX + 1, || reads_long).await;
            let (found, finds) = oneshot::channel();
            tokio::spawn(async move { found.send(()).unwrap() });
            let answers_long = async move {
                finds.await.unwrap();
                rest_takes_long().await;
                until_another_runs()();
            };
            reads.call(0, || answers_long).await;
            done.send(()).unwrap();
        });
        ended.recv().unwrap();
    }

    #[test]
    fn long_messages_are_read_one_at_a_time_and_none_waits_for_another_s_answer() {
        const MESSAGES: u32 = 32;
        let runtime = Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
        let reads = Arc::new(LongReads::new());
        let (at_once, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let all_are_read = Arc::new(Barrier::new(MESSAGES as usize));
        let calls = (0..MESSAGES).map(|_| {
            let (reads, at_once, most) = (reads.clone(), at_once.clone(), most.clone());
            let all_are_read = all_are_read.clone();
            let count = move || {
                most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                at_once.fetch_sub(1, Ordering::SeqCst);
            };
            runtime.spawn(async move {
                reads.read(SHORT_BYTES_MAX + 1, count.clone()).await;
                let call = async {
                    count();
                    all_are_read.wait().await;
                };
                reads.call(SHORT_BYTES_MAX + 1, || call).await;
            })
        });
        let calls: Vec<_> = calls.collect();
        runtime.block_on(async {
            for call in calls {
                call.await.unwrap();
            }
        });
        assert_eq!(most.load(Ordering::SeqCst) as usize, LONG_READS_MAX);
    }
}
