//! Work that takes long on a thread that serves others: reading a message of megabytes, making the
//! text of a page of a thousand items. It is done aside: the thread's other tasks go on at another
//! thread meanwhile, so that no client waits for the size of another's message or answer. Such work
//! is done one at a time: what it needs beside the message, many times its bytes, is there once.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::task::{block_in_place, yield_now};

use crate::turns::with_long_turns;

/// Bytes of the longest text that is read where it came: some tens of microseconds.
const SHORT_BYTES_MAX: usize = 64 * 1024;

tokio::task_local! {
    /// True if the next poll of the present call takes long.
    static TAKES_LONG: Cell<bool>;
}

/// Held by whoever works aside.
static ASIDE: Mutex<()> = Mutex::new(());

/// Does what a text of so many bytes needs; aside if the text is long.
pub(crate) fn for_bytes<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    if bytes > SHORT_BYTES_MAX { aside(work) } else { work() }
}

/// Lets the thread's other tasks go on elsewhere while this is done.
fn aside<T>(work: impl FnOnce() -> T) -> T {
    block_in_place(|| {
        with_long_turns(|| {
            let _alone = ASIDE.lock().unwrap_or_else(PoisonError::into_inner);
            work()
        })
    })
}

/// Runs a call whose parameters have so many bytes: aside as long as it reads them, and from
/// [`rest_takes_long`] on.
pub(crate) async fn call<F: Future>(bytes: usize, call: F) -> F::Output {
    let call = Aside { call: Box::pin(call) };
    TAKES_LONG.scope(Cell::new(bytes > SHORT_BYTES_MAX), call).await
}

/// Lets the present call go on aside, up to its next wait: its answer is long.
pub(crate) async fn rest_takes_long() {
    // What runs after its call, such as a subscription, has short answers.
    if TAKES_LONG.try_with(|takes_long| takes_long.set(true)).is_ok() {
        yield_now().await;
    }
}

struct Aside<F> {
    call: Pin<Box<F>>,
}

impl<F: Future> Future for Aside<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let call = self.call.as_mut();
        // What follows the next wait is short again.
        match TAKES_LONG.try_with(Cell::take) {
            Ok(true) => aside(|| call.poll(context)),
            _ => call.poll(context),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc;

    use tokio::runtime::{Builder, Runtime};
    use tokio::sync::oneshot;

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
            for_bytes(SHORT_BYTES_MAX + 1, until_another_runs());
            done.send(()).unwrap();
        });
        ended.recv().unwrap();
    }

    #[test]
    fn others_are_served_while_long_parameters_are_read_and_a_long_answer_is_made() {
        let (done, ended) = mpsc::sync_channel(1);
        let runtime = one_thread();
        runtime.spawn(async move {
            let reads_long = async { until_another_runs()() };
            call(SHORT_BYTES_MAX + 1, reads_long).await;
            let (found, finds) = oneshot::channel();
            tokio::spawn(async move { found.send(()).unwrap() });
            let answers_long = async move {
                finds.await.unwrap();
                rest_takes_long().await;
                until_another_runs()();
            };
            call(0, answers_long).await;
            done.send(()).unwrap();
        });
        ended.recv().unwrap();
    }
}
