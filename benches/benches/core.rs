//! The parts of the core in bytes a second, beside `memcpy` as the limit.
//!
//! `cargo bench -p ws-benches --bench core -- masking`

#[cfg(target_os = "linux")]
mod linux {
    use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
    use std::hint::black_box;
    use ws_benches::{Drive, Payload};
    use ws_proto::Utf8Bytes;
    use ws_proto::bytes::Bytes;
    use ws_proto::frame::{Header, MaskingKey, Opcode};

    pub(super) fn memcpy(criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group("memcpy");
        for len in SIZES {
            let (from, mut to) = (Payload::Binary.bytes(len), vec![0; len]);
            group.throughput(Throughput::Bytes(len as u64));
            group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
                bencher.iter(|| black_box(&mut to).copy_from_slice(black_box(&from)));
            });
        }
    }

    pub(super) fn masking(criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group("masking");
        let key = MaskingKey::new([0x37, 0xfa, 0x21, 0x3d]);
        for len in SIZES {
            // Behind a header, as it arrives: not aligned.
            let mut frame = Payload::Binary.bytes(len + HEADER);
            group.throughput(Throughput::Bytes(len as u64));
            group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
                bencher.iter(|| key.apply(0, black_box(&mut frame[HEADER..])));
            });
        }
    }

    pub(super) fn utf8(criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group("utf8");
        for (name, payload) in [("ascii", Payload::Json), ("mixed", Payload::NonAscii)] {
            for len in SIZES {
                let text = Bytes::from(payload.bytes(len));
                group.throughput(Throughput::Bytes(text.len() as u64));
                group.bench_function(BenchmarkId::new(name, len), |bencher| {
                    let validate = |text: Bytes| Utf8Bytes::try_from(text).is_ok();
                    bencher.iter_batched(|| text.clone(), validate, BatchSize::SmallInput);
                });
            }
        }
    }

    pub(super) fn header(criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group("header");
        for len in [125, 1_024, 1 << 20] {
            let masking_key = Some(MaskingKey::new([1, 2, 3, 4]));
            let header = Header { masking_key, ..Header::new(Opcode::Binary, len) };
            let encoded = header.encode();
            group.throughput(Throughput::Bytes(encoded.as_slice().len() as u64));
            group.bench_function(BenchmarkId::new("parse", len), |bencher| {
                bencher.iter(|| Header::decode(black_box(encoded.as_slice())));
            });
            group.bench_function(BenchmarkId::new("encode", len), |bencher| {
                bencher.iter(|| black_box(&header).encode());
            });
        }
    }

    /// Receive, send, deflate and handshake of whole connections.
    pub(super) fn connection(criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group("connection");
        for drive in Drive::ALL.iter().chain(Drive::LARGE).filter(|drive| !drive.is_duplex()) {
            group.throughput(Throughput::Bytes(drive.bytes()));
            group.bench_function(drive.name, |bencher| {
                bencher.iter_custom(|rounds| drive.run(rounds).expect("the core does what it must"));
            });
        }
    }

    const SIZES: [usize; 6] = [16, 125, 1 << 10, 16 << 10, 64 << 10, 1 << 20];
    /// Of a masked frame with two bytes of length.
    const HEADER: usize = 8;
}

#[cfg(target_os = "linux")]
criterion::criterion_group!(
    benches,
    linux::memcpy,
    linux::masking,
    linux::utf8,
    linux::header,
    linux::connection
);
#[cfg(target_os = "linux")]
criterion::criterion_main!(benches);

#[cfg(not(target_os = "linux"))]
fn main() {}
