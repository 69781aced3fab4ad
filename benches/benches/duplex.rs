//! Two connections in memory, without sockets: what a client sends goes to a server and comes back.
//!
//! `cargo bench -p ws-benches --bench duplex`

#[cfg(target_os = "linux")]
fn duplex(criterion: &mut criterion::Criterion) {
    use ws_benches::Drive;
    let mut group = criterion.benchmark_group("duplex");
    for drive in Drive::ALL.iter().chain(Drive::LARGE).filter(|drive| drive.is_duplex()) {
        group.throughput(criterion::Throughput::Bytes(drive.bytes()));
        group.bench_function(drive.name, |bencher| {
            bencher.iter_custom(|rounds| drive.run(rounds).expect("the core does what it must"));
        });
    }
}

#[cfg(target_os = "linux")]
criterion::criterion_group!(benches, duplex);
#[cfg(target_os = "linux")]
criterion::criterion_main!(benches);

#[cfg(not(target_os = "linux"))]
fn main() {}
