//! What is written is valid against the schemas, the same bytes from the same content, and reads
//! back.

use std::collections::BTreeSet;

use chain_types::Amount;
use rand::Rng;
use rpc_iso20022::*;

use crate::support::*;

/// Messages of each of the four kinds. `SLUICE_MESSAGES` makes it another number.
fn messages() -> usize {
    std::env::var("SLUICE_MESSAGES").ok().and_then(|text| text.parse().ok()).unwrap_or(500)
}

fn settlement(random: &mut impl Rng) -> InterbankSettlement {
    let method = match random.random_range(0..4) {
        0 => SettlementMethod::InstructedAgent,
        1 => SettlementMethod::InstructingAgent,
        2 => SettlementMethod::Clearing("TGT".to_owned()),
        _ => SettlementMethod::Clearing("CIPS".to_owned()),
    };
    InterbankSettlement { method, instructing: agent(random), instructed: agent(random) }
}

fn sent(order: &PaymentOrder, message: &WrittenMessage) -> Vec<SentPayment> {
    let payments = order.payments.iter().map(|payment| SentPayment {
        obligation: payment.obligation,
        resend: payment.resend,
        message: message.id.clone(),
        message_name: message.name,
    });
    payments.collect()
}

fn recall(random: &mut impl Rng, order: &PaymentOrder, message: &WrittenMessage) -> RecallRequest {
    let payments = sent(order, message).into_iter().zip(&order.payments);
    let payments = payments.map(|(sent, payment)| RecalledPayment {
        sent,
        amount: payment.amount,
        execution: order.execution,
    });
    RecallRequest {
        created: order.created,
        assigner: agent(random),
        assignee: agent(random),
        reason: "CUST".to_owned(),
        payments: payments.collect(),
    }
}

#[test]
fn every_message_is_valid_against_its_schema_and_made_again_the_same() {
    let seed = seed();
    println!("SLUICE_SEED={seed}");
    let mut random = rng(seed);
    let mut written: [Vec<String>; 4] = Default::default();
    let mut ids = BTreeSet::new();
    for number in 0..messages() {
        let code = CURRENCIES[number % CURRENCIES.len()];
        let payments = [1, 1, 2, 5][random.random_range(0..4)];
        let order = order(&mut random, code, payments);
        let pain = write_pain001(&order).unwrap();
        let settlement = settlement(&mut random);
        let pacs = write_pacs008(&order, &settlement).unwrap();
        assert_eq!(write_pain001(&order).unwrap(), pain, "the same bytes again");
        assert_eq!(write_pacs008(&order, &settlement).unwrap(), pacs, "the same bytes again");
        let request = StatusRequest {
            created: order.created,
            instructing: agent(&mut random),
            instructed: agent(&mut random),
            payments: sent(&order, &pain),
        };
        let asked = write_pacs028(&request).unwrap();
        let recalled = write_camt056(&recall(&mut random, &order, &pacs)).unwrap();
        for (place, message) in [pain, pacs, asked, recalled].into_iter().enumerate() {
            assert!(message.id.as_str().len() <= ID_CHARACTERS_MAX);
            assert!(message.xml.contains(message.id.as_str()));
            assert!(ids.insert(message.id), "an id names two contents");
            written[place].push(message.xml);
        }
        for payment in &order.payments {
            let id = payment.obligation.end_to_end_id().to_string();
            let read: EndToEndId = id.parse().unwrap();
            assert_eq!(read.of_chain(chain()), payment.obligation, "an id decodes");
            for place in &written {
                assert!(place[number].contains(&id), "an id is never cut: {id}");
            }
        }
    }
    let names = ["pain.001.001.09", "pacs.008.001.08", "pacs.028.001.03", "camt.056.001.08"];
    for (name, files) in names.iter().zip(&written) {
        hold_against_schema(name, files);
    }
}

#[test]
fn what_cannot_be_written_is_refused_with_its_cause() {
    let mut random = rng(1);
    let good = order(&mut random, "CNY", 2);
    let changed = |change: &dyn Fn(&mut PaymentOrder)| {
        let mut order = good.clone();
        change(&mut order);
        write_pain001(&order).unwrap_err().to_string()
    };
    let table: [(&str, String); 6] = [
        ("0 payments", changed(&|order| order.payments.clear())),
        ("is zero", changed(&|order| order.payments[0].amount = Amount::new(0))),
        ("more than 18 digits", changed(&|order| order.payments[0].amount = Amount::new(u64::MAX))),
        (
            "is of currency USD",
            changed(&|order| order.payments[0].obligation = obligation(1, 2, "USD", 1)),
        ),
        (
            "stands in the message twice",
            changed(&|order| {
                order.payments[1] = order.payments[0].clone();
            }),
        ),
        ("is not a code", changed(&|order| order.service_level = Some("urgent!".to_owned()))),
    ];
    for (expected, actual) in table {
        assert!(actual.contains(expected), "{actual} should say {expected}");
    }
}

#[test]
fn another_content_has_another_id() {
    let mut random = rng(2);
    let good = order(&mut random, "KWD", 2);
    let mut ids = BTreeSet::from([write_pain001(&good).unwrap().id]);
    let changes: [&dyn Fn(&mut PaymentOrder); 4] = [
        &|order| order.created = order.created.plus(1),
        &|order| order.payments[0].amount = order.payments[0].amount.plus(Amount::new(1)),
        &|order| order.payments[0].resend += 1,
        &|order| order.payments.swap(0, 1),
    ];
    for change in changes {
        let mut order = good.clone();
        change(&mut order);
        assert!(ids.insert(write_pain001(&order).unwrap().id));
    }
}
