//! Reconciles a day of as many entries as are asked for (100,000), read as a stream that is made
//! while it is read, and prints the time and the most memory that it took.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::io::{BufReader, Read};
use std::time::Instant;

use chain_types::{Amount, ChainId, Currency, Digest, InstructionId, MerchantId, WindowId};
use rpc_iso20022::*;

const GATEWAY: &str = "DE89370400440532013000";

fn obligation(merchant: u64) -> Obligation {
    let currency = Currency::from_code("CNY").unwrap();
    let (window, merchant) = (WindowId::new(12), MerchantId::new(merchant));
    let instruction = InstructionId { window, merchant, currency };
    Obligation { chain: ChainId::new(Digest::from_bytes([7; 32])), instruction, attempt: 1 }
}

/// A camt.053, an entry at a time.
struct Statement {
    entries: u64,
    next: u64,
    piece: Vec<u8>,
    given: usize,
}

impl Statement {
    fn piece(&self) -> String {
        let balance = |code: &str, minor: u64| {
            format!(
                "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"CNY\">{minor}.00</Amt>\
                 <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-30</Dt></Dt></Bal>"
            )
        };
        match self.next {
            0 => format!(
                "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt>\
                 <GrpHdr><MsgId>S1</MsgId><CreDtTm>2026-11-30T20:00:00</CreDtTm></GrpHdr><Stmt>\
                 <Id>S1</Id><ElctrncSeqNb>1</ElctrncSeqNb><CreDtTm>2026-11-30T20:00:00</CreDtTm>\
                 <Acct><Id><IBAN>{GATEWAY}</IBAN></Id><Ccy>CNY</Ccy></Acct>{}{}",
                balance("OPBD", self.entries * 100),
                balance("CLBD", 0),
            ),
            number if number <= self.entries => format!(
                "<Ntry><Amt Ccy=\"CNY\">100.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd>\
                 </Sts><BookgDt><Dt>2026-11-30</Dt></BookgDt>\
                 <AcctSvcrRef>FT{number:012}</AcctSvcrRef>\
                 <NtryDtls><TxDtls><Refs><MsgId>M1</MsgId>\
                 <EndToEndId>{}</EndToEndId><UETR>{}</UETR>\
                 </Refs><Amt Ccy=\"CNY\">100.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls></NtryDtls>\
                 </Ntry>",
                obligation(number).end_to_end_id(),
                obligation(number).uetr(0),
            ),
            number if number == self.entries + 1 => "</Stmt></BkToCstmrStmt></Document>".to_owned(),
            _ => String::new(),
        }
    }
}

impl Read for Statement {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.given == self.piece.len() {
            self.piece = self.piece().into_bytes();
            (self.given, self.next) = (0, self.next + 1);
        }
        let bytes = buffer.len().min(self.piece.len() - self.given);
        buffer[..bytes].copy_from_slice(&self.piece[self.given..self.given + bytes]);
        self.given += bytes;
        Ok(bytes)
    }
}

fn main() {
    let entries = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let expected = (1..=entries).map(|merchant| ExpectedPayment {
        obligation: obligation(merchant),
        resends: 0,
        amount: Amount::new(10_000),
        merchant_account: format!("6222{merchant}").into(),
        chain: ChainWord::Arrived,
        matched: Vec::new(),
    });
    let day = jiff::civil::date(2026, 11, 30);
    let begun = Instant::now();
    let (expected, carried) = (expected.collect(), CarriedForward::default());
    let mut work = Reconciler::new(day, [GATEWAY.into()], expected, carried, BTreeSet::new());
    let input = BufReader::new(Statement { entries, next: 0, piece: Vec::new(), given: 0 });
    read_each(input, &Dialect::default(), &mut |item| match item {
        ReadItem::Word(BankWord::Entry(entry)) => work.entry(entry),
        ReadItem::Word(BankWord::Statement(statement)) => work.statement(&statement),
        ReadItem::Finding(finding) => println!("{}: {}", finding.place, finding.flaw),
        _ => {}
    })
    .unwrap();
    let result = work.finish();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: unknown");
    println!(
        "{} movements, {} matched, {} breaks, {} faults: {} ms; {peak}; digest {}",
        result.report.movements,
        result.matched.len(),
        result.breaks.len(),
        result.findings.len(),
        begun.elapsed().as_millis(),
        result.digest(),
    );
}
