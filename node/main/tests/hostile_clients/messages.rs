//! Messages made from the methods' own signatures: right ones, and what clients send that are
//! careless, broken or hostile. The oracle says what each must be answered with.

use std::io::Write as _;

use rpc_api::signature::MethodSignature;
use rpc_api::{methods, signatures};

use crate::oracle::{ID_BYTES_MAX, MESSAGE_BYTES_MAX};
use crate::random::Random;
use crate::values::{example, variants};
use crate::world::World;
use crate::{Input, Via, batches};

/// Makes messages for one network.
pub struct Maker<'a> {
    pub world: &'a World,
    pub random: Random,
}

/// Writes the text of a request.
fn request(id: &str, method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)
}

fn listed(values: &[String]) -> String {
    format!("[{}]", values.join(","))
}

fn named(signature: &MethodSignature, values: &[String]) -> String {
    let pairs = signature.parameters.iter().zip(values);
    let pairs: Vec<String> =
        pairs.map(|(parameter, value)| format!("\"{}\":{value}", parameter.name)).collect();
    format!("{{{}}}", pairs.join(","))
}

const IDS: [&str; 24] = [
    "0",
    "7",
    "18446744073709551615",
    "18446744073709551616",
    "-1",
    "-0",
    "1.0",
    "1e3",
    "0.5",
    "null",
    "true",
    "false",
    "[]",
    "[1]",
    "{}",
    "{\"id\":1}",
    "\"\"",
    "\"a\\u00e4\\n\\u0000\"",
    "\"\\ud800\"",
    "\"\u{1f4b0}\"",
    "\"1\"",
    "1e400",
    "00",
    "\"\\\"\"",
];

impl Maker<'_> {
    fn good(&self, signature: &MethodSignature) -> Vec<String> {
        let of = |parameter| example(self.world, signature.method, parameter);
        signature.parameters.iter().map(of).collect()
    }

    fn id(&mut self) -> String {
        match self.random.below(4) {
            0 => format!("\"c-{}\"", self.random.next()),
            1 => "null".to_owned(),
            _ => self.random.next().to_string(),
        }
    }

    /// A way for a message: most go over connections that stay.
    fn via(&mut self) -> Via {
        match self.random.below(10) {
            0..=4 => Via::Post,
            5..=7 => Via::Socket,
            8 => Via::Binary,
            _ => Via::Fragments(1 + self.random.below(9)),
        }
    }

    fn input(&mut self, kind: &'static str, text: impl Into<Vec<u8>>) -> Input {
        Input::new(kind, text.into(), self.via())
    }

    /// One right call of each method.
    pub fn honest(&mut self) -> Vec<Input> {
        let mut all = Vec::new();
        for signature in &signatures() {
            let good = self.good(signature);
            for params in [listed(&good), named(signature, &good)] {
                let text = request(&self.id(), signature.method, &params);
                let via = match signature.method.contains("_subscribe_") {
                    true => Via::Socket,
                    false => self.via(),
                };
                all.push(Input::new("honest", text.into(), via));
            }
        }
        all
    }

    /// Every parameter of every method with every value that is not quite its own; missing,
    /// surplus, misnamed, misordered and repeated parameters.
    pub fn parameters(&mut self) -> Vec<Input> {
        let mut all = Vec::new();
        for signature in &signatures() {
            let good = self.good(signature);
            let mut params = vec![
                "[]".to_owned(),
                "{}".to_owned(),
                "null".to_owned(),
                "5".to_owned(),
                "\"[]\"".to_owned(),
                "true".to_owned(),
                r#"{"surplus":1}"#.to_owned(),
                r#"{"\ud800":1}"#.to_owned(),
                listed(&[good.clone(), vec!["null".to_owned()]].concat()),
                listed(&[good.clone(), vec!["1".to_owned(); 40]].concat()),
                listed(&[good.as_slice(), good.as_slice()].concat()),
                listed(&vec!["null".to_owned(); signature.parameters.len()]),
                named(signature, &good).replace('_', ""),
                named(signature, &good).to_uppercase(),
            ];
            let mut reversed = good.clone();
            reversed.reverse();
            params.extend([listed(&reversed), named(signature, &reversed)]);
            for (index, parameter) in signature.parameters.iter().enumerate() {
                params.extend([listed(&good[..index]), named(signature, &good[..index])]);
                let whole = named(signature, &good);
                let open = &whole[..whole.len() - 1];
                params.push(format!("{open},\"{}\":{}}}", parameter.name, good[index]));
                params.push(format!("{open},\"{}\":null}}", parameter.name));
                params.push(format!("{open},\"{} \":1}}", parameter.name));
                // Another spelling of the same name.
                let first = u32::from(parameter.name.as_bytes()[0]);
                let spelled = format!("\"\\u{first:04x}{}\":", &parameter.name[1..]);
                params.push(whole.replace(&format!("\"{}\":", parameter.name), &spelled));
                for value in variants(parameter.form, &good[index]) {
                    let mut values = good.clone();
                    values[index] = value;
                    params.extend([listed(&values), named(signature, &values)]);
                }
            }
            for params in params {
                let text = request(&self.id(), signature.method, &params);
                all.push(self.input("parameters", text));
            }
        }
        for events in methods().filter_map(|method| method.subscription) {
            let end = events.unsubscribe;
            for params in ["[]", "[7]", "[\"7\"]", "[-1]", "[1.0]", "[null]", "[[7]]", "[7,8]"] {
                all.push(self.input("parameters", request("1", end, params)));
            }
            for params in ["{}", "{\"subscription\":7}", "null", "[18446744073709551615]"] {
                all.push(self.input("parameters", request("1", end, params)));
            }
        }
        all
    }

    /// Requests with every other shape than the one they should have.
    pub fn envelopes(&mut self) -> Vec<Input> {
        let mut all = Vec::new();
        for signature in &signatures() {
            let (method, params) = (signature.method, listed(&self.good(signature)));
            let mut texts: Vec<String> =
                IDS.iter().map(|id| request(id, method, &params)).collect();
            for len in [254, 255, 256, 257, 300] {
                texts.push(request(&format!("\"{}\"", "x".repeat(len)), method, &params));
            }
            texts.push(request(
                &format!("\"{}\"", "\\u0061".repeat(ID_BYTES_MAX)),
                method,
                &params,
            ));
            texts.push(request(&"9".repeat(300), method, &params));
            let good = request("1", method, &params);
            let inner = &good[1..good.len() - 1];
            texts.extend([
                format!("{{\"id\":2,{inner}}}"),
                format!("{{{inner},\"\\u0069d\":1}}"),
                format!("{{{inner},\"method\":\"chain_id\"}}"),
                format!("{{{inner},\"params\":[]}}"),
                format!("{{{inner},\"jsonrpc\":\"2.0\"}}"),
                format!("{{{inner},\"surplus\":{{\"id\":3}}}}"),
                format!("{{{inner},\"\\ud800\":1}}"),
                format!("{{{inner},}}"),
                good.replace("\"2.0\"", "\"1.0\""),
                good.replace("\"2.0\"", "2.0"),
                good.replace("\"2.0\"", "\"2.00\""),
                good.replace("\"2.0\"", "null"),
                good.replace("\"2.0\"", "\"\\u0032.0\""),
                good.replace("\"jsonrpc\":\"2.0\",", ""),
                good.replace("\"id\":1,", ""),
                good.replace("jsonrpc", "JSONRPC"),
                good.replace("\"method\"", "\"Method\""),
                good.replace(method, &method.to_uppercase()),
                good.replace(method, &format!("{method} ")),
                good.replace(method, &format!("{method}\\u0000")),
                good.replace(method, &method.replace('_', "\\u005f")),
                good.replace(method, &method.replace('_', ".")),
                good.replace(method, &method.repeat(40)),
                good.replace(&format!("\"{method}\""), "5"),
                good.replace(&format!("\"{method}\""), "null"),
                good.replace(&format!("\"{method}\""), &format!("[\"{method}\"]")),
                // Notifications, whatever they ask for.
                good.replace("\"id\":1,", "").replace(method, &"x".repeat(400)),
                good.replace("\"id\":1,", "").replace(method, "no_such_method"),
                format!(" \t\r\n{good}\n"),
                format!("\u{feff}{good}"),
                format!("\u{b}{good}"),
                format!("{good}{good}"),
                format!("{good},"),
                format!("{good}\0"),
                format!("//{good}"),
                format!("[[{good}]]"),
                format!("\"{}\"", good.replace('"', "\\\"")),
                good.replace('"', "'"),
            ]);
            all.extend(texts.into_iter().map(|text| self.input("envelopes", text)));
        }
        all
    }

    /// Every prefix of a right request.
    pub fn prefixes(&mut self) -> Vec<Input> {
        let mut all = Vec::new();
        for signature in &signatures() {
            let params = match signature.method {
                // Its own would be long.
                "batch_submit" => "[\"AAAA\"]".to_owned(),
                _ => named(signature, &self.good(signature)),
            };
            let text = request("1", signature.method, &params);
            for len in 0..text.len() {
                all.push(self.input("prefixes", &text.as_bytes()[..len]));
            }
        }
        all
    }

    /// Lists of requests: none, one, the most, too many; with notifications and what is no request.
    pub fn lists(&mut self) -> Vec<Input> {
        let mut all = Vec::new();
        for count in (0..=34).chain([64, 1_000, 4_096, 4_097, 10_000]) {
            let calls = vec![request("1", "chain_id", "[]"); count];
            all.push(self.input("lists", listed(&calls)));
            all.push(self.input("lists", listed(&vec!["1".to_owned(); count])));
            all.push(self.input("lists", format!("{},]", &listed(&calls)[..])));
        }
        for _ in 0..600 {
            let count = 1 + self.random.below(33);
            let entries: Vec<String> = (0..count).map(|_| self.entry()).collect();
            all.push(self.input("lists", listed(&entries)));
        }
        all
    }

    fn entry(&mut self) -> String {
        let signature = *self.random.one_of(&signatures());
        let params = listed(&self.good(&signature));
        match self.random.below(8) {
            0 => "[]".to_owned(),
            1 => (*self.random.one_of(&["1", "null", "{}", "\"x\"", "[[]]", "{\"id\":4}"]))
                .to_owned(),
            2 => request(&self.id(), signature.method, &params).replacen("\"id\":", "\"no\":", 1),
            3 => {
                let id = *self.random.one_of(&IDS);
                request(id, signature.method, "[]")
            }
            4 => request(&self.id(), "no_such_method", &params),
            _ => request(&self.id(), signature.method, &params),
        }
    }

    /// Depths about the bound, closed, open and crossed.
    pub fn depths(&mut self) -> Vec<Input> {
        let mut all = Vec::new();
        let levels = [1, 31, 60, 61, 62, 63, 64, 65, 66, 127, 128, 129, 1_000, 100_000, 500_000];
        for levels in levels {
            for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
                let deep = format!("{}1{}", open.repeat(levels), close.repeat(levels));
                all.push(self.input("depths", deep.clone()));
                all.push(self.input("depths", open.repeat(levels)));
                all.push(self.input("depths", format!("{}]}}", open.repeat(levels))));
                if levels > 2_000 {
                    continue;
                }
                for method in ["chain_block", "chain_id", "no_such_method", "ledger_accounts"] {
                    all.push(self.input("depths", request("1", method, &format!("[{deep}]"))));
                    let call = request("1", method, "[]");
                    let inner = &call[1..call.len() - 1];
                    all.push(self.input("depths", format!("{{{inner},\"more\":{deep}}}")));
                    let notification = call.replace("\"id\":1,", "");
                    let inner = &notification[1..notification.len() - 1];
                    all.push(self.input("depths", format!("{{{inner},\"more\":{deep}}}")));
                }
                all.push(self.input("depths", format!("[{deep}]")));
                let text = format!("[\"{}\"]", open.repeat(levels).replace('"', "\\\""));
                all.push(self.input("depths", request("1", "recharge_order", &text)));
            }
        }
        all
    }

    /// Signed batches that are broken in each field, byte and length.
    pub fn batches(&mut self) -> Vec<Input> {
        let broken = batches::broken(self.world, &mut self.random);
        let all = broken.into_iter().map(|bytes| {
            let text = rpc_api::encode_base64(&bytes);
            self.input("batches", request("1", "batch_submit", &format!("[\"{text}\"]")))
        });
        all.collect()
    }

    /// Messages about as large as may be, and lists of the largest pages: megabytes each.
    pub fn heavy(&mut self) -> Vec<Input> {
        let mut all = Vec::new();
        let fill = |text: &str, len: usize| {
            let (head, tail) = text.split_once('#').expect("a place for the filling");
            let filling = "A".repeat(len.saturating_sub(head.len() + tail.len()));
            format!("{head}{filling}{tail}")
        };
        let whole = request("1", "batch_submit", "[\"#\"]");
        let id = request("\"#\"", "chain_id", "[]");
        let name = request("1", "chain_id#", "[]");
        let id_text = request("1", "recharge_order", "[\"#\"]");
        let member = request("1", "chain_id", "[],\"more\":\"#\"");
        for text in [whole, id, name, id_text, member] {
            for len in [MESSAGE_BYTES_MAX - 1, MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX + 1, 3 << 20] {
                all.push(self.input("heavy", fill(&text, len)));
            }
        }
        let blanks = " ".repeat(MESSAGE_BYTES_MAX - 60);
        all.push(self.input("heavy", format!("{blanks}{}", request("1", "chain_id", "[]"))));
        let many = |value: &str, count: usize| listed(&vec![value.to_owned(); count]);
        for method in ["recharge_order", "chain_id", "ledger_accounts", "chain_unsubscribe_blocks"]
        {
            let all_nulls = many("null", 400_000);
            all.push(self.input("heavy", request("1", method, &all_nulls)));
            all.push(self.input("heavy", request("1", method, &many("[]", 600_000))));
            all.push(self.input("heavy", request("1", method, &many("\"\\n\"", 250_000))));
        }
        all.push(self.input("heavy", many("1", 1_000_000)));
        all.push(self.input("heavy", many("{}", 600_000)));
        let pages = ["chain_blocks", "ledger_accounts", "governance_merchants", "chain_merchants"];
        for method in pages.iter().cycle().take(24) {
            let page = request("1", method, "[null,1000]");
            all.push(self.input("heavy", listed(&vec![page; 32])));
        }
        all
    }

    /// Right messages with some bytes changed, cut, doubled or swapped, and soups of JSON's words.
    pub fn noise(&mut self, count: usize) -> Vec<Input> {
        let good: Vec<Vec<u8>> = (signatures().iter())
            .filter(|signature| signature.method != "batch_submit")
            .map(|signature| {
                request("1", signature.method, &named(signature, &self.good(signature))).into()
            })
            .collect();
        (0..count)
            .map(|_| {
                let bytes = match self.random.below(5) {
                    0 => self.soup(),
                    1 => {
                        let len = self.random.below(300);
                        self.random.bytes(len)
                    }
                    _ => {
                        let index = self.random.below(good.len());
                        self.change(good[index].clone())
                    }
                };
                self.input("noise", bytes)
            })
            .collect()
    }

    fn change(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        for _ in 0..1 + self.random.below(3) {
            let (at, to) = (self.random.below(bytes.len()), self.random.below(bytes.len()));
            match self.random.below(6) {
                0 => bytes[at] = self.random.next() as u8,
                1 => bytes[at] = *self.random.one_of(b"\"\\{}[],:-+.eE019n \t\n\0\xff\x80"),
                2 => _ = bytes.remove(at),
                3 => bytes.insert(at, *self.random.one_of(b"\"\\{}[],:-+.e0 \x7f\xc3")),
                4 => bytes.swap(at, to),
                _ => {
                    let (from, to) = (at.min(to), at.max(to));
                    let piece = bytes[from..to].to_vec();
                    bytes.splice(to..to, piece);
                }
            }
            if bytes.is_empty() {
                return bytes;
            }
        }
        bytes
    }

    fn soup(&mut self) -> Vec<u8> {
        const WORDS: [&str; 34] = [
            "[",
            "]",
            "{",
            "}",
            ",",
            ":",
            "\"",
            "null",
            "1e999",
            "-0",
            "\\u0000",
            "\\ud800",
            " ",
            "\"jsonrpc\":\"2.0\"",
            "\"id\":1",
            "\"method\":\"chain_id\"",
            "\"params\":[]",
            "\"params\":{}",
            "true",
            "18446744073709551616",
            "\u{feff}",
            "\"chain_head\"",
            "{\"jsonrpc\":\"2.0\"",
            ",\"id\":\"x\"",
            ",\"method\":\"chain_id\"}",
            "[1]",
            "\"\"",
            ",\"params\":[1]",
            "\"limit\":1",
            "\"cursor\":\"7\"",
            "/**/",
            "'",
            "NaN",
            "\\",
        ];
        let mut soup = Vec::new();
        for _ in 0..1 + self.random.below(24) {
            let word = self.random.one_of(&WORDS);
            soup.write_all(word.as_bytes()).expect("memory");
        }
        soup
    }
}
