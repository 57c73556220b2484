//! Users' counters: what is over may be forgotten.

use super::*;
use crate::counts::{CountKey, Counts, read_counts};
use crate::sections::Reader;
use crate::user_book::{UserBook, UserChanges};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// An entry that is over counts for nothing: a book that forgets gives the digests of one that
    /// keeps all, as does one from its checkpoint; it says of the present month and day what was
    /// counted, and loses what is over.
    #[test]
    fn forgetting_shows_nowhere(blocks in blocks_of_counted()) {
        let (mut kept, mut forgetful) = (UserBook::new(&hashing()), UserBook::new(&hashing()));
        let (mut months, mut days) = (BTreeMap::new(), BTreeMap::new());
        let (mut today, mut since) = (1, 0);
        for (later, are_kept, mut orders) in blocks {
            if later > 0 {
                (months, days) = (BTreeMap::new(), BTreeMap::new());
            }
            today += later;
            orders.iter_mut().for_each(|order| order.month.month = today);
            since = since.max(today - u16::from(are_kept));
            let (mut all, digest) = counted(&kept, today, since, &orders);
            let (mut some, same_digest) = counted(&forgetful, today, since, &orders);
            prop_assert_eq!(&digest, &same_digest);
            prop_assert_eq!(&digest, &counted(&restored(&forgetful), today, since, &orders).1);
            for since in [&mut all.lines.since, &mut all.months.since, &mut all.days.since] {
                *since = KeptSince::default();
            }
            while !kept.apply(&mut all, usize::MAX, None) {}
            // In pieces, as a node does.
            while !forgetful.apply(&mut some, 3, None) {}
            for Counted { month, day, is_booked } in orders {
                *months.entry(month).or_insert(0) += 1;
                *days.entry(day).or_insert(0) += u64::from(is_booked);
            }
            for (key, count) in &months {
                prop_assert_eq!(kept.month(key), UserMonth::new(today, *count));
                prop_assert_eq!(forgetful.month(key), UserMonth::new(today, *count));
            }
            for (key, amount) in days.iter().filter(|(_, amount)| **amount > 0) {
                prop_assert_eq!(kept.day(key), UserDay::new(today, *amount));
                prop_assert_eq!(forgetful.day(key), UserDay::new(today, *amount));
            }
        }
        // Later, as many are counted twice as the book holds: none of before is left.
        let before = forgetful.lines.len();
        let order = |number: usize| {
            let user = (number as u128 + 1_000).to_le_bytes();
            let (programme, currency, is_booked) = (9, CNY, true);
            let month = UserMonthKey { user, programme, month: today + 9 };
            Counted { month, day: UserDayKey { user, currency }, is_booked }
        };
        let orders: Vec<Counted> = (0..before).map(order).collect();
        for _ in 0..2 {
            let mut changes = counted(&forgetful, today + 9, today + 9, &orders).0;
            while !forgetful.apply(&mut changes, 7, None) {}
        }
        prop_assert_eq!(forgetful.lines.len(), before);
    }
}

/// An order as far as it is counted.
#[derive(Debug, Clone, Copy)]
struct Counted {
    month: UserMonthKey,
    day: UserDayKey,
    /// True if its day is more than looked at.
    is_booked: bool,
}

/// The changes of a block of these orders, in the month and the day of that number, and its bytes
/// in the digest; those before `since` are over.
fn counted(book: &UserBook, today: u16, since: u16, orders: &[Counted]) -> (UserChanges, Vec<u8>) {
    let mut changes = UserChanges::new(&hashing(), 0);
    changes.keep_since(KeptSince { month: since, day: since });
    let users: Vec<UserId> = orders.iter().map(|order| order.month.user).collect();
    let months: Vec<UserMonthKey> = orders.iter().map(|order| order.month).collect();
    let days: Vec<UserDayKey> = orders.iter().map(|order| order.day).collect();
    changes.expect(book, &users, &months, &days);
    for Counted { month, day, is_booked } in orders {
        let so_far = changes.day_so_far(book, day);
        if *is_booked {
            let entry = changes.day(book, day);
            assert_eq!(*entry, so_far);
            let amount = if entry.day == today { entry.amount() } else { 0 };
            *entry = UserDay::new(today, amount + 1);
        }
        let entry = changes.month(book, month);
        let count = if entry.month == today { entry.count } else { 0 };
        *entry = UserMonth::new(today, count + 1);
    }
    let mut bytes = Vec::new();
    changes.digest_bytes(&mut bytes);
    (changes, bytes)
}

fn copied<K: CountKey>(counts: &Counts<K>) -> Vec<(K, K::Count)> {
    let (mut copy, mut bytes) = (counts.copy(), Vec::new());
    while !counts.put_copy(&mut copy, &mut bytes) {}
    read_counts(&mut Reader::new(&bytes)).unwrap()
}

/// A book as a checkpoint gives it back.
fn restored(book: &UserBook) -> UserBook {
    UserBook {
        lines: Counts::new(hashing(), copied(&book.lines)),
        months: Counts::new(hashing(), copied(&book.months)),
        days: Counts::new(hashing(), copied(&book.days)),
    }
}

/// Blocks, each with how many months and days it is later than the one before, whether those before
/// its own are kept yet, and its orders.
fn blocks_of_counted() -> impl Strategy<Value = Vec<(u16, bool, Vec<Counted>)>> {
    let order = (0_u8..20, 0_u32..3, 0_u16..3, any::<bool>());
    let order = order.prop_map(|(user, programme, currency, is_booked)| {
        let (user, currency) = ([user; 16], Currency::new(currency));
        let month = UserMonthKey { user, programme, month: 0 };
        Counted { month, day: UserDayKey { user, currency }, is_booked }
    });
    let later = prop_oneof![3 => Just(0_u16), 1 => Just(1), 1 => Just(2)];
    prop::collection::vec((later, any::<bool>(), prop::collection::vec(order, 0..30)), 1..40)
}
