//! The lines with which somebody makes an order on a running local network, follows it, and
//! verifies its receipt. README.md shows the same lines with what each of them answers.

use anyhow::Context as _;
use chain_types::{Amount, ChainGenesis, Currency, MerchantId, ParticipantId, Roles};
use genesis::NetworkFolder;
use node_console::output::Output;
use rpc_api::Money;

use crate::profile;

/// The amount of the order, in minor units.
const AMOUNT: Amount = Amount::new(1_234);
/// Its currency, if the gateway has a merchant in it.
const YUAN: Currency = Currency::new(156);

/// Prints the lines, ready to be pasted into a second terminal.
///
/// # Errors
/// When the network has no gateway with a merchant, or the path of this program is not known.
pub fn explain(
    network: &NetworkFolder,
    genesis: &ChainGenesis,
    output: Output,
) -> anyhow::Result<()> {
    let is_gateway = |id| {
        let known = genesis.participant(ParticipantId::new(id));
        known.is_some_and(|known| known.roles.any_of(Roles::GATEWAY) && !known.suspended)
    };
    let gateway = network.participants.iter().find(|participant| is_gateway(participant.id));
    let gateway = gateway.context("the network has no gateway")?;
    let payees = profile(genesis, ParticipantId::new(gateway.id), true)?.payees;
    let yuan = payees.iter().find(|(_, currency)| *currency == YUAN);
    let (merchant, currency) = yuan.or(payees.first()).context("the gateway has no merchant")?;
    let url = network.nodes.first().context("the network has no node")?.rpc_url();
    let program = std::env::current_exe().context("the path of this program")?;
    let programs = program.parent().context("the folder of this program")?;
    let home = std::path::absolute(&network.path).context("the network's folder")?;
    output.note("an order of your own, from a second terminal (README.md shows the answers):");
    output.note(&format!("  PATH=\"{}:$PATH\"", programs.display()));
    output.note(&format!("  NET={} RPC={url}", home.display()));
    let config = gateway.config.strip_prefix(&network.path).unwrap_or(&gateway.config);
    for line in lines(&config.display().to_string(), *merchant, *currency) {
        output.note(&format!("  {line}"));
    }
    Ok(())
}

/// An order from its submission to the proof of its arrival, submitted and collected by the
/// gateway whose configuration is at `config`, a path from the network's folder.
fn lines(config: &str, merchant: MerchantId, currency: Currency) -> Vec<String> {
    let money = Money::new(AMOUNT, currency).to_string();
    let (amount, code) = money.split_once(' ').unwrap_or((&money, ""));
    let fields = format!("--set merchant={merchant} --set amount={amount} --set currency={code}");
    let receipt = "sluice receipt $ORDER --rpc $RPC --out $NET/order.receipt";
    let verify = "sluice verify $NET/order.receipt --genesis $NET/genesis.toml";
    vec![
        format!("sluice submit --participant $NET/{config} \\"),
        format!("  --kind collected {fields} | tee $NET/order.txt"),
        "ORDER=$(head -c 36 $NET/order.txt)".to_owned(),
        "sluice order $ORDER --rpc $RPC".to_owned(),
        receipt.to_owned(),
        verify.to_owned(),
        "until sluice order $ORDER --rpc $RPC | grep \"is arrived\"; do sleep 1; done".to_owned(),
        receipt.to_owned(),
        verify.to_owned(),
    ]
}
