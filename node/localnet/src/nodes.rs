//! Node processes that this process starts, watches and stops: each a child by its own pid,
//! with its output in a log file.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use genesis::NodeFolder;
use node_console::exit::{Exit, failure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::http;

/// How long a node may take to be ready.
const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a node may take to end after SIGTERM.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a health probe may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// Lines of a log shown when its node has ended by itself.
const LOG_LINES: usize = 5;

/// A process that runs a node.
#[derive(Debug)]
struct NodeProcess {
    name: String,
    operator_address: String,
    config: PathBuf,
    log: PathBuf,
    child: Child,
    has_ended: bool,
}

/// The processes of a network's nodes. Dropped without [`Nodes::stop`], they are killed.
#[derive(Debug, Default)]
pub struct Nodes {
    processes: Vec<NodeProcess>,
}

impl Nodes {
    /// Starts a process of this same program for each of `nodes`. To be called on the process's
    /// first thread, whose end the children notice.
    ///
    /// # Errors
    /// When a log cannot be opened or a process not be started; those started are killed.
    pub fn start(nodes: &[NodeFolder]) -> anyhow::Result<Self> {
        let mut started = Self::default();
        for node in nodes {
            let log = node.config.with_file_name("node.log");
            let child = spawn(&node.name, &node.config, &log)?;
            let (name, operator_address) = (node.name.clone(), node.operator_address.to_string());
            let config = node.config.clone();
            let process =
                NodeProcess { name, operator_address, config, log, child, has_ended: false };
            started.processes.push(process);
        }
        Ok(started)
    }

    /// Kills node `at`, as a loss of power would end it.
    ///
    /// # Errors
    /// When there is no such node, or it cannot be killed.
    pub async fn kill(&mut self, at: usize) -> anyhow::Result<()> {
        let process = self.processes.get_mut(at).context("no such node")?;
        process.has_ended = true;
        process.child.kill().await.with_context(|| format!("cannot kill {}", process.name))
    }

    /// Starts node `at` again, which was killed; under the same condition as [`Nodes::start`].
    /// Gives its process id.
    ///
    /// # Errors
    /// When there is no such node, or it cannot be started.
    pub fn restart(&mut self, at: usize) -> anyhow::Result<Option<u32>> {
        let process = self.processes.get_mut(at).context("no such node")?;
        process.child = spawn(&process.name, &process.config, &process.log)?;
        process.has_ended = false;
        Ok(process.child.id())
    }

    /// The process ids of those that live.
    pub fn pids(&self) -> Vec<u32> {
        self.processes.iter().filter_map(|process| process.child.id()).collect()
    }

    /// Waits until every node says that it is ready.
    ///
    /// # Errors
    /// When one ends, when it takes too long, or on `cancel`.
    pub async fn wait_ready(&mut self, cancel: &CancellationToken) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_TIMEOUT;
        for at in 0..self.processes.len() {
            loop {
                if let Some(ended) = self.newly_ended().into_iter().next() {
                    return Err(failure(Exit::Fault, ended));
                }
                let process = &self.processes[at];
                let ready = http::status(&process.operator_address, "/readyz", PROBE_TIMEOUT).await;
                if ready == Some(200) {
                    break;
                }
                if Instant::now() >= deadline {
                    let message = format!(
                        "{} is not ready after {} s; see {}",
                        process.name,
                        READY_TIMEOUT.as_secs(),
                        process.log.display()
                    );
                    return Err(failure(Exit::Unreachable, message));
                }
                tokio::select! {
                    () = cancel.cancelled() => {
                        return Err(failure(Exit::Negative, "stopped before the nodes were ready"));
                    }
                    () = tokio::time::sleep(Duration::from_millis(100)) => {}
                }
            }
        }
        Ok(())
    }

    /// Describes the processes that have ended since the last call, with the last lines of their
    /// logs.
    pub fn newly_ended(&mut self) -> Vec<String> {
        let mut ended = Vec::new();
        for process in self.processes.iter_mut().filter(|process| !process.has_ended) {
            if let Ok(Some(status)) = process.child.try_wait() {
                process.has_ended = true;
                ended.push(process.epitaph(status));
            }
        }
        ended
    }

    /// Asks all to stop, waits, and kills those that do not. Gives the names of nodes that did
    /// not end cleanly.
    pub async fn stop(mut self) -> Vec<String> {
        for process in &self.processes {
            process.signal(Signal::TERM);
        }
        let deadline = Instant::now() + STOP_TIMEOUT;
        let mut unclean = Vec::new();
        // Those that ended before have been told of.
        for process in self.processes.iter_mut().filter(|process| !process.has_ended) {
            let ended = tokio::time::timeout_at(deadline, process.child.wait()).await;
            match ended {
                Ok(Ok(status)) if status.success() => {}
                Ok(Ok(status)) => unclean.push(process.epitaph(status)),
                Ok(Err(error)) => unclean.push(format!("{}: {error}", process.name)),
                Err(_) => {
                    unclean.push(format!("{} did not stop and was killed", process.name));
                    // It has been asked; waiting for it reaps it.
                    let _ = process.child.kill().await;
                }
            }
        }
        unclean
    }
}

/// Starts this same program as the node of a configuration, with its output in `log`.
fn spawn(name: &str, config: &Path, log: &Path) -> anyhow::Result<Child> {
    let binary = std::env::current_exe().context("cannot find this program's own file")?;
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("cannot open {}", log.display()))?;
    let child = Command::new(&binary)
        .arg("start")
        .arg("--config")
        .arg(config)
        .args(["--parent", &std::process::id().to_string()])
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        // Ctrl-C at the terminal is for this process, which then stops them in order.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    tracing::info!(node = name, pid = child.id(), "started");
    Ok(child)
}

impl NodeProcess {
    fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // A process that has ended already needs no signal.
            let _ = kill_process(pid, signal);
        }
    }

    fn epitaph(&self, status: ExitStatus) -> String {
        let tail = log_tail(&self.log, LOG_LINES);
        format!("{} ended by itself ({status}); {}:\n{tail}", self.name, self.log.display())
    }
}

/// The last `lines` lines of a log.
fn log_tail(log: &Path, lines: usize) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
}
