//! Pointers that move by themselves, each over a connection of its own.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// One of them, which draws slow figures for as long as the server is there.
pub(super) async fn wander(server: SocketAddr, number: u32) -> anyhow::Result<()> {
    let mut socket = ws_client::connect(&format!("ws://{server}/ws")).await?;
    let name = NAMES[number as usize % NAMES.len()];
    socket.send(format!(r#"{{"name":"{name}","colour":{},"simulated":true}}"#, number % 8)).await?;
    let mut ticks = interval(Duration::from_secs(1) / 60);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let began = Instant::now();
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                let (x, y) = position(number, began.elapsed().as_secs_f64());
                socket.send([x.to_be_bytes(), y.to_be_bytes()].concat()).await?;
            }
            heard = socket.recv() => if heard?.is_none() {
                return Ok(());
            }
        }
    }
}

/// A figure of Lissajous, another for each number, in the middle nine tenths of the field.
fn position(number: u32, seconds: f64) -> (u16, u16) {
    let number = f64::from(number);
    let coordinate = |rate: f64, phase: f64| {
        let wave = (seconds * rate + phase).sin() * 0.6 + (seconds * rate * 0.37 + phase * 3.1).sin() * 0.3;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0.05 to 0.95 of 65535"
        )]
        let coordinate = ((0.5 + wave / 2.0) * 65535.0) as u16;
        coordinate
    };
    // Another irrational step than that of the phase, or all would come to one side at times.
    let rate = 0.25 + (number * 0.754_877) % 1.0 * 0.5;
    (coordinate(rate, number * 2.4), coordinate(rate * 1.31, number * 1.7))
}

const NAMES: [&str; 12] = [
    "Alder", "Birch", "Cedar", "Elm", "Fir", "Hazel", "Juniper", "Larch", "Maple", "Rowan", "Spruce",
    "Willow",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_stays_inside_and_goes_another_way() {
        for number in 0..200 {
            for tenth in 0..1000 {
                let (x, y) = position(number, f64::from(tenth) / 10.0);
                assert!((3000..62600).contains(&x) && (3000..62600).contains(&y));
            }
        }
        assert_ne!(position(1, 5.0), position(2, 5.0));
    }
}
