//! Thousands of hostile clients.

use crate::hostile::{Arsenal, Hostile, Kind};
use anyhow::Result;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// All hostile clients, driven by one thread.
///
/// They have nothing to do with each other, so their steps are spread evenly. Where many of them act in the same moment, the thread that does it
/// keeps a core for itself meanwhile, and what honest clients wait for is that thread.
pub(crate) struct Swarm {
    hostile: Vec<Hostile>,
    /// Of them, how many act in the same moment.
    at_once: usize,
    next: usize,
    buffer: Vec<u8>,
    /// How often each kind was thrown out since all were connected.
    pub(crate) thrown_out: [usize; Kind::ALL.len()],
}

impl Swarm {
    pub(crate) fn new(address: SocketAddr, hostile: usize, at_once: NonZeroUsize) -> Result<Self> {
        let arsenal = Arsenal::new(address)?;
        let hostile =
            Kind::ALL.into_iter().cycle().take(hostile).map(|kind| Hostile::new(kind, arsenal.clone()));
        Ok(Self {
            hostile: hostile.collect(),
            at_once: at_once.get(),
            next: 0,
            buffer: vec![0; 64 << 10],
            thrown_out: Default::default(),
        })
    }

    /// Until all were connected once.
    pub(crate) fn connect(&mut self) -> Result<()> {
        for _ in 0..2 {
            self.go_on(ROUND)?;
        }
        self.thrown_out = Default::default();
        Ok(())
    }

    /// Each does a step in every round, evenly spread over it.
    pub(crate) fn go_on(&mut self, time: Duration) -> Result<()> {
        let began = Instant::now();
        let slots = u32::try_from(self.hostile.len().div_ceil(self.at_once)).unwrap_or(u32::MAX).max(1);
        let mut slot = 0;
        while began.elapsed() < time {
            for _ in 0..self.at_once {
                let index = self.next;
                self.next = (index + 1) % self.hostile.len();
                let Some(hostile) = self.hostile.get_mut(index) else { break };
                if hostile.step(&mut self.buffer)?
                    && let Some(count) = self.thrown_out.get_mut(index % Kind::ALL.len())
                {
                    *count += 1;
                }
            }
            slot += 1;
            sleep((ROUND * slot / slots).saturating_sub(began.elapsed()));
        }
        Ok(())
    }

    /// How many are connected now.
    pub(crate) fn connected(&self) -> usize {
        self.hostile.iter().filter(|hostile| hostile.is_connected()).count()
    }

    /// All hang up.
    pub(crate) fn retreat(&mut self) {
        for hostile in &mut self.hostile {
            hostile.hang_up();
        }
    }
}

/// A step of every hostile client takes so long.
const ROUND: Duration = Duration::from_millis(500);
