//! What a delivery costs the server.

use anyhow::Result;
use serde::Serialize;
use ws_benches::{Bound, Exchange, Generator, Measure, Opening, Payload, Program, account, until_asleep};

/// What is said in a room.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Talk {
    pub(crate) len: usize,
    /// How many speak at once.
    pub(crate) speakers: usize,
}

/// Nanoseconds of the server's CPU for a delivery, for each talk: of JSON where it is compressed, else of bytes without a pattern.
pub(crate) fn deliveries(
    measure: &Measure,
    program: &Program,
    members: usize,
    deflate: bool,
    talks: &[Talk],
) -> Result<Vec<f64>> {
    let running = measure.start(program)?;
    let address = running.address();
    let opening = Opening::new(address, deflate);
    let mut exchanges = Vec::new();
    for talk in talks {
        let exchange = if deflate {
            Exchange::compressed_echo(address, Payload::Json, talk.len, 1)?
        } else {
            Exchange::echo(Payload::Binary, talk.len, 1)
        };
        exchanges.push(exchange.by(talk.speakers));
    }
    let mut generator = Generator::connect(address, Some(&opening), members)?;
    // Not all of them are in the room as soon as they are connected.
    until_asleep(&running)?;
    let mut nanoseconds = Vec::new();
    for exchange in &exchanges {
        generator.run_room(exchange, Bound::Rounds(WARM_UP))?;
        let sample = account(&running, || generator.run_room(exchange, Bound::Time(measure.time)))?;
        nanoseconds.push(sample.value);
    }
    Ok(nanoseconds)
}

const WARM_UP: u64 = 3;
