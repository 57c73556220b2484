//! The byte order of a key is the key's own order: pages and cursors rest on it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chain_state::{AccountKey, AccountKind};
use chain_types::{
    Currency, Height, InstructionId, MerchantId, OrderId, ParticipantId, PolicyScope, QuoteId,
    RecordCursor, TimeMs, WindowId,
};
use proptest::prelude::*;

use super::{TableKey, account_prefix, gateway_prefix, rate_prefix};
use crate::record_paths::RecordName;

fn instruction() -> impl Strategy<Value = InstructionId> {
    (0..3_u64, any::<u64>(), any::<u16>()).prop_map(|(window, merchant, currency)| InstructionId {
        window: WindowId::new(window << 40),
        merchant: MerchantId::new(merchant),
        currency: Currency::new(currency),
    })
}

fn account() -> impl Strategy<Value = AccountKey> {
    (0..8_usize, any::<u64>(), any::<u16>()).prop_map(|(kind, owner, currency)| AccountKey {
        kind: AccountKind::ALL[kind],
        owner,
        currency: Currency::new(currency),
    })
}

fn assert_same_order<K: TableKey + Ord + std::fmt::Debug>(left: &K, right: &K) {
    let bytes = left.to_bytes().as_ref().cmp(right.to_bytes().as_ref());
    assert_eq!(bytes, left.cmp(right), "{left:?} and {right:?}");
}

proptest! {
    #[test]
    fn bytes_are_ordered_as_keys_are(
        numbers in (any::<u64>(), any::<u64>()),
        sequences in (any::<u32>(), any::<u32>()),
        instructions in (instruction(), instruction()),
        accounts in (account(), account()),
    ) {
        assert_same_order(&Height::new(numbers.0), &Height::new(numbers.1));
        assert_same_order(&WindowId::new(numbers.0), &WindowId::new(numbers.1));
        let (closed, settled) = (RecordName::Window, RecordName::WindowSettlement);
        let names = [numbers.0, numbers.1].map(|number| {
            let window = WindowId::new(number / 2);
            if number % 2 == 0 { closed(window) } else { settled(window) }
        });
        assert_same_order(&names[0], &names[1]);
        assert_same_order(&instructions.0, &instructions.1);
        let gateways = (ParticipantId::new(sequences.0), ParticipantId::new(sequences.1));
        assert_same_order(&(gateways.0, instructions.0), &(gateways.1, instructions.1));
        assert_same_order(&(gateways.0, instructions.0), &(gateways.0, instructions.1));
        let entries = (Height::new(numbers.0), Height::new(numbers.1 % 2));
        assert_same_order(&(accounts.0, entries.0), &(accounts.1, entries.1));
        assert_same_order(&(accounts.0, entries.0), &(accounts.0, entries.1));
        let breaches = (
            RecordCursor { height: Height::new(numbers.0 % 3), sequence: sequences.0 },
            RecordCursor { height: Height::new(numbers.1 % 3), sequence: sequences.1 },
        );
        assert_same_order(&breaches.0, &breaches.1);
        let key = (accounts.0, entries.0).to_bytes();
        assert!(key.starts_with(&account_prefix(&accounts.0)));
        let key = (gateways.0, instructions.0).to_bytes();
        assert!(key.starts_with(&gateway_prefix(gateways.0)));
    }

    #[test]
    fn bytes_of_the_contracts_keys_are_ordered_as_they_are(
        numbers in (any::<u64>(), any::<u64>()),
        orders in (any::<[u8; 16]>(), any::<[u8; 16]>()),
        smalls in (any::<u16>(), any::<u16>()),
        scopes in (0..3_usize, 0..3_usize),
    ) {
        let quotes = (QuoteId::new(numbers.0), QuoteId::new(numbers.1));
        assert_same_order(&quotes.0, &quotes.1);
        let orders = (OrderId::from_bytes(orders.0), OrderId::from_bytes(orders.1));
        let returns = ((orders.0, smalls.0), (orders.1, smalls.1));
        assert_same_order(&returns.0, &returns.1);
        assert_same_order(&returns.0, &(returns.0.0, smalls.1));
        let rates = [(smalls.0, numbers.0), (smalls.1, numbers.1)].map(|(small, number)| {
            let provider = ParticipantId::new(number as u32);
            ((Currency::new(small), Currency::new(smalls.0 ^ small), provider), TimeMs::new(number))
        });
        assert_same_order(&rates[0], &rates[1]);
        assert_same_order(&rates[0], &(rates[0].0, rates[1].1));
        assert!(rates[0].to_bytes().starts_with(&rate_prefix(&rates[0].0)));
        let currencies = (Currency::new(smalls.0), Currency::new(smalls.1));
        let policies = [(scopes.0, numbers.0, currencies.0), (scopes.1, numbers.1, currencies.1)]
            .map(|(scope, subject, currency)| (PolicyScope::ALL[scope], subject, currency));
        assert_same_order(&policies[0], &policies[1]);
    }
}
