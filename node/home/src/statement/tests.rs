#![allow(clippy::unwrap_used, clippy::expect_used)]
//! Statements of a chain on which everything happens, held against the independent auditor.

use chain_store::ChainStore as _;
use chain_types::{MerchantId, ParticipantId, WindowId};
use rpc_client::operations::{OperationKind, Operations};

use super::merchant::MerchantStatement;
use super::period::StatementMonth;
use super::{LineKind, StatementFault, gateway, merchant};
use crate::test_chain::{AGENTS, DESK, GATEWAYS, PROVIDER, SERVICE, SHOP, TestChain};

const OFFSET_MIN: i16 = 480;
pub(crate) const A: u32 = GATEWAYS[0];
pub(crate) const B: u32 = GATEWAYS[1];
pub(crate) const C: u32 = GATEWAYS[2];
const WINDOW_MS: u64 = 10_000;

fn month(text: &str) -> StatementMonth {
    text.parse().unwrap()
}

pub(crate) fn says(
    chain: &mut TestChain,
    who: u32,
    kind: OperationKind,
    text: &str,
) -> (u32, Operations) {
    (who, chain.operations(who, kind, text))
}

pub(crate) fn subjects(operations: &Operations) -> Vec<String> {
    (0..operations.count()).map(|index| operations.subject(index)).collect()
}

/// A change that one operator proposes and another approves, in two blocks.
pub(crate) fn govern(chain: &mut TestChain, text: &str) {
    let height = chain.state.height().get() + 2;
    let text = format!("[[orders]]\nactivation_height = {height}\n{text}");
    let proposed = says(chain, 1, OperationKind::Proposal, &text);
    let Operations::Proposal(items) = &proposed.1 else { panic!() };
    let approval = format!("{},approve,{}", items[0].proposal_id(), items[0].digest());
    assert_eq!(chain.block(100, &[proposed]), [0]);
    let approved = says(chain, 2, OperationKind::Approval, &approval);
    assert_eq!(chain.block(100, &[approved]), [0]);
}

/// Money that comes in, by maker and checker, in two blocks.
pub(crate) fn deposit(chain: &mut TestChain, account: &str, amount: &str) {
    let (currency, text) = (&account[account.len() - 3..], format!("deposit,{account},{amount}"));
    let proposed = says(chain, AGENTS[0], OperationKind::Transfer, &text);
    let id = subjects(&proposed.1).remove(0);
    assert_eq!(chain.block(100, &[proposed]), [0]);
    let text = format!("{id},approve,deposit,{amount},{currency}");
    let decided = says(chain, AGENTS[1], OperationKind::TransferDecision, &text);
    assert_eq!(chain.block(100, &[decided]), [0]);
}

/// Everything that moves a merchant's and a gateway's money, around the first of November in UTC+8.
pub(crate) fn a_chain_on_which_everything_happened() -> TestChain {
    let (begins, _) = month("2026-11").bounds(OFFSET_MIN);
    let mut chain = TestChain::new(begins.minus(30_000));
    let programme = format!(
        "change = 'programme'\nmerchant = {SHOP}\ncurrency = 'CNY'\ntiers = '1:800'\n\
         offset_min = {OFFSET_MIN}\ngateways = '{} {}'",
        GATEWAYS[0], GATEWAYS[1]
    );
    govern(&mut chain, &programme);
    deposit(&mut chain, "cashback-pool:1001:CNY", "1000.00");
    deposit(&mut chain, "fx-position:301:USD", "1000.00");
    let october = october(&mut chain);
    november(&mut chain, &october);
    chain
}

/// Orders of October; their ids.
fn october(chain: &mut TestChain) -> Vec<String> {
    let policy =
        says(chain, DESK, OperationKind::Policy, "scope,currency,hold_above\nscheme,CNY,500");
    let rate = says(chain, PROVIDER, OperationKind::Rate, "CNY,USD,0.1401");
    let quote = says(chain, PROVIDER, OperationKind::Quote, "1,CNY,USD,0.1401,5000,60000");
    let Operations::Quote(quotes) = &quote.1 else { panic!() };
    let quote_id = quotes[0].quote_id();
    assert_eq!(chain.block(100, &[policy, rate, quote]), [0, 0, 0]);
    let bought = "merchant,amount,currency\n\
                  1001,100,CNY\n1001,50.05,CNY\n1001,600,CNY\n1002,70,CNY";
    let bought = says(chain, A, OperationKind::Collected, bought);
    let converted =
        format!("merchant,amount,currency,payout_currency,quote_id\n1001,33.33,CNY,USD,{quote_id}");
    let converted = says(chain, A, OperationKind::Collected, &converted);
    let reserved = says(chain, SERVICE, OperationKind::Recharge, "1001,201,20,CNY\n1001,203,5,CNY");
    let mut ids = subjects(&bought.1);
    ids.extend(subjects(&converted.1));
    ids.extend(subjects(&reserved.1));
    // The second recharge of the month is above one; the third waits for the risk desk.
    let codes = chain.block(100, &[bought, converted, reserved]);
    assert_eq!(codes, [0, 10, 2, 0, 10, 0, 0]);
    let released =
        says(chain, DESK, OperationKind::HoldDecision, &format!("{},release,ACCP", ids[2]));
    let collected = says(chain, A, OperationKind::Collect, &ids[5]);
    let voided = says(chain, SERVICE, OperationKind::Void, &format!("{},CUST", ids[6]));
    assert_eq!(chain.block(100, &[released, collected, voided]), [10, 10, 0]);
    // Part of an order goes back before its window closes.
    let reversed = says(chain, A, OperationKind::Return, &format!("{},10.01,CNY,CUST,1", ids[1]));
    assert_eq!(chain.block(100, &[reversed]), [0]);
    chain.block(WINDOW_MS, &[]);
    ids
}

fn november(chain: &mut TestChain, ids: &[String]) {
    // October's instructions are paid, or not, in November.
    chain.block(25_000, &[]);
    let first = "0-1001-156";
    let failed = says(chain, B, OperationKind::Failure, &format!("{first},AB08"));
    let arrived = says(chain, B, OperationKind::Arrival, "0-1001-840,4.66");
    let own = says(chain, A, OperationKind::Arrival, "0-1002-156,70");
    assert_eq!(chain.block(100, &[failed, arrived, own]), [0, 0, 0]);
    let from_failed = says(chain, B, OperationKind::Return, &format!("{},20,CNY,AC04,1", ids[5]));
    let after_arrival =
        says(chain, B, OperationKind::Return, &format!("{},11.11,CNY,CUST,1", ids[4]));
    let to_itself = says(chain, A, OperationKind::Return, &format!("{},30,CNY,CUST,1", ids[3]));
    deposit(chain, "gateway-liquidity:202:USD", "100.00");
    assert_eq!(chain.block(100, &[from_failed, after_arrival, to_itself]), [0, 0, 0]);
    // The merchant moves to another gateway, which is given what is left.
    let moved = format!(
        "change = 'merchant'\nmerchant = {SHOP}\nname = 'merchant 1001'\npayout_gateway = {C}"
    );
    govern(chain, &moved);
    let again = says(chain, AGENTS[0], OperationKind::Reinstruct, &format!("{first},moved"));
    assert_eq!(chain.block(100, &[again]), [0]);
    let left = chain.state.instruction(&first.parse().unwrap()).unwrap().left();
    let amount = format!("{}.{:02}", left.get() / 100, left.get() % 100);
    let arrived = says(chain, C, OperationKind::Arrival, &format!("{first},{amount},moved,2"));
    assert_eq!(chain.block(100, &[arrived]), [0]);
    let later = says(chain, C, OperationKind::Return, &format!("{},0.01,CNY,CUST,1", ids[0]));
    let again = "merchant,amount,currency\n1001,80,CNY\n1001,1.99,CNY\n1001,40,CNY";
    let again = says(chain, B, OperationKind::Collected, again);
    let reversed = subjects(&again.1).remove(2);
    // A new month: the count begins again.
    assert_eq!(chain.block(100, &[later, again]), [0, 0, 10, 10]);
    let reversed = says(chain, B, OperationKind::Return, &format!("{reversed},40,CNY,DUPL,1"));
    assert_eq!(chain.block(100, &[reversed]), [0]);
    chain.block(WINDOW_MS, &[]);
    // By now the payout currency goes back, with no provider.
    let in_dollars = says(chain, B, OperationKind::Return, &format!("{},22.22,CNY,CUST,2", ids[4]));
    assert_eq!(chain.block(100, &[in_dollars]), [0]);
    let key =
        chain_state::AccountKey::liquidity(ParticipantId::new(A), chain_types::Currency::new(840));
    assert_eq!(chain.state.account(&key).unwrap().balance(), 311);
    chain.block(WINDOW_MS, &[]);
}

/// Maker and checker settle a closed window, in two blocks.
pub(crate) fn settle(chain: &mut TestChain, window: u64) {
    let digest = chain.store.window(WindowId::new(window)).unwrap().unwrap().digest();
    let proposed =
        says(chain, AGENTS[0], OperationKind::SettleWindow, &format!("{window},{digest},RTGS"));
    assert_eq!(chain.block(100, &[proposed]), [0]);
    let text = format!("{window},approve,{digest},RTGS");
    let decided = says(chain, AGENTS[1], OperationKind::SettlementDecision, &text);
    assert_eq!(chain.block(100, &[decided]), [0]);
}

fn of_shop(chain: &TestChain, text: &str) -> MerchantStatement {
    let (store, state) = (chain.store.as_ref(), &chain.state);
    merchant::statement(store, state, MerchantId::new(SHOP), month(text), OFFSET_MIN).unwrap()
}

#[test]
fn a_merchant_s_month_is_what_the_auditor_worked_out() {
    let chain = a_chain_on_which_everything_happened();
    for (text, number) in [("2026-10", 10), ("2026-11", 11)] {
        let made = of_shop(&chain, text);
        let key =
            chain.auditor.statements().keys().find(|key| {
                key.merchant == SHOP && key.currency == 156 && key.month.month == number
            });
        let expected = chain.auditor.statements()[key.unwrap()];
        let cny = made.collections.iter().find(|of| of.currency == "CNY").unwrap();
        let payable = made.payables.iter().find(|of| of.currency == "CNY").unwrap();
        let minor = |money: &rpc_api::Money| u128::try_from(money.minor).unwrap();
        assert_eq!(cny.order_count, expected.orders, "{text}");
        assert_eq!(minor(&cny.collected), expected.collected, "{text}");
        assert_eq!(minor(&cny.returned), expected.returned, "{text}");
        assert_eq!(minor(&cny.cashback_granted), expected.cashback_granted, "{text}");
        assert_eq!(minor(&cny.cashback_taken_back), expected.cashback_taken_back, "{text}");
        assert_eq!(minor(&payable.arrived), expected.arrived, "{text}");
        assert!(expected.orders > 2 && expected.cashback_granted > 0, "the test would be empty");
    }
}

#[test]
fn a_month_closes_with_what_the_next_one_opens_with_and_the_last_with_the_books() {
    let chain = a_chain_on_which_everything_happened();
    let (october, november) = (of_shop(&chain, "2026-10"), of_shop(&chain, "2026-11"));
    let december = of_shop(&chain, "2026-12");
    assert_eq!((october.is_complete, november.is_complete), (true, false));
    assert!(december.lines.is_empty());
    let balances = chain.auditor.balances();
    for (at, number) in [("CNY", 156), ("USD", 840)] {
        let of = |made: &MerchantStatement| {
            made.payables.iter().find(|payable| payable.currency == at).unwrap().clone()
        };
        assert_eq!(of(&october).opening.minor, 0);
        assert_eq!(of(&october).closing, of(&november).opening);
        assert_eq!(of(&november).closing, of(&december).closing);
        assert_eq!(of(&november).closing.minor, balances[&(2, SHOP, number)].balance());
    }
    assert!(of_shop(&chain, "2026-10").payables.iter().all(|of| of.closing.minor > 0));
    let kinds: Vec<LineKind> = november.lines.iter().map(|line| line.kind).collect();
    for kind in [LineKind::Arrived, LineKind::Returned, LineKind::Reversed, LineKind::Collected] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
}

#[test]
fn a_gateway_s_window_is_what_the_auditor_worked_out() {
    let chain = a_chain_on_which_everything_happened();
    let (store, state) = (chain.store.as_ref(), &chain.state);
    let mut kinds = Vec::new();
    let windows = chain.auditor.windows();
    assert!(windows.len() >= 3);
    for (window, report) in &windows {
        for id in GATEWAYS {
            let of = ParticipantId::new(id);
            let made = gateway::statement(store, state, &chain.genesis, of, *window).unwrap();
            let expected: Vec<_> = report
                .parties
                .iter()
                .filter(|((kind, owner, _), _)| (*kind, *owner) == (1, u64::from(id)))
                .map(|(_, gross)| (gross.debits, gross.credits, gross.net()))
                .collect();
            let actual: Vec<_> = made
                .positions
                .iter()
                .map(|of| {
                    (of.gross_debits.minor as u128, of.gross_credits.minor as u128, of.net.minor)
                })
                .collect();
            assert_eq!(actual, expected, "gateway {id}, window {window}");
            kinds.extend(made.lines.iter().map(|line| line.kind));
        }
    }
    let all = [
        LineKind::Collected,
        LineKind::Instructed,
        LineKind::Reversed,
        LineKind::Returned,
        LineKind::Reinstructed,
    ];
    assert!(all.iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    let open = chain.state.window();
    let refused = gateway::statement(store, state, &chain.genesis, ParticipantId::new(A), open);
    assert!(matches!(refused, Err(StatementFault::WindowOpen(window)) if window == open));
}

/// A return of a failed instruction's order, the instruction given again, its arrival and another
/// return of the same order, all in one block: only the first return is of what was owed.
#[test]
fn a_block_may_return_reinstruct_pay_and_return() {
    let (begins, _) = month("2026-11").bounds(OFFSET_MIN);
    let mut chain = TestChain::new(begins.plus(30_000));
    let bought =
        says(&mut chain, A, OperationKind::Collected, "merchant,amount,currency\n1001,100,CNY");
    let id = subjects(&bought.1).remove(0);
    assert_eq!(chain.block(100, &[bought]), [0]);
    chain.block(WINDOW_MS, &[]);
    let failed = says(&mut chain, B, OperationKind::Failure, "0-1001-156,AB08");
    assert_eq!(chain.block(100, &[failed]), [0]);
    let first = says(&mut chain, B, OperationKind::Return, &format!("{id},20,CNY,AC04,1"));
    let again = says(&mut chain, AGENTS[0], OperationKind::Reinstruct, "0-1001-156,again");
    let arrived = says(&mut chain, B, OperationKind::Arrival, "0-1001-156,80,again,2");
    let second = says(&mut chain, B, OperationKind::Return, &format!("{id},30,CNY,CUST,2"));
    assert_eq!(chain.block(100, &[first, again, arrived, second]), [0, 0, 0, 0]);
    let made = of_shop(&chain, "2026-11");
    let payable = &made.payables[0];
    let sums = [&payable.payout, &payable.arrived, &payable.returned];
    assert_eq!(sums.map(|sum| sum.minor), [10_000, 8_000, 2_000]);
    assert_eq!((payable.returned_after_arrival.minor, payable.closing.minor), (3_000, 0));
}

/// Two changes of one merchant are carried by one block, too late for either height: they take
/// effect together, and the one of the later id is the last, whichever height it was proposed for.
#[test]
fn two_changes_of_a_merchant_in_one_block_name_the_last_gateway() {
    let (begins, _) = month("2026-11").bounds(OFFSET_MIN);
    let mut chain = TestChain::new(begins.plus(30_000));
    let height = chain.state.height().get() + 1;
    let moved = |height: u64, gateway: u32| {
        format!(
            "[[orders]]\nactivation_height = {height}\nchange = 'merchant'\nmerchant = {SHOP}\n\
             name = 'merchant 1001'\npayout_gateway = {gateway}"
        )
    };
    let later = says(&mut chain, 1, OperationKind::Proposal, &moved(height + 3, C));
    assert_eq!(chain.block(100, std::slice::from_ref(&later)), [0]);
    let sooner = says(&mut chain, 1, OperationKind::Proposal, &moved(height + 2, A));
    assert_eq!(chain.block(100, std::slice::from_ref(&sooner)), [0]);
    let approvals = [later, sooner].map(|(_, proposed)| {
        let Operations::Proposal(items) = proposed else { panic!() };
        let text = format!("{},approve,{}", items[0].proposal_id(), items[0].digest());
        says(&mut chain, 2, OperationKind::Approval, &text)
    });
    assert_eq!(chain.block(100, &approvals), [0, 0]);
    let merchant = chain.state.merchant(MerchantId::new(SHOP)).unwrap();
    assert_eq!(merchant.payout_gateway, ParticipantId::new(A));
    let bought =
        says(&mut chain, A, OperationKind::Collected, "merchant,amount,currency\n1001,100,CNY");
    assert_eq!(chain.block(100, &[bought]), [0]);
    chain.block(WINDOW_MS, &[]);
    let (store, state) = (chain.store.as_ref(), &chain.state);
    let of = |id: u32| {
        let id = ParticipantId::new(id);
        gateway::statement(store, state, &chain.genesis, id, WindowId::new(0)).unwrap()
    };
    assert_eq!(of(A).positions[0].instructed.minor, 10_000);
    assert!(of(C).positions.iter().all(|position| position.instructed.minor == 0));
}

/// Settled sums stand apart from owed sums, and the settlement takes the net back.
#[test]
fn a_settled_window_leaves_no_position() {
    let mut chain = a_chain_on_which_everything_happened();
    let windows = chain.state.window().get();
    let of = |chain: &TestChain, id: u32, window: u64| {
        let (store, state) = (chain.store.as_ref(), &chain.state);
        let (id, window) = (ParticipantId::new(id), WindowId::new(window));
        gateway::statement(store, state, &chain.genesis, id, window).unwrap()
    };
    let before = of(&chain, A, 0);
    assert_eq!(before.settlement, None);
    for position in &before.positions {
        assert_eq!(position.unsettled_net, position.net);
        assert_eq!(position.settled_net.minor, 0);
    }
    for window in 0..windows {
        settle(&mut chain, window);
    }
    for (id, window) in GATEWAYS.into_iter().flat_map(|id| (0..windows).map(move |at| (id, at))) {
        let made = of(&chain, id, window);
        assert_eq!(made.settlement.as_ref().unwrap().agent, AGENTS[0]);
        for position in &made.positions {
            assert_eq!(position.settled_net.minor, -position.net.minor);
            assert_eq!(position.unsettled_net.minor, 0);
        }
        let text = made.csv();
        assert_eq!(text.matches("\nsettled,").count(), made.positions.len(), "{text}");
    }
    // Whatever is not settled is still to be paid to merchants by whom the banks have paid.
    for (key, account) in chain.state.accounts(None) {
        let unpaid = chain.state.outstanding_instructions().filter(|record| {
            (u64::from(record.gateway.get()), record.id.currency) == (key.owner, key.currency)
        });
        let unpaid: i128 = unpaid.map(|record| i128::from(record.left().get())).sum();
        if key.kind == chain_state::AccountKind::GatewayLiquidity {
            assert_eq!(account.position(), -unpaid, "{key:?}");
        }
    }
}

#[test]
fn a_home_opened_again_gives_the_same_statement() {
    let chain = a_chain_on_which_everything_happened();
    let expected = of_shop(&chain, "2026-11");
    let (genesis, home) = chain.close();
    let options = chain_store::StoreOptions::default();
    let (store, state) = crate::opening::open_to_read(home.path(), &genesis, options).unwrap();
    let id = MerchantId::new(SHOP);
    let again = merchant::statement(store.as_ref(), &state, id, month("2026-11"), OFFSET_MIN);
    assert_eq!(again.unwrap(), expected);
}

#[test]
fn lines_of_text_add_up_too() {
    let chain = a_chain_on_which_everything_happened();
    let text = of_shop(&chain, "2026-11").csv();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let at = |name: &str| names.iter().position(|known| *known == name).unwrap();
    let (mut sum, mut closing) = (0_i64, None);
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells.len(), names.len(), "{line}");
        if cells[at("payout_currency")] != "CNY" {
            continue;
        }
        let change = cells[at("payable_change")].replace('.', "").parse::<i64>().unwrap();
        match cells[0] {
            "closing" => closing = Some(change),
            _ => sum += change,
        }
    }
    assert_eq!(Some(sum), closing);
    let (store, state) = (chain.store.as_ref(), &chain.state);
    let id = ParticipantId::new(B);
    let made =
        gateway::statement(store, state, &chain.genesis, id, WindowId::new(0)).unwrap().csv();
    assert!(made.starts_with("kind,time_ms,cause,id,currency,debit,credit\n"), "{made}");
    assert!(made.contains("\ngross,,,,CNY,0.00,") && made.contains("\nnet,,,,CNY,,"), "{made}");
}

#[test]
fn months_are_read_exactly() {
    for (text, offset_min, begins_s, ends_s) in [
        ("1970-01", 0, 0, 2_678_400),
        ("2026-11", 0, 1_793_491_200, 1_796_083_200),
        ("2026-11", 480, 1_793_462_400, 1_796_054_400),
        ("2026-12", -60, 1_796_086_800, 1_798_765_200),
        ("2028-02", 0, 1_832_976_000, 1_835_481_600),
    ] {
        let (begins, ends) = month(text).bounds(offset_min);
        assert_eq!(
            (begins.get(), ends.get()),
            (begins_s * 1_000, ends_s * 1_000),
            "{text} {offset_min}"
        );
    }
    for text in ["", "2026", "2026-1", "2026-00", "2026-13", "26-11", "2026-011", "+026-11"] {
        assert!(text.parse::<StatementMonth>().is_err(), "{text:?}");
    }
    assert_eq!(month("2026-11").to_string(), "2026-11");
}
