//! `sluice query`: asks a node for anything that the interface tells and no other command does.

use clap::Args;
use futures::FutureExt as _;
use jsonrpsee::core::client::ClientT as _;
use jsonrpsee::core::params::ArrayParams;
use node_console::exit::{Exit, failure};
use node_console::output::Output;
use rpc_api::ApiError;
use rpc_client::client::CallError;
use serde_json::{Value, json};

use super::nodes::NodeUrls;
use super::render;

/// The meaning of a name on the command line in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parameter {
    /// A text: an id, a currency, a pseudonym.
    Text(&'static str),
    /// A number: a window, a participant.
    Number(&'static str),
    /// A number that may be left out.
    OptionalNumber(&'static str),
    /// A block: its height, or its hash.
    Block,
    /// The one field of a filter, with a number.
    Filter(&'static str),
    /// Not written: whether only what is open is wanted.
    OpenOnly,
    /// Not written: where a list goes on, and how much of it is wanted.
    Page,
}

use Parameter::{Block, Filter, Number, OpenOnly, OptionalNumber, Page, Text};

const PAIR: [Parameter; 2] = [Text("CURRENCY"), Text("PAYOUT_CURRENCY")];

/// The questions: name, method, parameters.
const QUESTIONS: &[(&str, &str, &[Parameter])] = &[
    ("batch", "batch_status", &[Text("BATCH_ID")]),
    ("windows", "settlement_windows", &[Page]),
    ("window", "settlement_window", &[Number("WINDOW")]),
    ("window-proof", "settlement_window_proof", &[Number("WINDOW")]),
    ("instructions-of-window", "settlement_instructions", &[Filter("window"), Page]),
    ("instructions-of-gateway", "settlement_instructions", &[Filter("gateway"), Page]),
    ("instruction", "settlement_instruction", &[Text("INSTRUCTION_ID")]),
    ("breaches", "settlement_breaches", &[Page]),
    ("returns", "settlement_returns", &[Text("ORDER_ID"), Page]),
    ("sla", "settlement_sla", &[Page]),
    ("accounts", "ledger_accounts", &[Page]),
    ("account", "ledger_account", &[Text("ACCOUNT")]),
    ("entries", "ledger_entries", &[Text("ACCOUNT"), Page]),
    ("trial-balance", "ledger_trial_balance", &[]),
    ("transfers", "ledger_transfers", &[OpenOnly, Page]),
    ("transfer", "ledger_transfer", &[Text("TRANSFER_ID")]),
    ("lines", "ledger_lines", &[Number("OWNER"), Page]),
    ("lines-held", "ledger_lines_held", &[Number("HOLDER"), Page]),
    ("reference", "fx_reference", &PAIR),
    ("rates", "fx_rates", &[PAIR[0], PAIR[1], Page]),
    ("rate-history", "fx_rate_history", &[PAIR[0], PAIR[1], Number("PROVIDER"), Page]),
    ("quote", "fx_quote", &[Text("QUOTE_ID")]),
    ("quotes", "fx_quotes", &[Number("PROVIDER"), Page]),
    ("programmes", "cashback_programmes", &[Page]),
    ("programme", "cashback_programme", &[Text("MERCHANT"), Text("CURRENCY")]),
    ("user-month", "cashback_user_month", &[Text("MERCHANT"), Text("CURRENCY"), Text("USER")]),
    ("policies", "risk_policies", &[Page]),
    ("held-orders", "risk_held_orders", &[Page]),
    ("user-day", "risk_user_day", &[Text("USER"), Text("CURRENCY")]),
    ("registry", "governance_registry", &[]),
    ("merchants", "governance_merchants", &[Page]),
    ("merchant", "governance_merchant", &[Text("MERCHANT")]),
    ("registrars", "governance_registrars", &[Page]),
    ("proposals", "governance_proposals", &[OpenOnly, Page]),
    ("proposal", "governance_proposal", &[Text("PROPOSAL_ID")]),
    ("proposal-changes", "governance_proposal_changes", &[Text("PROPOSAL_ID"), Page]),
    ("chain", "chain_info", &[]),
    ("genesis-participants", "chain_participants", &[Page]),
    ("genesis-merchants", "chain_merchants", &[Page]),
    ("liquidity-lines", "chain_liquidity", &[Page]),
    ("parameters", "chain_parameters", &[]),
    ("head", "chain_head", &[]),
    ("block", "chain_block", &[Block]),
    ("blocks", "chain_blocks", &[Page]),
    ("evidence", "chain_evidence", &[Page]),
    ("status", "node_status", &[]),
    ("outlook", "node_outlook", &[OptionalNumber("SUBMITTER")]),
    ("account-proof", "ledger_account_proof", &[Text("ACCOUNT"), OptionalNumber("HEIGHT")]),
];

fn questions() -> Vec<&'static str> {
    QUESTIONS.iter().map(|(name, ..)| *name).collect()
}

/// Lists the questions with their names, for the help.
fn help() -> String {
    let mut lines = vec!["Questions:".to_owned()];
    for (name, method, parameters) in QUESTIONS {
        let names: Vec<String> = parameters.iter().filter_map(|one| one.shown()).collect();
        let asked = format!("{name} {}", names.join(" "));
        lines.push(format!("  {asked:<44} {method}"));
    }
    lines.push("\nMethods are explained in docs/rpc.md. An account is named".to_owned());
    lines.push("kind:owner:CURRENCY, such as gateway-liquidity:201:CNY.".to_owned());
    lines.join("\n")
}

/// Arguments of `sluice query`.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub struct QueryArgs {
    /// The question; `--help` lists the names that each one takes.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(questions()))]
    #[arg(hide_possible_values = true)]
    question: String,
    /// The names, in the order of the question's help.
    names: Vec<String>,
    #[command(flatten)]
    nodes: NodeUrls,
    /// For a list: continue after this cursor.
    #[arg(long)]
    cursor: Option<String>,
    /// For a list: the most items to return.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: Option<u32>,
    /// For transfers and proposals: only those that wait for a decision.
    #[arg(long)]
    open: bool,
}

/// Asks and prints; exit code 1 when nothing has the name.
pub async fn run(args: QueryArgs, output: Output) -> anyhow::Result<Exit> {
    let found = QUESTIONS.iter().find(|(name, ..)| *name == args.question);
    let (_, method, parameters) =
        found.ok_or_else(|| failure(Exit::Usage, "there is no such question"))?;
    let values = values(parameters, &args).map_err(|problem| failure(Exit::Usage, problem))?;
    let client = args.nodes.client()?;
    let ask = client.ask(|node| {
        let mut params = ArrayParams::new();
        for value in &values {
            // A JSON value always serializes.
            let _ = params.insert(value);
        }
        node.request::<Value, _>(method, params).boxed()
    });
    match ask.await {
        Ok(report) => {
            output.answer(&report, || render::text(&report))?;
            Ok(Exit::Done)
        }
        Err(CallError::Refused { code, message, .. }) if code == ApiError::NotFound.code() => {
            Err(failure(Exit::Negative, message))
        }
        Err(error) => Err(error.into()),
    }
}

/// The parameters of the call, from the names that were written.
fn values(parameters: &[Parameter], args: &QueryArgs) -> Result<Vec<Value>, String> {
    let mut names = args.names.iter();
    let mut values = Vec::new();
    for parameter in parameters {
        let is_written = parameter.shown().is_some();
        let written = if is_written { names.next() } else { None };
        match (parameter, written) {
            (Page, _) => values.extend([json!(args.cursor), json!(args.limit)]),
            (OpenOnly, _) => values.push(json!(args.open)),
            (OptionalNumber(_), None) => values.push(Value::Null),
            (other, Some(text)) => values.push(other.value(text)?),
            (other, None) => {
                return Err(format!("{} is missing", other.shown().unwrap_or_default()));
            }
        }
    }
    match names.next() {
        Some(surplus) => Err(format!("{surplus:?} is one name too many")),
        None => Ok(values),
    }
}

impl Parameter {
    /// How the help shows it; `None` for one that is not written.
    fn shown(self) -> Option<String> {
        match self {
            Text(name) | Number(name) => Some(name.to_owned()),
            OptionalNumber(name) => Some(format!("[{name}]")),
            Block => Some("HEIGHT|HASH".to_owned()),
            Filter(field) => Some(field.to_uppercase()),
            OpenOnly | Page => None,
        }
    }

    fn value(self, text: &str) -> Result<Value, String> {
        let number = || {
            let name = self.shown().unwrap_or_default();
            text.parse::<u64>().map_err(|_| format!("{name}: {text:?} is not a whole number"))
        };
        Ok(match self {
            Number(_) | OptionalNumber(_) => json!(number()?),
            Filter(field) => json!({ field: number()? }),
            Block => number().map_or_else(|_| json!(text), |height| json!(height)),
            Text(_) | OpenOnly | Page => json!(text),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use rpc_api::{method_of, signatures};

    use super::*;
    use crate::commands::nodes::AccessFiles;

    /// Methods of other commands, and methods that need a socket that stays open.
    const ELSEWHERE: &[&str] = &[
        "batch_submit",
        "recharge_order",
        "recharge_receipt",
        "settlement_subscribe_instructions",
        "chain_subscribe_blocks",
        "chain_id",
        "chain_lineage",
        "node_health",
        "rpc.discover",
    ];

    #[test]
    fn every_method_can_be_asked_for_with_its_parameters() {
        for signature in signatures() {
            let method = signature.method;
            if ELSEWHERE.contains(&method) {
                continue;
            }
            let asked = QUESTIONS.iter().find(|(_, asked, _)| *asked == method);
            let (_, _, parameters) = asked.unwrap_or_else(|| {
                panic!("nobody asks {method}: add a row to QUESTIONS, or name it in ELSEWHERE")
            });
            let names: Vec<&str> = signature.parameters.iter().map(|one| one.name).collect();
            let is_list = names.ends_with(&["cursor", "limit"]);
            assert_eq!(parameters.contains(&Page), is_list, "{method}");
            assert_eq!(parameters.contains(&OpenOnly), names.contains(&"open_only"), "{method}");
            let own = ["cursor", "limit", "open_only", "with_codes", "lineage_apart"];
            let written = names.iter().filter(|name| !own.contains(*name)).count();
            let shown = parameters.iter().filter(|one| one.shown().is_some()).count();
            assert_eq!(shown, written, "{method}");
        }
        for (_, method, _) in QUESTIONS {
            assert!(method_of(method).is_some(), "{method}");
        }
        for method in ELSEWHERE {
            assert!(method_of(method).is_some(), "{method}");
        }
    }

    fn args(names: &[&str]) -> QueryArgs {
        QueryArgs {
            question: String::new(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            nodes: NodeUrls { urls: Vec::new(), access: AccessFiles::default() },
            cursor: Some("c".to_owned()),
            limit: None,
            open: true,
        }
    }

    #[test]
    fn names_become_the_parameters_of_the_call() {
        let rows: [(&[Parameter], &[&str], Value); 6] = [
            (&PAIR, &["CNY", "USD"], json!(["CNY", "USD"])),
            (&[Filter("window"), Page], &["7"], json!([{"window": 7}, "c", null])),
            (&[OpenOnly, Page], &[], json!([true, "c", null])),
            (&[Text("ACCOUNT"), OptionalNumber("HEIGHT")], &["a"], json!(["a", null])),
            (&[Text("ACCOUNT"), OptionalNumber("HEIGHT")], &["a", "5"], json!(["a", 5])),
            (&[Block], &["00ff"], json!(["00ff"])),
        ];
        for (parameters, names, expected) in rows {
            assert_eq!(json!(values(parameters, &args(names)).unwrap()), expected);
        }
    }

    #[test]
    fn wrong_names_are_told() {
        let of = |parameters, names| values(parameters, &args(names)).unwrap_err();
        assert_eq!(of(&[Number("WINDOW")], &[]), "WINDOW is missing");
        assert_eq!(of(&[Number("WINDOW")], &["x"]), "WINDOW: \"x\" is not a whole number");
        assert_eq!(of(&[], &["x"]), "\"x\" is one name too many");
    }
}
