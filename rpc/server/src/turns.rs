//! Short turns on the processor. Where more threads want to run than there are cores, each runs for
//! some milliseconds before the next; a thread that asks for short turns gets them sooner, and no
//! more of the processor than before.

use std::io;

/// The shortest turn that Linux gives, in nanoseconds.
const TURN_NS: u64 = 100_000;
/// About the turn of a thread that asks for none.
const LONG_TURN_NS: u64 = 3_000_000;

/// Does work that takes long on a thread that asked for short turns: meanwhile its turns are as
/// long as any thread's, so that those with short ones come before it.
pub(crate) fn with_long_turns<T>(work: impl FnOnce() -> T) -> T {
    // Refused or not, the work is the same.
    let _ = ask_for_turns(LONG_TURN_NS);
    let done = work();
    let _ = ask_for_turns(TURN_NS);
    done
}

/// Asks for short turns for the calling thread: for one that answers, and then waits. From Linux
/// 6.12 on (`sched_setattr(2)`: `sched_runtime` of a normal thread); elsewhere it changes nothing.
///
/// # Errors
/// When the system refuses, which changes nothing either.
pub fn ask_for_short_turns() -> io::Result<()> {
    ask_for_turns(TURN_NS)
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no safe wrapper of sched_setattr knows a normal thread's turns")]
fn ask_for_turns(turn_ns: u64) -> io::Result<()> {
    const THIS_THREAD: libc::pid_t = 0;
    let size = u32::try_from(size_of::<libc::sched_attr>()).unwrap_or(u32::MAX);
    let mut attributes = libc::sched_attr {
        size,
        sched_policy: 0,
        sched_flags: 0,
        sched_nice: 0,
        sched_priority: 0,
        sched_runtime: 0,
        sched_deadline: 0,
        sched_period: 0,
    };
    // SAFETY: the kernel writes at most `size` bytes to a structure of that size that is ours.
    let result = unsafe {
        libc::syscall(libc::SYS_sched_getattr, THIS_THREAD, &raw mut attributes, size, 0_u32)
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let normal = u32::try_from(libc::SCHED_OTHER).unwrap_or_default();
    if attributes.sched_policy != normal {
        // Whoever started the node chose otherwise.
        return Ok(());
    }
    attributes.sched_runtime = turn_ns;
    // SAFETY: the kernel reads `size` bytes of a structure of that size that is ours.
    let result = unsafe {
        libc::syscall(libc::SYS_sched_setattr, THIS_THREAD, &raw const attributes, 0_u32)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(not(target_os = "linux"))]
fn ask_for_turns(_: u64) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_may_ask_for_short_turns() {
        // Unless a sandbox forbids the call, which is no defect of ours.
        if let Err(error) = ask_for_short_turns() {
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{error}");
        }
    }
}
