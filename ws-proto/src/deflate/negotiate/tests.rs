//! Both roles against each other; what each of them does by itself is in `tests/rfc7692_negotiation.rs`.

use super::*;
use crate::extension::parse;
use proptest::prelude::*;

fn bits(window_bits: u8) -> WindowBits {
    WindowBits::new(window_bits).unwrap()
}

fn read(header: &HeaderValue) -> Params {
    Params::read(&parse([header.as_bytes()]).unwrap()[0].params).unwrap()
}

#[test]
fn a_server_set_to_8_sends_with_9() {
    let config = DeflateConfig { server_max_window_bits: WindowBits::MIN, ..DeflateConfig::default() };
    let (params, _) = config.accept(&parse([DeflateConfig::EXTENSION]).unwrap()).unwrap();
    assert_eq!(params.server_max_window_bits, SMALLEST_TO_SEND);
}

fn any_config() -> impl Strategy<Value = DeflateConfig> {
    (any::<Option<bool>>(), any::<Option<bool>>(), 8..=15u8, 8..=15u8).prop_map(
        |(server, client, server_bits, client_bits)| DeflateConfig {
            server_no_context_takeover: server,
            client_no_context_takeover: client,
            server_max_window_bits: bits(server_bits),
            client_max_window_bits: bits(client_bits),
            ..DeflateConfig::default()
        },
    )
}

proptest! {
    #[test]
    fn an_offer_is_read_as_it_was_written(client in any_config()) {
        let offer = read(&client.offer());
        prop_assert_eq!(offer.write(), client.offer());
        prop_assert_eq!(offer.server_max_window_bits.unwrap_or_default(), client.server_max_window_bits);
    }

    #[test]
    fn our_client_and_our_server_agree(client in any_config(), server in any_config()) {
        let offer = client.offer();
        let offers = parse([offer.as_bytes()]).unwrap();
        match server.accept(&offers) {
            None => prop_assert_eq!(client.server_max_window_bits, WindowBits::MIN),
            Some((at_server, answer)) => {
                prop_assert_eq!(read(&answer).settled(), at_server);
                let at_client = client.confirm(&parse([answer.as_bytes()]).unwrap()[0]).unwrap();
                prop_assert_eq!(at_client, at_server);
                prop_assert!(at_server.server_max_window_bits <= client.server_max_window_bits);
                prop_assert!(at_server.client_max_window_bits <= client.client_max_window_bits);
                prop_assert!(at_server.client_max_window_bits <= server.client_max_window_bits);
            }
        }
    }
}
