//! The simulation at a fixed size. `.ci/run soak` runs the same tests larger, through the variables `WS_SIM_SEEDS` and
//! `WS_SIM_OPERATIONS`; `WS_SIM_SEED` replays one seed.

use std::time::Duration;
use ws_testkit::sim::{Simulation, Weather, check_seeds};

#[test]
fn what_must_hold_holds_for_every_seed() {
    let summary = check_seeds(0..size("WS_SIM_SEEDS", 500), Simulation::new);
    println!("{summary}");
}

#[test]
fn a_long_conversation_stays_right_and_ends() {
    let operations = size("WS_SIM_OPERATIONS", 20_000);
    let weather = Weather {
        latency: (Duration::ZERO, Duration::from_millis(30)),
        window: 3_000,
        piece: 700,
        lateness: Duration::from_millis(5),
        ..Weather::calm()
    };
    // The end that is done first closes, so each does as much as there should be.
    let each = operations / 4;
    let summary =
        check_seeds(0..4, |seed| Simulation::new(seed).connections(1).weather(weather).operations(each));
    println!("{summary}");
    assert!(
        summary.failed == 0
            && (std::env::var_os("WS_SIM_SEED").is_some() || summary.operations >= operations)
    );
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in 0..20 {
        let [first, second] = [(), ()].map(|()| Simulation::new(seed).run().unwrap());
        assert_eq!(first, second);
    }
    let other = |seed| Simulation::new(seed).run().unwrap().fingerprint;
    assert_ne!(other(1), other(2));
}

#[test]
fn on_a_calm_day_every_connection_closes_cleanly() {
    let summary = check_seeds(0..20, |seed| Simulation::new(seed).weather(Weather::calm()));
    assert_eq!(summary.failed, 0, "{summary}");
}

fn size(variable: &str, otherwise: u64) -> u64 {
    match std::env::var(variable) {
        Ok(size) => size.parse().expect("a number"),
        Err(_) => otherwise,
    }
}
