//! The names of the metrics.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

pub(super) const CONNECTIONS: &str = "ws_server_connections";
pub(super) const CONNECTIONS_TOTAL: &str = "ws_server_connections_total";
pub(super) const CONNECTION_SECONDS: &str = "ws_server_connection_seconds";
pub(super) const HANDSHAKES_TOTAL: &str = "ws_server_handshakes_total";
pub(super) const REFUSED_TOTAL: &str = "ws_server_refused_total";
pub(super) const MESSAGES_TOTAL: &str = "ws_server_messages_total";
pub(super) const BYTES_TOTAL: &str = "ws_server_bytes_total";
pub(super) const COMPRESSED_PLAIN_BYTES_TOTAL: &str = "ws_server_compressed_plain_bytes_total";
pub(super) const COMPRESSED_WIRE_BYTES_TOTAL: &str = "ws_server_compressed_wire_bytes_total";
pub(super) const UNSENT_BYTES: &str = "ws_server_unsent_bytes";
pub(super) const QUEUE_BYTES: &str = "ws_server_queue_bytes";
pub(super) const ROUND_TRIP_SECONDS: &str = "ws_server_ping_round_trip_seconds";
pub(super) const GAVE_UP_MEMORY_TOTAL: &str = "ws_server_gave_up_memory_total";
pub(super) const CLOSES_TOTAL: &str = "ws_server_closes_total";
pub(super) const ERRORS_TOTAL: &str = "ws_server_errors_total";
pub(super) const GROUP_DROPS_TOTAL: &str = "ws_server_group_drops_total";

/// Tells the recorder what the metrics of this crate mean, for its help texts. Call it once, after the recorder was installed; without it
/// everything is counted too.
///
/// | name | kind | label | |
/// |---|---|---|---|
/// | `ws_server_connections` | gauge | | open now, those in their handshakes included |
/// | `ws_server_connections_total` | counter | | let in since the start |
/// | `ws_server_connection_seconds` | histogram | | how long those lived that have ended |
/// | `ws_server_handshakes_total` | counter | `result` | `accepted`, `rejected` by a handler, `answered` (a plain request), `refused` by a setting, `failed` |
/// | `ws_server_refused_total` | counter | `reason` | `max_connections`, `max_connections_per_address`, `max_handshakes`, `memory_budget`, `origin`, `host`, `stopping` |
/// | `ws_server_gave_up_memory_total` | counter | | open connections that were closed because the memory budget was reached |
/// | `ws_server_messages_total` | counter | `direction` | messages, `received` or `sent`: queued to be sent |
/// | `ws_server_bytes_total` | counter | `direction` | payload bytes of messages, before compression and after inflation |
/// | `ws_server_compressed_plain_bytes_total` | counter | `direction` | those of them whose messages were compressed |
/// | `ws_server_compressed_wire_bytes_total` | counter | `direction` | what compression has made of those: the ratio is this by that |
/// | `ws_server_unsent_bytes` | gauge | | queued, and not taken by the system, on all connections together |
/// | `ws_server_queue_bytes` | histogram | | the same of each connection that has any, once a second |
/// | `ws_server_ping_round_trip_seconds` | histogram | | how long pongs took, the last one of a connection in each second |
/// | `ws_server_closes_total` | counter | `by`, `code` | sockets that have ended: `by` the `server` or the `client`, by a `failure`, by `nobody` (cut); codes from 3000 on as `3xxx` and `4xxx` |
/// | `ws_server_errors_total` | counter | `family` | `accept`, `proxy`, `tls`, `handshake`, `timeout`, `protocol`, `limit`, `end_of_stream`, `io`, `send`, `misuse`, `handler`, `panic` |
/// | `ws_server_group_drops_total` | counter | `policy` | messages that slow members of a [`Group`](crate::Group) did not get: `drop_newest`, `drop_oldest`, `coalesce`, `disconnect` |
///
/// What connections carry is looked at about once a second, and when each ends, so that no message pays for it;
/// [`ServerHandle::update_metrics`](crate::ServerHandle::update_metrics) looks at once. Connections of [`Server::accept`](crate::Server::accept)
/// are looked at when they end only.
///
/// Errors are counted in [`Server::serve`](crate::Server::serve) and `Upgrades`, not in connections that are run in another
/// way. Those of an open socket are seen as far as a handler ends with them.
pub fn describe_metrics() {
    describe_gauge!(
        CONNECTIONS,
        Unit::Count,
        "Connections that are open now, those in their handshakes included"
    );
    describe_counter!(CONNECTIONS_TOTAL, Unit::Count, "Connections that were let in");
    describe_histogram!(CONNECTION_SECONDS, Unit::Seconds, "How long connections lived that have ended");
    describe_counter!(HANDSHAKES_TOTAL, Unit::Count, "Handshakes that have ended, by result");
    describe_counter!(
        REFUSED_TOTAL,
        Unit::Count,
        "Connections and requests that a setting has kept out, by reason"
    );
    describe_counter!(MESSAGES_TOTAL, Unit::Count, "Messages, by direction");
    describe_counter!(BYTES_TOTAL, Unit::Bytes, "Payload bytes of messages, by direction");
    describe_counter!(
        COMPRESSED_PLAIN_BYTES_TOTAL,
        Unit::Bytes,
        "Payload bytes of the messages that were compressed, without compression, by direction"
    );
    describe_counter!(
        COMPRESSED_WIRE_BYTES_TOTAL,
        Unit::Bytes,
        "Payload bytes of the messages that were compressed, as they are on the wire, by direction"
    );
    describe_gauge!(UNSENT_BYTES, Unit::Bytes, "Bytes that wait to be sent, on all connections together");
    describe_histogram!(
        QUEUE_BYTES,
        Unit::Bytes,
        "Bytes that wait to be sent on a connection where any do, once a second"
    );
    describe_histogram!(ROUND_TRIP_SECONDS, Unit::Seconds, "How long pongs took");
    describe_counter!(
        GAVE_UP_MEMORY_TOTAL,
        Unit::Count,
        "Open connections that were closed because the memory budget was reached"
    );
    describe_counter!(
        CLOSES_TOTAL,
        Unit::Count,
        "Sockets that have ended, by who began to close and by code"
    );
    describe_counter!(ERRORS_TOTAL, Unit::Count, "Errors of connections, by family");
    describe_counter!(
        GROUP_DROPS_TOTAL,
        Unit::Count,
        "Messages that slow members of groups did not get, by policy"
    );
}
