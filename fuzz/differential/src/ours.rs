use crate::{End, Outcome};
use ws_proto::{Failure, Role};
use ws_testkit::{Observed, Probe};

pub(crate) fn read(role: Role, bytes: &[u8]) -> (Outcome, Option<Failure>) {
    let mut probe = Probe::new(role);
    probe.receive(bytes);
    probe.end_of_stream();
    let mut messages = Vec::new();
    let (mut end, mut why) = (End::EndOfStream, None);
    for event in probe.events {
        match event {
            Observed::Message(message) => messages.push(message),
            Observed::Closed(info) => end = End::Closed(info.received.code.get()),
            Observed::Failed(Failure::EndOfStream) => end = End::EndOfStream,
            Observed::Failed(failure) => (end, why) = (End::Failed, Some(failure)),
            _ => {}
        }
    }
    (Outcome { messages, end }, why)
}
