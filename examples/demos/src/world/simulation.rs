//! The thread that steps the scene, and what connections have of it.

use super::drive::{Commands, STEPS_A_SECOND};
use super::history::{Encoded, History};
use super::message::Own;
use super::metronome::{Metronome, Punctuality};
use super::scene::Scene;
use super::snapshot::{BodyId, Tick};
use super::viewer::Viewer;
use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// Steps from one snapshot to the next: 30 snapshots in a second.
pub const STEPS_A_SNAPSHOT: u32 = 2;

/// The running world. Clones are the same one; it ends with the last.
#[derive(Debug, Clone)]
pub struct Simulation {
    requests: Sender<Request>,
    frames: watch::Receiver<Arc<Frame>>,
    history: Arc<Mutex<History>>,
}

/// What the last snapshot came with.
#[derive(Debug, Default)]
pub struct Frame {
    /// The step.
    pub tick: Tick,
    /// Where each player is.
    pub players: HashMap<BodyId, Own>,
    /// How well the rate is kept.
    pub punctuality: Punctuality,
    /// The time that steps took, all together.
    pub stepping: Duration,
    /// Bytes of the snapshot as a full one, for comparison. 0 where nobody asked for it.
    pub full_len: usize,
}

enum Request {
    Join(oneshot::Sender<Joined>),
    Leave(BodyId),
}

type Joined = Option<(BodyId, Arc<Mutex<Commands>>)>;

impl Simulation {
    /// Starts it. `compares`: every snapshot is encoded once more as a full one, to tell its size.
    ///
    /// # Errors
    /// The thread cannot be had.
    pub fn start(compares: bool) -> std::io::Result<Self> {
        let (requests, received) = channel();
        let (publish, frames) = watch::channel(Arc::default());
        let history = Arc::default();
        let runner = Runner {
            requests: received,
            publish,
            history: Arc::clone(&history),
            scene: Scene::new(),
            players: BTreeMap::new(),
            compares,
        };
        thread::Builder::new().name("scene".into()).spawn(|| runner.run())?;
        Ok(Self { requests, frames, history })
    }

    /// A new player; `None` where there are too many. It leaves when the value is dropped.
    pub async fn join(&self) -> Option<Player> {
        let (reply, joined) = oneshot::channel();
        self.requests.send(Request::Join(reply)).ok()?;
        let (id, commands) = joined.await.ok()??;
        Some(Player { id, commands, requests: self.requests.clone() })
    }

    /// Is changed with each snapshot.
    #[must_use]
    pub fn frames(&self) -> watch::Receiver<Arc<Frame>> {
        self.frames.clone()
    }

    /// What a client is to be sent now.
    #[must_use]
    pub fn next(&self, viewer: &mut Viewer) -> Option<Encoded> {
        viewer.next(&mut lock(&self.history))
    }
}

/// A player's part in the world.
#[derive(Debug)]
pub struct Player {
    id: BodyId,
    commands: Arc<Mutex<Commands>>,
    requests: Sender<Request>,
}

impl Player {
    /// The player's body.
    #[must_use]
    pub fn id(&self) -> BodyId {
        self.id
    }

    /// The commands that wait for their step.
    pub fn commands(&self) -> MutexGuard<'_, Commands> {
        lock(&self.commands)
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // A world that has ended has no players.
        let _ended = self.requests.send(Request::Leave(self.id));
    }
}

struct Runner {
    requests: Receiver<Request>,
    publish: watch::Sender<Arc<Frame>>,
    history: Arc<Mutex<History>>,
    scene: Scene,
    players: BTreeMap<BodyId, Arc<Mutex<Commands>>>,
    compares: bool,
}

impl Runner {
    fn run(mut self) {
        let mut metronome = Metronome::new(STEPS_A_SECOND, Instant::now());
        let mut stepping = Duration::ZERO;
        while self.requests() {
            thread::sleep(metronome.wait(Instant::now()));
            let began = Instant::now();
            metronome.begin(began);
            self.step();
            stepping += began.elapsed();
            if self.scene.tick().is_multiple_of(STEPS_A_SNAPSHOT) {
                self.publish(metronome.counts(), stepping);
            }
        }
    }

    /// Players come and go. `false` when nobody is left who could ask.
    fn requests(&mut self) -> bool {
        loop {
            match self.requests.try_recv() {
                Ok(Request::Join(reply)) => {
                    let joined = self.scene.join().map(|id| (id, Arc::default()));
                    if let Some((id, commands)) = &joined {
                        self.players.insert(*id, Arc::clone(commands));
                    }
                    if let Err(Some((id, _))) = reply.send(joined) {
                        // It has not waited.
                        self.leave(id);
                    }
                }
                Ok(Request::Leave(id)) => self.leave(id),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn leave(&mut self, id: BodyId) {
        self.players.remove(&id);
        self.scene.leave(id);
    }

    fn step(&mut self) {
        for (id, commands) in &self.players {
            let (command, last) = lock(commands).obey();
            self.scene.command(*id, command, last);
        }
        self.scene.step();
    }

    fn publish(&self, punctuality: Punctuality, stepping: Duration) {
        let snapshot = self.scene.snapshot();
        let full_len = if self.compares {
            super::delta::encode(&super::snapshot::Snapshot::default(), &snapshot).len()
        } else {
            0
        };
        lock(&self.history).push(snapshot);
        let players = self.players.keys().filter_map(|id| Some((*id, self.scene.own(*id)?))).collect();
        self.publish.send_replace(Arc::new(Frame {
            tick: self.scene.tick(),
            players,
            punctuality,
            stepping,
            full_len,
        }));
    }
}

/// Nothing in here panics half-way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
