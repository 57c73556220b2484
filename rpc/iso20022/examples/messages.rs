//! Writes one message of each kind into a folder, to be tried against a bank's own checks.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods)]

use std::path::PathBuf;

use chain_types::{Amount, ChainId, Currency, Digest, InstructionId, MerchantId, TimeMs, WindowId};
use rpc_iso20022::*;

fn party(name: &str, iban: &str, bic: &str, town: &str, country: &str) -> BankParty {
    BankParty {
        name: name.to_owned(),
        address: Some(PartyAddress::new(town, country).unwrap()),
        account: AccountNumber::Iban(Iban::new(iban).unwrap()),
        agent: BankAgent::bic(bic).unwrap(),
    }
}

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    let time_ms = std::env::args().nth(2).and_then(|text| text.parse().ok());
    let currency = Currency::from_code("EUR").unwrap();
    let instruction =
        InstructionId { window: WindowId::new(12), merchant: MerchantId::new(1_001), currency };
    let obligation =
        Obligation { chain: ChainId::new(Digest::from_bytes([7; 32])), instruction, attempt: 1 };
    let creditor = party("Noodle House", "GB82WEST12345698765432", "WESTGB2L", "London", "GB");
    let payment = OutgoingPayment {
        obligation,
        resend: 0,
        amount: Amount::new(12_345),
        creditor,
        remittance: "window 12".to_owned(),
    };
    let order = PaymentOrder {
        created: TimeMs::new(time_ms.unwrap_or(1_796_025_600_000)),
        execution: jiff::civil::date(2026, 12, 1),
        currency,
        debtor: party("Gateway 201", "DE89370400440532013000", "DEUTDEFF", "Frankfurt", "DE"),
        charges: ChargeBearer::Debtor,
        service_level: None,
        characters: CharacterSet::Swift,
        name_characters_max: 140,
        payments: vec![payment],
    };
    let bank = |bic: &str| BankAgent::bic(bic).unwrap();
    let (instructing, instructed) = (bank("DEUTDEFF"), bank("WESTGB2L"));
    let pain = write_pain001(&order).unwrap();
    let method = SettlementMethod::InstructedAgent;
    let between = InterbankSettlement {
        method,
        instructing: instructing.clone(),
        instructed: instructed.clone(),
    };
    let pacs = write_pacs008(&order, &between).unwrap();
    let sent =
        SentPayment { obligation, resend: 0, message: pacs.id.clone(), message_name: pacs.name };
    let recalled = RecalledPayment {
        sent: sent.clone(),
        amount: Amount::new(12_345),
        execution: order.execution,
    };
    let created = order.created;
    let asked = StatusRequest {
        created,
        instructing: instructing.clone(),
        instructed: instructed.clone(),
        payments: vec![sent],
    };
    let recall = RecallRequest {
        created,
        assigner: instructing,
        assignee: instructed,
        reason: "CUST".to_owned(),
        payments: vec![recalled],
    };
    let messages = [pain, pacs, write_pacs028(&asked).unwrap(), write_camt056(&recall).unwrap()];
    for message in messages {
        std::fs::write(folder.join(format!("{}.xml", message.name)), &message.xml).unwrap();
        println!("{}: {}", message.name, message.id);
    }
}
