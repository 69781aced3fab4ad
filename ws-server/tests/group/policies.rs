//! What becomes of slow members.

use crate::hall::{Guest, guest, is_ready, messages, settle, to_the_end};
use std::pin::pin;
use tokio::io::DuplexStream;
use ws_server::{CloseCode, Group, GroupMessage, Membership, QueueLimits, SlowConsumer};

/// A group, and a member that does not read and whose network is full, in the test's first message.
async fn stalled(
    policy: SlowConsumer,
    limits: QueueLimits,
) -> (Group<DuplexStream>, Guest, Membership<DuplexStream>) {
    let group = Group::new(policy);
    let slow = guest(8, limits);
    let seat = group.join(&slow.member);
    group.send("blocks the way").await;
    settle().await;
    assert_eq!(slow.member.stats().waiting_messages, 0, "its connection has it");
    (group, slow, seat)
}

async fn send_all(group: &Group<DuplexStream>, texts: &[&str]) {
    for text in texts {
        let mut sending = pin!(group.send(*text));
        assert!(is_ready(&mut sending).await, "nobody waits");
    }
}

#[tokio::test(start_paused = true)]
async fn wait_holds_up_the_sender_and_loses_nothing() {
    let (group, mut slow, _seat) = stalled(SlowConsumer::Wait, messages(2)).await;
    send_all(&group, &["one", "two"]).await;
    {
        let mut sending = pin!(group.send("three"));
        assert!(!is_ready(&mut sending).await);
        settle().await;
        assert!(!is_ready(&mut sending).await, "there is no room yet");
        assert_eq!(slow.member.stats().waiting_messages, 2);
        assert_eq!(slow.next_if_any().await, Some("blocks the way".into()));
        assert_eq!(slow.next_if_any().await, Some("one".into()));
        sending.await;
    }
    assert_eq!(slow.texts().await, ["two", "three"]);
    assert_eq!(group.stats().waited, 1);
    assert_eq!(slow.member.stats().dropped, 0);
}

#[tokio::test(start_paused = true)]
async fn a_send_that_is_dropped_while_it_waits_went_to_nobody() {
    let (group, mut slow, _seat) = stalled(SlowConsumer::Wait, messages(1)).await;
    let mut quick = guest(1000, messages(1));
    let _seat = group.join(&quick.member);
    send_all(&group, &["one"]).await;
    {
        let mut sending = pin!(group.send("two"));
        assert!(!is_ready(&mut sending).await);
        settle().await;
        assert!(!is_ready(&mut sending).await);
    }
    assert_eq!(slow.texts().await, ["blocks the way", "one"]);
    group.send("three").await;
    assert_eq!(slow.texts().await, ["three"]);
    assert_eq!(quick.texts().await, ["one", "three"]);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_who_has_left_or_gone() {
    let (group, slow, seat) = stalled(SlowConsumer::Wait, messages(1)).await;
    send_all(&group, &["one"]).await;
    let waiting = tokio::spawn({
        let group = group.clone();
        async move { group.send("two").await }
    });
    settle().await;
    assert!(!waiting.is_finished());
    drop(seat);
    waiting.await.unwrap();

    let _seat = group.join(&slow.member);
    let waiting = tokio::spawn({
        let group = group.clone();
        async move { group.send("three").await }
    });
    settle().await;
    assert!(!waiting.is_finished());
    drop(slow.client);
    waiting.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn drop_newest_leaves_out_what_does_not_fit() {
    let (group, mut slow, _seat) = stalled(SlowConsumer::DropNewest, messages(2)).await;
    send_all(&group, &["one", "two", "three", "four"]).await;
    assert_eq!(slow.member.stats().waiting_messages, 2);
    assert_eq!(slow.texts().await, ["blocks the way", "one", "two"]);
    let stats = group.stats();
    assert_eq!((stats.delivered, stats.dropped_newest), (3, 2));
    assert_eq!(slow.member.stats().dropped, 2);
}

#[tokio::test(start_paused = true)]
async fn drop_oldest_leaves_out_what_waits_for_longest() {
    let (group, mut slow, _seat) = stalled(SlowConsumer::DropOldest, messages(2)).await;
    send_all(&group, &["one", "two", "three", "four"]).await;
    assert_eq!(slow.texts().await, ["blocks the way", "three", "four"]);
    assert_eq!(group.stats().dropped_oldest, 2);
    assert_eq!(slow.member.stats().dropped, 2);
}

#[tokio::test(start_paused = true)]
async fn coalesce_sends_the_newest_of_each_key() {
    let (group, mut slow, _seat) = stalled(SlowConsumer::Coalesce, messages(3)).await;
    for (key, text) in [(1, "a1"), (2, "b1"), (1, "a2"), (1, "a3"), (2, "b2"), (3, "c1")] {
        group.send(GroupMessage::new(text).key(key)).await;
    }
    assert_eq!(slow.texts().await, ["blocks the way", "a3", "b2", "c1"]);
    let (stats, member) = (group.stats(), slow.member.stats());
    assert_eq!((stats.coalesced, stats.disconnected), (3, 0));
    assert_eq!((member.coalesced, member.dropped), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn coalesce_ends_who_has_no_room_for_another_key() {
    let (group, mut slow, _seat) = stalled(SlowConsumer::Coalesce, messages(1)).await;
    group.send(GroupMessage::new("a1").key(1)).await;
    group.send(GroupMessage::new("b1").key(2)).await;
    assert_eq!(
        to_the_end(&mut slow.client).await,
        (vec!["blocks the way".into()], Some(CloseCode::TRY_AGAIN_LATER))
    );
    assert_eq!(group.stats().disconnected, 1);
}

#[tokio::test(start_paused = true)]
async fn disconnect_ends_the_connection_with_1013() {
    let (group, mut slow, _seat) = stalled(SlowConsumer::Disconnect, messages(2)).await;
    let mut quick = guest(1000, messages(2));
    let _quick_seat = group.join(&quick.member);
    send_all(&group, &["one", "two"]).await;
    assert_eq!(group.stats().members, 2);
    send_all(&group, &["three", "four"]).await;
    let stats = group.stats();
    assert_eq!((stats.members, stats.disconnected), (1, 1));
    assert!(slow.member.stats().gone);
    assert_eq!(slow.member.stats().dropped, 3);
    assert_eq!(
        to_the_end(&mut slow.client).await,
        (vec!["blocks the way".into()], Some(CloseCode::TRY_AGAIN_LATER))
    );
    assert_eq!(quick.texts().await, ["one", "two", "three", "four"]);
}

#[tokio::test(start_paused = true)]
async fn a_member_may_have_a_policy_of_its_own() {
    let group = Group::new(SlowConsumer::Disconnect);
    let mut slow = guest(8, messages(1));
    let _seat = group.join_by(&slow.member, SlowConsumer::DropNewest);
    send_all(&group, &["blocks the way", "one", "two"]).await;
    assert_eq!(slow.texts().await, ["blocks the way", "one"]);
    assert_eq!((group.stats().dropped_newest, group.stats().disconnected), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn policies_of_one_group_do_not_cost_messages_of_another() {
    let (lossy, mut slow, _seat) = stalled(SlowConsumer::DropOldest, messages(3)).await;
    let strict = Group::new(SlowConsumer::Disconnect);
    let _strict_seat = strict.join(&slow.member);
    send_all(&strict, &["kept"]).await;
    send_all(&lossy, &["one", "two", "three", "four"]).await;
    assert_eq!(slow.texts().await, ["blocks the way", "kept", "three", "four"]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_slow_member_is_bounded_and_shared() {
    let limits = QueueLimits { max_messages: 1000, max_bytes: 10_000 };
    let (group, slow, _seat) = stalled(SlowConsumer::DropOldest, limits).await;
    for _ in 0..5000 {
        group.send(vec![7; 1000]).await;
        let stats = slow.member.stats();
        assert!(stats.waiting_bytes <= 10_000 && stats.waiting_messages <= 10);
    }
    let unsent = slow.closer().status().expect("it is there").unsent_bytes;
    assert!(unsent < 100, "the connection was given {unsent} bytes that no policy can reach");
    assert_eq!(group.stats().dropped_oldest, 4990);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_reads_again_catches_up_in_few_writes_and_owns_no_task() {
    let (group, mut slow, _seat) = stalled(SlowConsumer::Disconnect, messages(100)).await;
    let texts: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    for text in &texts {
        group.send(&**text).await;
    }
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert_eq!(slow.texts().await[1..], texts);
    settle().await;
    assert!(tokio::runtime::Handle::current().metrics().num_alive_tasks() < tasks);
    let stats = slow.member.stats();
    assert_eq!((stats.waiting_messages, stats.waiting_bytes, stats.dropped), (0, 0, 0));
}
