//! A network of its own for one run: a new folder, ports that nothing listens on.

use std::net::{IpAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use genesis::{NetworkFolder, NetworkPlan, PORTS_PER_NODE, network_new};

use node_console::exit::{Exit, WithExit as _, failure};

/// Ports that are tried: below those that outgoing connections take.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

/// A new network. Its folder is removed when this is dropped, unless it was asked for by name.
#[derive(Debug)]
pub struct FreshNetwork {
    /// The folder of the network.
    pub network: NetworkFolder,
    temporary: Option<PathBuf>,
}

impl FreshNetwork {
    /// Makes it in a temporary folder below `parent`.
    ///
    /// # Errors
    /// When the plan is refused or something cannot be written.
    pub fn below(parent: &Path, plan: &NetworkPlan) -> anyhow::Result<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = parent.join(format!("sluice-{}-{number}", std::process::id()));
        let network = network_new(&folder, &with_free_ports(plan)?).exit(Exit::Usage)?;
        Ok(Self { network, temporary: Some(folder) })
    }

    /// Makes it in `folder`, new or empty, and leaves it there.
    ///
    /// # Errors
    /// As [`FreshNetwork::below`], or when the folder is not empty.
    pub fn in_folder(folder: &Path, plan: &NetworkPlan) -> anyhow::Result<Self> {
        let network = network_new(folder, &with_free_ports(plan)?).exit(Exit::Usage)?;
        Ok(Self { network, temporary: None })
    }
}

impl Drop for FreshNetwork {
    fn drop(&mut self) {
        if let Some(folder) = &self.temporary
            && let Err(error) = std::fs::remove_dir_all(folder)
        {
            tracing::warn!(folder = %folder.display(), %error, "a temporary folder stays behind");
        }
    }
}

fn with_free_ports(plan: &NetworkPlan) -> anyhow::Result<NetworkPlan> {
    let ports = u16::try_from(u32::from(PORTS_PER_NODE) * (plan.validators + plan.edges))
        .unwrap_or(u16::MAX);
    let base_port = free_ports(plan.address, ports)?;
    Ok(NetworkPlan { base_port, ..plan.clone() })
}

/// The first of so many ports in a row that are free now.
fn free_ports(address: IpAddr, count: u16) -> anyhow::Result<u16> {
    let width = PORTS.end - PORTS.start;
    // Processes side by side begin at different places.
    let offset = u16::try_from(std::process::id() % u32::from(width)).unwrap_or(0);
    let steps = (0..width).step_by(usize::from(count.max(1)));
    let bases = steps.map(|step| PORTS.start + (offset + step) % width);
    let is_free = |port: u16| TcpListener::bind((address, port)).is_ok();
    let fits = |base: &u16| base.checked_add(count).is_some_and(|end| end <= PORTS.end);
    bases
        .filter(fits)
        .find(|base| (*base..base + count).all(is_free))
        .ok_or_else(|| failure(Exit::Fault, format!("no {count} free ports in a row")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_temporary_network_goes_with_its_owner_and_a_named_one_stays() {
        let parent = tempfile::tempdir().unwrap();
        let plan = NetworkPlan { seed: Some(1), merchants: 1, ..NetworkPlan::default() };
        let fresh = FreshNetwork::below(parent.path(), &plan).unwrap();
        let folder = fresh.network.path.clone();
        assert!(folder.join("genesis.toml").exists());
        assert_eq!(fresh.network.nodes.len(), 4);
        drop(fresh);
        assert!(!folder.exists());
        let named = parent.path().join("named");
        drop(FreshNetwork::in_folder(&named, &plan).unwrap());
        assert!(named.join("genesis.toml").exists());
        assert!(FreshNetwork::in_folder(&named, &plan).is_err(), "a folder with something in it");
    }

    #[test]
    fn ports_in_use_are_passed_over() {
        let address = IpAddr::from([127, 0, 0, 1]);
        let first = free_ports(address, 4).unwrap();
        let _taken = TcpListener::bind((address, first + 2)).unwrap();
        let second = free_ports(address, 4).unwrap();
        assert!(!(second..second + 4).contains(&(first + 2)), "{first} {second}");
    }
}
