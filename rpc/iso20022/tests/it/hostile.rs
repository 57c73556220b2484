//! Files of a bank that is broken, or of somebody who says that he is a bank. Each has a named
//! verdict, and the records beside a bad one are unharmed.

use std::io::{BufReader, Read};

use rand::Rng;
use rpc_iso20022::*;

use crate::support::*;

fn verdict(bytes: &[u8]) -> String {
    match read_file(bytes, &Dialect::default()) {
        Err(flaw) => flaw.name().to_owned(),
        Ok(file) => {
            let names: Vec<_> = file.findings.iter().map(|finding| finding.flaw.name()).collect();
            format!("{} words; {}", file.words.len(), names.join(" "))
        }
    }
}

#[test]
fn a_file_that_is_no_message_is_refused_by_name() {
    let good = pain002("", &status("12-1001-CNY-1", "ACSP", ""));
    let head = "<?xml version=\"1.0\"?>";
    let bomb = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
    let body = good.split_once("?>").unwrap().1;
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked: Vec<u8> = [0xff, 0xfe].into_iter().chain(utf16.iter().copied()).collect();
    let deep = "<a>".repeat(40) + &"</a>".repeat(40);
    let namespaces: String =
        (0..80).map(|number| format!(" xmlns:n{number}=\"u{number}\"")).collect();
    let inherited: String = (0..25)
        .map(|level| (0..4).map(|each| format!(" xmlns:n{level}x{each}=\"u\"")).collect::<String>())
        .map(|declared| format!("<a{declared}>"))
        .collect();
    let attributes: String = (0..80).map(|number| format!(" a{number}=\"\"")).collect();
    let other = |message: &str| good.replace("pain.002.001.10", message);
    let table: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("empty", b" \n ".to_vec()),
        ("doctype", format!("{head}{bomb}{body}").into_bytes()),
        ("doctype", format!("{head}<!DOCTYPE x SYSTEM \"file:///etc/passwd\">{body}").into_bytes()),
        ("encoding", marked),
        ("encoding", utf16),
        ("encoding", good.replace("UTF-8", "ISO-8859-1").into_bytes()),
        ("encoding", [good.as_bytes(), b"\xff"].concat()),
        ("too-deep", deep.into_bytes()),
        ("too-many-attributes", format!("<a{namespaces}/>").into_bytes()),
        ("too-many-namespaces", inherited.into_bytes()),
        ("too-many-attributes", format!("<a{attributes}/>").into_bytes()),
        ("undeclared-prefix", b"<x:Document/>".to_vec()),
        ("token-too-long", format!("<a>{}</a>", "x".repeat(2 << 20)).into_bytes()),
        ("token-too-long", format!("<a><!--{}--></a>", "x".repeat(2 << 20)).into_bytes()),
        ("token-too-long", format!("<a b=\"{}\"/>", "x".repeat(2 << 20)).into_bytes()),
        ("truncated", good.as_bytes()[..good.len() - 20].to_vec()),
        ("truncated", good.as_bytes()[..good.len() - 3].to_vec()),
        ("malformed", good.replace("</TxSts>", "</TxStatus>").into_bytes()),
        ("malformed", format!("{good}<a/>").into_bytes()),
        ("malformed", format!("{good}text").into_bytes()),
        ("malformed", good.replace("<TxSts>", "<TxSts a='1' a='2'>").into_bytes()),
        ("malformed", good.replace("1.0", "1.1").into_bytes()),
        ("version", other("pain.002.001.03").into_bytes()),
        ("version", other("camt.053.001.02").into_bytes()),
        ("message", other("pain.001.001.09").into_bytes()),
        ("message", other("").into_bytes()),
        ("message", other("日本語日本語").into_bytes()),
        ("no-document", b"<BizMsg><Other/></BizMsg>".to_vec()),
        ("no-document", b"{\"json\": true}".to_vec()),
    ];
    for (expected, bytes) in table {
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(120)]).into_owned();
        let actual = verdict(&bytes);
        let is_text = expected == "no-document" && actual == "malformed";
        assert!(actual == expected || is_text, "{expected} expected, {actual} found: {start}");
    }
}

#[test]
fn one_bad_status_does_not_lose_its_siblings() {
    let good = status("12-1001-CNY-1", "ACSP", "");
    let long = "x".repeat(70 << 10);
    let table = [
        ("entity", status("12-1001-CNY-2", "AC&x;SP", "")),
        ("entity", status("12-1001-CNY-2", "AC&#0;SP", "")),
        ("entity", status("12-1001-CNY-2", "AC&#x110000;SP", "")),
        ("entity", good.replace("<TxInfAndSts>", "<TxInfAndSts a=\"&x;\">")),
        ("character", status("12-1001-CNY-2", "AC\u{1}SP", "")),
        ("text-too-long", status(&long, "ACSP", "")),
        ("mixed", status("12-1001-CNY-2", "AC<x/>SP", "")),
        ("repeated", status("12-1001-CNY-2", "ACSP</TxSts><TxSts>RJCT", "")),
        ("missing", status("12-1001-CNY-2", "", "")),
        ("names-nothing", status("NOTPROVIDED", "ACSP", "")),
        ("record-too-large", good.replace("<TxSts>", &("<x></x>".repeat(5_000) + "<TxSts>"))),
        (
            "currency",
            good.replace(
                "<TxSts>",
                "<OrgnlTxRef><Amt><InstdAmt Ccy=\"XXX\">1</InstdAmt></Amt></OrgnlTxRef><TxSts>",
            ),
        ),
    ];
    for (expected, bad) in table {
        let actual = verdict(pain002("", &format!("{good}{bad}{good}")).as_bytes());
        assert_eq!(actual, format!("2 words; {expected}"), "{}", &bad[..bad.len().min(200)]);
    }
    // A status that is not known is said, and what follows from it is doubt.
    let unknown = pain002("", &status("12-1001-CNY-2", "WHAT", ""));
    assert_eq!(verdict(unknown.as_bytes()), "1 words; status");
}

/// The amount of the first entry, or the finding in its place.
fn amount(text: &str) -> String {
    let good = entry("1.00", "CRDT", "A", "");
    let xml =
        camt053(GATEWAY, 1, "0", "0", &format!("{good}{}{good}", entry(text, "CRDT", "B", "")));
    let file = read(&xml);
    let amounts: Vec<u64> = file
        .words
        .iter()
        .filter_map(|word| match word {
            BankWord::Entry(entry) => Some(entry.money.amount.get()),
            _ => None,
        })
        .collect();
    match (amounts.as_slice(), file.findings.first()) {
        ([100, amount, 100], None) => amount.to_string(),
        ([100, 100], Some(finding)) => finding.flaw.name().to_owned(),
        (amounts, finding) => panic!("{text}: {amounts:?}, {finding:?}"),
    }
}

#[test]
fn no_digit_of_an_amount_is_lost_and_none_is_invented() {
    let table = [
        ("123.45", "12345"),
        ("1&#50;3.45", "12345"),
        ("&#x31;&#x32;&#x33;.&#x34;&#x35;", "12345"),
        ("12<![CDATA[3.4]]>5", "12345"),
        ("<![CDATA[123.45]]>", "12345"),
        ("12<!-- 9 -->3.45", "12345"),
        ("12<?x 9?>3.45", "12345"),
        ("\n 123.45\t", "12345"),
        ("123.4500000000000", "12345"),
        ("123.4500000000001", "amount-too-fine"),
        ("123.456", "amount-too-fine"),
        ("1&x;23.45", "entity"),
        ("1&lt;23", "amount-form"),
        ("123<x/>.45", "mixed"),
        ("1 23.45", "amount-form"),
        ("123,45", "amount-form"),
        ("1.234,50", "amount-form"),
        ("-123.45", "amount-negative"),
        ("1e3", "amount-form"),
        ("NaN", "amount-form"),
        ("", "amount-form"),
        ("１２３", "amount-form"),
        ("99999999999999999999.00", "amount-overflow"),
        ("1</Amt><Amt Ccy=\"CNY\">2", "repeated"),
    ];
    for (text, expected) in table {
        assert_eq!(amount(text), expected, "{text}");
    }
    let other =
        camt053(GATEWAY, 1, "0", "0", &entry("1.00", "CRDT", "A", "").replace("CNY", "ZZZ"));
    assert_eq!(verdict(other.as_bytes()), "1 words; currency");
    let none =
        camt053(GATEWAY, 1, "0", "0", &entry("1.00", "CRDT", "A", "").replace(" Ccy=\"CNY\"", ""));
    assert_eq!(verdict(none.as_bytes()), "1 words; missing");
}

#[test]
fn form_is_tolerated() {
    let good = pain002("", &status("12-1001-CNY-1", "ACSP", ""));
    let body = good.split_once("?>").unwrap().1;
    let prefixed = body
        .replace("</", "\u{1}")
        .replace('<', "<n:")
        .replace('\u{1}', "</n:")
        .replace("xmlns=", "xmlns:n=");
    let wrapped = format!("<BizMsg xmlns=\"urn:bank\"><AppHdr><Fr/></AppHdr>{body}</BizMsg>");
    let foreign = good.replace("<TxSts>", "<o:TxSts xmlns:o=\"urn:o\">RJCT</o:TxSts><TxSts>");
    let no_declaration = body.trim().to_owned();
    let marked = format!("\u{feff}{good}");
    let twice = format!("<BizMsg>{body}{body}</BizMsg>");
    let expected = "1 words; ";
    for xml in [&good, &prefixed, &wrapped, &foreign, &no_declaration, &marked] {
        assert_eq!(verdict(xml.as_bytes()), expected, "{xml}");
    }
    assert_eq!(verdict(twice.as_bytes()), "2 words; ");
    let alias = good.replace("urn:iso:std:iso:20022:tech:xsd:pain.002.001.10", "urn:bank:status");
    assert_eq!(verdict(alias.as_bytes()), "message");
    let aliases = vec![("urn:bank:status".to_owned(), "pain.002.001.10".to_owned())];
    let dialect = Dialect { aliases, also: Vec::new() };
    assert_eq!(read_file(alias.as_bytes(), &dialect).unwrap().words.len(), 1);
    let older = good.replace("001.10", "001.03");
    let dialect = Dialect { aliases: Vec::new(), also: vec!["pain.002.001.03".to_owned()] };
    assert_eq!(read_file(older.as_bytes(), &dialect).unwrap().words.len(), 1);
}

/// A file without an end, made as it is read: it is never in memory.
struct Endless {
    start: Vec<u8>,
    piece: Vec<u8>,
    given: usize,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let piece = match self.given.checked_sub(self.start.len()) {
            None => &self.start[self.given..],
            Some(rest) => &self.piece[rest % self.piece.len()..],
        };
        let bytes = piece.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&piece[..bytes]);
        self.given += bytes;
        Ok(bytes)
    }
}

/// The most memory that this process has had, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).unwrap_or_default()
}

#[test]
fn a_file_without_an_end_costs_no_memory() {
    let head =
        |message: &str, root: &str| document(message, root).replace("</Document>", "").into_bytes();
    let statement = "<BkToCstmrStmt><Stmt><Id>1</Id>";
    let report = "<BkToCstmrAcctRpt><Rpt><Id>1</Id>";
    let before = peak_kib();
    let one = entry("1.00", "CRDT", "A", &detail("12-1001-CNY-1", "1.00", ""));
    let details = detail("12-1001-CNY-1", "1.00", "");
    let table: [(&str, Vec<u8>, Vec<u8>); 7] = [
        ("file-too-long", head("camt.053.001.08", statement), one.clone().into_bytes()),
        ("file-too-long", head("camt.052.001.08", report), one.into_bytes()),
        (
            "file-too-long",
            head("camt.052.001.08", &format!("{report}<Ntry><NtryDtls>")),
            details.into_bytes(),
        ),
        ("file-too-long", head("camt.052.001.08", report), b"<Bal/><Id>1</Id>".to_vec()),
        (
            "file-too-long",
            head("camt.053.001.08", &format!("{statement}<Ntry>")),
            b"<x>y</x>".to_vec(),
        ),
        ("token-too-long", b"<a>".to_vec(), b"x".to_vec()),
        ("file-too-long", b"<a>".to_vec(), b"<b> </b>".to_vec()),
    ];
    for (expected, start, piece) in table {
        let name = String::from_utf8_lossy(&piece).into_owned();
        let piece = piece.repeat(1_000);
        let input = BufReader::new(Endless { start, piece, given: 0 });
        let flaw = read_each(input, &Dialect::default(), &mut |_| {}).unwrap_err();
        assert_eq!(flaw.name(), expected, "{name}");
    }
    let grown = peak_kib().saturating_sub(before);
    println!("peak memory grew by {grown} KiB");
    assert!(grown < 64 << 10, "{grown} KiB for files that are not kept");
}

#[test]
fn no_mutation_of_a_file_panics() {
    let seed = seed();
    println!("SLUICE_SEED={seed}");
    let mut random = rng(seed);
    let details = detail("12-1001-CNY-1", "30.00", "") + &detail("12-1002-CNY-1", "70.00", "");
    let files = [
        pain002("<GrpSts>PART</GrpSts>", &status("12-1001-CNY-1", "RJCT", "AC04")),
        camt053(GATEWAY, 1, "100.00", "0.00", &entry("100.00", "DBIT", "A", &details)),
    ];
    let pieces = [
        "<",
        ">",
        "&",
        "&#49;",
        "]]>",
        "<!DOCTYPE x>",
        "\u{0}",
        "<![CDATA[",
        "-",
        "9",
        "\"",
        "xmlns=",
    ];
    for _ in 0..20_000 {
        let mut bytes = files[random.random_range(0..files.len())].clone().into_bytes();
        for _ in 0..random.random_range(1..4) {
            if bytes.is_empty() {
                break;
            }
            let place = random.random_range(0..bytes.len());
            match random.random_range(0..5) {
                0 => bytes[place] = random.random_range(0..=255),
                1 => drop(bytes.remove(place)),
                2 => bytes.truncate(place.max(1)),
                3 => {
                    let piece = pieces[random.random_range(0..pieces.len())];
                    bytes.splice(place..place, piece.bytes());
                }
                _ => {
                    let end = (place + random.random_range(1..80)).min(bytes.len());
                    let copied = bytes[place..end].to_vec();
                    bytes.splice(place..place, copied);
                }
            }
        }
        if let Ok(file) = read_file(bytes.as_slice(), &Dialect::default()) {
            let mut day = Reconciler::new(
                jiff::civil::date(2026, 11, 30),
                [GATEWAY.into()],
                Vec::new(),
                CarriedForward::default(),
                Default::default(),
            );
            for word in file.words {
                match word {
                    BankWord::Entry(entry) => day.entry(entry),
                    BankWord::Statement(statement) => day.statement(&statement),
                    _ => {}
                }
            }
            assert!(!day.finish().report.json().is_empty());
        }
    }
}
