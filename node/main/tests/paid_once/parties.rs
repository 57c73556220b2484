//! The gateway and its bank as real processes, killed and started as the test says.

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::support::{GATEWAYS, Network, run, sluice};

/// The own account of the gateway in yuan, and in yen.
const OWN: [(&str, &str); 2] = [("CNY", "1001244100000000001"), ("JPY", "1001244100000000002")];

const PROFILE: &str = r#"
payment = "pain.001.001.09"
payments_max = 5
ask_after_s = 1
asks_max = 4
[debtor]
name = "Gateway 201"
"#;

const DAYS: &str = r#"
[days]
zone = "UTC"
cut_off = "23:59"
weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
"#;

/// A process that is killed when the test ends, however it ends.
#[derive(Default)]
pub struct Process(Option<Child>);

impl Process {
    fn spawn(command: &mut Command, log: &Path) -> Self {
        let log = File::options().create(true).append(true).open(log).unwrap();
        let errors = log.try_clone().unwrap();
        let child = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        Self(Some(child.expect("the process starts")))
    }

    /// The way in which it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.as_mut()?.try_wait().unwrap()
    }

    /// Ends the process by SIGKILL, from outside.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM, and the exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let mut child = self.0.take()?;
        run(Command::new("kill").args(["-TERM", &child.id().to_string()]));
        child.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns true if a process was ended by SIGKILL.
pub fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(9)
}

/// A gateway with its home, and its bank.
pub struct Parties {
    pub home: PathBuf,
    participant: PathBuf,
    nodes: String,
    seed: u64,
    faults: String,
    pub gateway: Process,
    pub bank: Process,
}

impl Parties {
    /// Makes the gateway's home, with an account of each merchant in each currency.
    pub fn new(network: &Network, merchants: &[u64], seed: u64, faults: &str) -> Self {
        let home = network.folder.path().join("gateway-201");
        let name = format!("participants/gateway-{}/participant.toml", GATEWAYS[0]);
        let participant = network.path().join(name);
        let mut command = sluice();
        command.args(["gateway", "new"]).arg(&home).arg("--participant").arg(&participant);
        let output = run(&mut command);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let own = OWN.map(|(code, account)| {
            format!(
                "[[account]]\ncurrency = \"{code}\"\nat = {{ account = \"{account}\", bic = \
                 \"BKCHCNBJ\" }}\n"
            )
        });
        let accounts = merchants.iter().flat_map(|id| OWN.map(|(code, _)| (id, code)));
        let book: String = accounts
            .map(|(id, code)| {
                format!(
                    "[[merchant]]\nid = {id}\ncurrency = \"{code}\"\nname = \"Merchant {id}\"\n\
                     at = {{ account = \"{}\", bic = \"BOTKJPJT\" }}\n",
                    account(*id, code)
                )
            })
            .collect();
        let profile = format!("{PROFILE}{}{DAYS}", own.concat());
        std::fs::write(home.join("profile.toml"), profile).unwrap();
        std::fs::write(home.join("accounts.toml"), book).unwrap();
        let nodes: Vec<String> = (0..2).map(|node| network.url(node)).collect();
        let (gateway, bank) = (Process::default(), Process::default());
        let (nodes, faults) = (nodes.join(","), faults.to_owned());
        Self { home, participant, nodes, seed, faults, gateway, bank }
    }

    /// Starts the gateway, to kill itself at a place if there is one.
    pub fn start_gateway(&mut self, kill_at: Option<&str>) {
        let mut command = sluice();
        command.args(["gateway", "run"]).arg(&self.home);
        command.arg("--participant").arg(&self.participant);
        command.args(["--rpc", &self.nodes, "--pause-ms", "50"]);
        command.args(kill_at.into_iter().flat_map(|place| ["--kill-at", place]));
        self.gateway = Process::spawn(&mut command, &self.log("gateway"));
    }

    /// Starts the bank as a process of its own.
    pub fn start_bank(&mut self) {
        let mut command = sluice();
        command.args(["bank", "run"]).arg(&self.home);
        command.args(["--seed", &self.seed.to_string(), "--faults", &self.faults]);
        command.args(["--pause-ms", "50", "--close"]);
        self.bank = Process::spawn(&mut command, &self.log("bank"));
    }

    fn log(&self, name: &str) -> PathBuf {
        self.home.with_extension(format!("{name}.log"))
    }

    /// The last lines that both have written.
    pub fn logs(&self) -> String {
        let last = |name: &str| {
            let text = std::fs::read_to_string(self.log(name)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().rev().take(20).collect();
            format!("{name}:\n{}", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
        };
        format!("{}\n{}", last("gateway"), last("bank"))
    }

    /// Puts bytes that are no message into the folder.
    pub fn put_garbage(&self, number: usize) {
        let name = format!("garbage-{number}.xml");
        let aside = self.home.join(format!("bank/in/.{name}.part"));
        std::fs::write(&aside, format!("<garbage number=\"{number}\"")).unwrap();
        std::fs::rename(aside, self.home.join("bank/in").join(name)).unwrap();
    }

    /// The number of files in a part of the shared folder.
    pub fn files(&self, part: &str) -> usize {
        let entries = std::fs::read_dir(self.home.join("bank").join(part)).unwrap();
        entries.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_file())).count()
    }

    /// The answer of a command about the home, as JSON.
    pub fn ask(&self, arguments: &[&str]) -> serde_json::Value {
        let (command, rest) = arguments.split_at(2);
        let mut sluice = sluice();
        let output = run(sluice.arg("--json").args(command).arg(&self.home).args(rest));
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("{error}: {text} {}", String::from_utf8_lossy(&output.stderr))
        })
    }
}

/// A merchant's account in a currency.
pub fn account(merchant: u64, code: &str) -> String {
    format!("6222{merchant}{code}")
}
