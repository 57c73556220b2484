//! Is hostile in one way after the other.

use chain_types::Height;
use node_replica::{Input, SyncBlock};

use super::{Kind, Scene, Villain};

/// How long it stays with a way.
const STAYS_MS: u64 = 1_500;

/// The hostile node that the module describes.
pub struct Moody {
    moods: Vec<Box<dyn Villain>>,
}

impl Default for Moody {
    fn default() -> Self {
        let moods = Kind::ALL.iter().filter(|kind| !matches!(kind, Kind::Absent | Kind::Moody));
        Self { moods: moods.map(|kind| kind.villain()).collect() }
    }
}

impl Moody {
    fn mood(&mut self, scene: &Scene<'_>) -> &mut dyn Villain {
        // Two of them are not in one mood at the same time.
        let at = scene.now_ms / STAYS_MS + u64::from(scene.node) * 5;
        let count = self.moods.len() as u64;
        self.moods[(at % count) as usize].as_mut()
    }
}

impl Villain for Moody {
    fn hear(&mut self, scene: &mut Scene<'_>, input: Input) -> Option<Input> {
        self.mood(scene).hear(scene, input)
    }

    fn say(&mut self, scene: &mut Scene<'_>, to: u32, said: Input) {
        self.mood(scene).say(scene, to, said);
    }

    fn wake(&mut self, scene: &mut Scene<'_>) {
        self.mood(scene).wake(scene);
        let after_ms = scene.wake_after_ms.unwrap_or(STAYS_MS);
        scene.wake_after_ms = Some(after_ms.min(STAYS_MS));
    }

    fn give_blocks(
        &mut self,
        scene: &mut Scene<'_>,
        from: Height,
        honest: Vec<SyncBlock>,
    ) -> (Vec<SyncBlock>, u64) {
        self.mood(scene).give_blocks(scene, from, honest)
    }
}
