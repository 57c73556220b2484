//! The allocator of the process, and which memory goes back to the system when.

use std::ffi::{CStr, CString, c_int, c_uint, c_void};
use std::ptr;

/// One allocator for Rust and RocksDB, with counters and returning of memory in the background.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The allocator's settings: memory of 512 KiB or more that is given back goes to the system at
/// once, and smaller pieces within half a second. Messages and pages come from many threads; each
/// of the allocator's arenas would keep some of it for ten seconds, so that a node took more than
/// its counted bounds say: under all strangers at once 79 MiB in place of 61.
#[expect(unsafe_code, reason = "jemalloc reads its settings from a symbol of this name")]
// SAFETY: jemalloc(3) gives the name and the type, and no other library has it.
#[unsafe(export_name = "malloc_conf")]
static ALLOCATOR_SETTINGS: &[u8; 62] =
    b"oversize_threshold:524288,dirty_decay_ms:500,muzzy_decay_ms:0\0";

/// The time after which the driver's memory that is given back goes to the system, in milliseconds.
const DRIVER_DECAY_MS: isize = 10_000;

/// Gives the calling thread, the driver, memory of its own. Each block needs again what the last
/// one gave back; with the other threads' settings the system takes it away in between, and a page
/// fault for each of its pages is some hundredths of a block's work.
pub fn keep_memory_of_driver() {
    if let Err(code) = take_own_arena() {
        tracing::warn!(code, "the driver shares its memory with other threads: blocks cost more");
    }
}

/// Makes an arena (jemalloc(3): `arenas.create`) and takes it for the calling thread.
fn take_own_arena() -> Result<(), c_int> {
    let arena: c_uint = control(c"arenas.create", None::<()>)?;
    // A number has no byte of zero.
    let decay = CString::new(format!("arena.{arena}.dirty_decay_ms")).map_err(|_| 0)?;
    let () = control(&decay, Some(DRIVER_DECAY_MS))?;
    let () = control(c"thread.arena", Some(arena))?;
    Ok(())
}

/// Reads a value of the allocator's, or sets one, or both. `()` stands for none.
fn control<Old: Default, New>(name: &CStr, new: Option<New>) -> Result<Old, c_int> {
    let (mut old, mut old_bytes) = (Old::default(), size_of::<Old>());
    let mut new = new;
    let new_bytes = new.as_ref().map_or(0, size_of_val);
    let new_place = new.as_mut().map_or(ptr::null_mut(), |new| ptr::from_mut(new).cast::<c_void>());
    let has_old = old_bytes > 0;
    #[expect(unsafe_code, reason = "the allocator's controls are functions of C")]
    // SAFETY: the name ends with a zero; both places are valid for as many bytes as are named, or
    // null; mallctl checks the sizes against the type of the value and keeps neither place.
    let code = unsafe {
        tikv_jemalloc_sys::mallctl(
            name.as_ptr(),
            if has_old { ptr::from_mut(&mut old).cast() } else { ptr::null_mut() },
            if has_old { &raw mut old_bytes } else { ptr::null_mut() },
            new_place,
            new_bytes,
        )
    };
    if code == 0 { Ok(old) } else { Err(code) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_drivers_memory_is_its_own() {
        std::thread::spawn(|| {
            let before: c_uint = control(c"thread.arena", None::<()>).unwrap();
            take_own_arena().unwrap();
            let own: c_uint = control(c"thread.arena", None::<()>).unwrap();
            assert_ne!(own, before);
            let name = CString::new(format!("arena.{own}.dirty_decay_ms")).unwrap();
            let decay_ms: isize = control(&name, None::<()>).unwrap();
            assert_eq!(decay_ms, DRIVER_DECAY_MS);
            let others_ms: isize = control(c"opt.dirty_decay_ms", None::<()>).unwrap();
            assert_eq!(others_ms, 500, "the settings are read");
        })
        .join()
        .unwrap();
    }
}
