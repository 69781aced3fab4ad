//! The names of the metrics.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

pub(super) const CONNECTIONS: &str = "ws_server_connections";
pub(super) const CONNECTIONS_TOTAL: &str = "ws_server_connections_total";
pub(super) const CONNECTION_SECONDS: &str = "ws_server_connection_seconds";
pub(super) const HANDSHAKES_TOTAL: &str = "ws_server_handshakes_total";
pub(super) const REFUSED_TOTAL: &str = "ws_server_refused_total";
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
/// | `ws_server_refused_total` | counter | `reason` | `max_connections`, `max_connections_per_address`, `max_handshakes`, `origin`, `host`, `stopping` |
/// | `ws_server_closes_total` | counter | `by`, `code` | sockets that have ended: `by` the `server` or the `client`, by a `failure`, by `nobody` (cut); codes from 3000 on as `3xxx` and `4xxx` |
/// | `ws_server_errors_total` | counter | `family` | `accept`, `proxy`, `tls`, `handshake`, `timeout`, `protocol`, `limit`, `end_of_stream`, `io`, `send`, `misuse`, `handler`, `panic` |
/// | `ws_server_group_drops_total` | counter | `policy` | messages that slow members of a [`Group`](crate::Group) did not get: `drop_newest`, `drop_oldest`, `coalesce`, `disconnect` |
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
