//! Payments to write, and where the schemas are.

use std::path::PathBuf;
use std::process::Command;

use chain_types::{Amount, ChainId, Currency, Digest, InstructionId, MerchantId, TimeMs, WindowId};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rpc_iso20022::*;

pub const CURRENCIES: [&str; 18] = [
    "CNY", "USD", "EUR", "GBP", "JPY", "HKD", "TWD", "KRW", "SGD", "MYR", "THB", "IDR", "VND",
    "PHP", "INR", "AUD", "AED", "KWD",
];

const NAMES: [&str; 12] = [
    "Noodle House Ltd",
    "李记餐厅有限公司",
    "Müller & Söhne <GmbH> \"Café\"",
    "",
    "//:-",
    "ร้านก๋วยเตี๋ยวเรือ",
    "A very long name of a company that goes on, and on, and on, beyond what any bank has ever \
     carried in any of its messages, and even further than that, to the end",
    "]]><evil/>&amp;",
    "Nguye\u{302}\u{303}n Va\u{306}n",
    "\u{1}\u{7f}\u{0}",
    "👩🏽‍🍳 Kitchen",
    "' OR 1=1 --",
];

pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// The seed of a test: `SLUICE_SEED`, or one.
pub fn seed() -> u64 {
    std::env::var("SLUICE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

pub fn chain() -> ChainId {
    ChainId::new(Digest::from_bytes([7; 32]))
}

pub fn obligation(window: u64, merchant: u64, code: &str, attempt: u16) -> Obligation {
    let currency = Currency::from_code(code).unwrap();
    let instruction = InstructionId {
        window: WindowId::new(window),
        merchant: MerchantId::new(merchant),
        currency,
    };
    Obligation { chain: chain(), instruction, attempt }
}

pub fn agent(random: &mut impl Rng) -> BankAgent {
    match random.random_range(0..3) {
        0 => BankAgent::bic("DEUTDEFF").unwrap(),
        1 => BankAgent::bic("BKCHCNBJ110").unwrap(),
        _ => BankAgent::member("CNAPS", "102100099996").unwrap(),
    }
}

pub fn party(random: &mut impl Rng) -> BankParty {
    let account = match random.random_range(0..3) {
        0 => AccountNumber::Iban(Iban::new("DE89370400440532013000").unwrap()),
        1 => AccountNumber::Iban(Iban::new("KW81CBKU0000000000001234560101").unwrap()),
        _ => AccountNumber::other("6222020200112233445").unwrap(),
    };
    let address = match random.random_range(0..3) {
        0 => None,
        1 => Some(PartyAddress::new("Shanghai", "CN").unwrap()),
        _ => {
            let address = PartyAddress::new("Kuwait City", "KW").unwrap();
            Some(address.with_street("Müllerstraße 1 & <2>", "12345").unwrap())
        }
    };
    let name = NAMES[random.random_range(0..NAMES.len())].to_owned();
    BankParty { name, address, account, agent: agent(random) }
}

/// A number that is often at an end of its range.
fn number(random: &mut impl Rng, most: u64) -> u64 {
    match random.random_range(0..5) {
        0 => most,
        1 => 0,
        2 => most - 1,
        3 => random.random_range(0..100_000).min(most),
        _ => random.random_range(0..=most),
    }
}

pub fn payment(random: &mut impl Rng, code: &str, resend: u16) -> OutgoingPayment {
    let (window, merchant) = (number(random, u64::MAX), number(random, u64::MAX));
    let attempt = u16::try_from(number(random, 65_535)).unwrap();
    OutgoingPayment {
        obligation: obligation(window, merchant, code, attempt),
        resend,
        amount: Amount::new(number(random, 999_999_999_999_999).max(1)),
        creditor: party(random),
        remittance: NAMES[random.random_range(0..NAMES.len())].to_owned(),
    }
}

pub fn order(random: &mut impl Rng, code: &str, payments: usize) -> PaymentOrder {
    let mut paid: Vec<OutgoingPayment> = Vec::new();
    while paid.len() < payments {
        let resend = random.random_range(0..3);
        let next = payment(random, code, resend);
        let id = next.obligation;
        if !paid.iter().any(|each| each.obligation == id) {
            paid.push(next);
        }
    }
    PaymentOrder {
        created: TimeMs::new(random.random_range(1_700_000_000_000..4_000_000_000_000)),
        execution: jiff::civil::date(2026, 12, random.random_range(1..31)),
        currency: Currency::from_code(code).unwrap(),
        debtor: party(random),
        charges: [ChargeBearer::Debtor, ChargeBearer::Shared, ChargeBearer::ServiceLevel]
            [random.random_range(0..3)],
        service_level: [None, Some("SEPA".to_owned()), Some("URGP".to_owned())]
            [random.random_range(0..3)]
        .clone(),
        characters: [CharacterSet::Swift, CharacterSet::Unicode][random.random_range(0..2)],
        name_characters_max: [70, 140][random.random_range(0..2)],
        payments: paid,
    }
}

/// The folder of the schemas: `SLUICE_SCHEMAS`, or `shared/xsd` beside the clone or above it.
pub fn schemas() -> Option<PathBuf> {
    let named = std::env::var_os("SLUICE_SCHEMAS").map(PathBuf::from);
    let here = std::env::current_dir().unwrap();
    let above = here.ancestors().map(|folder| folder.join("shared/xsd"));
    named.into_iter().chain(above).find(|folder| folder.join("pain.001.001.09.xsd").exists())
}

/// Holds files against the schema of a message, many in one process. Says in a line when it cannot.
pub fn hold_against_schema(message: &str, files: &[String]) {
    let Some(folder) = schemas() else {
        println!("{message}: not checked, no schema: set SLUICE_SCHEMAS to a folder of them");
        return;
    };
    if Command::new("xmllint").arg("--version").output().is_err() {
        println!("{message}: not checked, no xmllint: install libxml2-utils");
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    for (number, xml) in files.iter().enumerate() {
        let name = temporary.path().join(format!("{number}.xml"));
        std::fs::write(&name, xml).unwrap();
        names.push(name);
    }
    for some in names.chunks(1_000) {
        let mut command = Command::new("xmllint");
        command.arg("--noout").arg("--nonet").arg("--schema");
        command.arg(folder.join(format!("{message}.xsd"))).args(some);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let complaints: Vec<_> =
            said.lines().filter(|line| !line.ends_with(" validates")).collect();
        let first = complaints.first().and_then(|line| line.split(':').next());
        let file = first.and_then(|name| std::fs::read_to_string(name).ok()).unwrap_or_default();
        assert!(
            output.status.success(),
            "{}\n{file}",
            complaints[..complaints.len().min(10)].join("\n")
        );
    }
    println!("{message}: {} files are valid against the schema", files.len());
}

/// The account of the gateway in the files of a bank.
pub const GATEWAY: &str = "DE89370400440532013000";
/// The account of the merchant.
pub const MERCHANT: &str = "KW81CBKU0000000000001234560101";

/// A document of a message.
pub fn document(message: &str, inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document \
         xmlns=\"urn:iso:std:iso:20022:tech:xsd:{message}\">{inside}</Document>"
    )
}

/// A pain.002 with a group and transactions as they are given.
pub fn pain002(group: &str, transactions: &str) -> String {
    let inside = format!(
        "<CstmrPmtStsRpt><GrpHdr><MsgId>R1</MsgId><CreDtTm>2026-11-30T08:00:00</CreDtTm></GrpHdr>\
         <OrgnlGrpInfAndSts><OrgnlMsgId>M1</OrgnlMsgId>\
         <OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{group}</OrgnlGrpInfAndSts>\
         <OrgnlPmtInfAndSts><OrgnlPmtInfId>M1</OrgnlPmtInfId>{transactions}</OrgnlPmtInfAndSts>\
         </CstmrPmtStsRpt>"
    );
    document("pain.002.001.10", &inside)
}

/// Returns a transaction's status as XML; no reason if `reason` is empty.
pub fn status(id: &str, code: &str, reason: &str) -> String {
    let reason = match reason {
        "" => String::new(),
        reason => format!("<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>"),
    };
    format!(
        "<TxInfAndSts><OrgnlEndToEndId>{id}</OrgnlEndToEndId><TxSts>{code}</TxSts>{reason}\
         </TxInfAndSts>"
    )
}

/// An entry of an account: `details` are the inside of its `NtryDtls`.
pub fn entry(amount: &str, direction: &str, reference: &str, details: &str) -> String {
    format!(
        "<Ntry><Amt Ccy=\"CNY\">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>\
         <Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-30</Dt></BookgDt>\
         <AcctSvcrRef>{reference}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd>\
         <SubFmlyCd>DMCT</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls>{details}</NtryDtls></Ntry>"
    )
}

/// A detail of an entry.
pub fn detail(id: &str, amount: &str, rest: &str) -> String {
    format!(
        "<TxDtls><Refs><EndToEndId>{id}</EndToEndId></Refs><Amt Ccy=\"CNY\">{amount}</Amt>{rest}\
         </TxDtls>"
    )
}

/// A camt.053 of one statement of an account.
pub fn camt053(account: &str, number: u64, opening: &str, closing: &str, entries: &str) -> String {
    let balance = |code: &str, amount: &str| {
        let (amount, direction) = match amount.strip_prefix('-') {
            Some(amount) => (amount, "DBIT"),
            None => (amount, "CRDT"),
        };
        format!(
            "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"CNY\">{amount}</Amt>\
             <CdtDbtInd>{direction}</CdtDbtInd><Dt><Dt>2026-11-30</Dt></Dt></Bal>"
        )
    };
    let inside = format!(
        "<BkToCstmrStmt><GrpHdr><MsgId>S{number}</MsgId><CreDtTm>2026-11-30T20:00:00</CreDtTm>\
         </GrpHdr><Stmt><Id>S{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb>\
         <CreDtTm>2026-11-30T20:00:00</CreDtTm><Acct><Id><IBAN>{account}</IBAN></Id>\
         <Ccy>CNY</Ccy></Acct>{}{}{entries}</Stmt></BkToCstmrStmt>",
        balance("OPBD", opening),
        balance("CLBD", closing),
    );
    document("camt.053.001.08", &inside)
}

/// Reads a file that must be readable.
pub fn read(xml: &str) -> BankFile {
    read_file(xml.as_bytes(), &Dialect::default()).unwrap()
}
