//! Orders that keep coming, to nodes that may die under them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chain_types::OrderId;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::{GATEWAYS, Network, collected, now, submit};

/// Submits to the given nodes in turn until told to stop; gives every order answered as final.
pub struct Load {
    stop: Arc<AtomicBool>,
    finals: Arc<Mutex<Vec<(OrderId, u64)>>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    pub fn on(network: &Network, nodes: &[usize]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let finals = Arc::new(Mutex::new(Vec::new()));
        let key = network.key(GATEWAYS[0]);
        let chain_id = network.chain_id;
        let tasks = nodes
            .iter()
            .map(|node| {
                let client = network.client(*node);
                let (stop, finals, key) = (stop.clone(), finals.clone(), key.clone());
                tokio::spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        let items = collected(50);
                        let submitter = chain_types::ParticipantId::new(GATEWAYS[0]);
                        let until = now().plus(60_000);
                        let bytes = chain_types::SignedBatch::sign(
                            chain_id, submitter, &key, until, &items,
                        );
                        match submit(&client, &bytes).await {
                            Ok(report) => {
                                let height = report.height.expect("final has a height");
                                let ids = items.iter().map(|item| (item.order_id(), height));
                                finals.lock().await.extend(ids);
                            }
                            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                        }
                    }
                })
            })
            .collect();
        Self { stop, finals, tasks }
    }

    pub async fn count(&self) -> usize {
        self.finals.lock().await.len()
    }

    pub async fn end(self) -> Vec<(OrderId, u64)> {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.abort();
            let _ = task.await;
        }
        let finals = self.finals.lock().await;
        finals.clone()
    }
}
