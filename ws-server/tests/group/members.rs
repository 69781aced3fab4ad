//! Who gets what.

use crate::hall::{guest, is_ready, messages, settle, to_the_end};
use std::pin::pin;
use ws_server::{Gone, Group, GroupMessage, Prepared, QueueLimits};

fn roomy() -> QueueLimits {
    QueueLimits::default()
}

#[tokio::test(start_paused = true)]
async fn all_members_get_a_message_and_others_do_not() {
    let group = Group::default();
    let (mut a, mut b, mut outside) = (guest(1000, roomy()), guest(1000, roomy()), guest(1000, roomy()));
    let _seats = [group.join(&a.member), group.join(&b.member)];
    group.send("hello").await;
    assert_eq!(a.texts().await, ["hello"]);
    assert_eq!(b.texts().await, ["hello"]);
    assert!(outside.texts().await.is_empty());
    let stats = group.stats();
    assert_eq!((stats.members, stats.sent, stats.delivered), (2, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_message_may_be_for_all_but_one_or_for_one() {
    let group = Group::default();
    let (mut a, mut b) = (guest(1000, roomy()), guest(1000, roomy()));
    let _seats = [group.join(&a.member), group.join(&b.member)];
    group.send(GroupMessage::new("from a").except(&a.member)).await;
    group.send(GroupMessage::new("to a").only(&a.member)).await;
    a.member.send("to a, by itself").await.unwrap();
    assert_eq!(a.texts().await, ["to a", "to a, by itself"]);
    assert_eq!(b.texts().await, ["from a"]);
}

#[tokio::test(start_paused = true)]
async fn who_has_left_gets_nothing_more() {
    let group = Group::default();
    let (mut a, mut b) = (guest(1000, roomy()), guest(1000, roomy()));
    let (seat, _seat) = (group.join(&a.member), group.join(&b.member));
    group.send("one").await;
    drop(seat);
    group.send("two").await;
    group.send(GroupMessage::new("to a").only(&a.member)).await;
    assert_eq!(a.texts().await, ["one"]);
    assert_eq!(b.texts().await, ["one", "two"]);
    let again = group.join(&a.member);
    group.send("three").await;
    again.leave();
    assert_eq!(a.texts().await, ["three"]);
    assert_eq!(group.stats().members, 1);
}

#[tokio::test(start_paused = true)]
async fn who_joins_twice_is_in_once_by_the_newest_membership() {
    let group = Group::default();
    let mut a = guest(1000, roomy());
    let first = group.join(&a.member);
    let second = group.join(&a.member);
    group.send("one").await;
    drop(first);
    group.send("two").await;
    assert_eq!(group.stats().members, 1);
    drop(second);
    group.send("three").await;
    assert_eq!(a.texts().await, ["one", "two"]);
    assert_eq!(group.stats().members, 0);
}

#[tokio::test(start_paused = true)]
async fn a_member_may_be_in_several_groups() {
    let (rooms, everybody) = (Group::default(), Group::default());
    let (mut a, mut b) = (guest(1000, roomy()), guest(1000, roomy()));
    let _seats = [rooms.join(&a.member), everybody.join(&a.member), everybody.join(&b.member)];
    rooms.send("to the room").await;
    everybody.send(Prepared::new("to everybody")).await;
    assert_eq!(a.texts().await, ["to the room", "to everybody"]);
    assert_eq!(b.texts().await, ["to everybody"]);
}

#[tokio::test(start_paused = true)]
async fn all_members_see_the_messages_of_many_senders_in_one_order() {
    let group = Group::default();
    let mut guests: Vec<_> = (0..300).map(|_| guest(64, roomy())).collect();
    let seats: Vec<_> = guests.iter().map(|guest| group.join(&guest.member)).collect();
    let senders = (0..20).map(|sender| {
        let group = group.clone();
        tokio::spawn(async move {
            for number in 0..5 {
                group.send(format!("{sender}:{number}")).await;
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
    let first = guests[0].texts().await;
    assert_eq!(first.len(), 100);
    for guest in &mut guests[1..] {
        assert_eq!(guest.texts().await, first);
    }
    assert_eq!(group.stats().delivered, 300 * 100);
    drop(seats);
}

#[tokio::test(start_paused = true)]
async fn a_send_that_is_dropped_half_way_goes_to_all_in_the_end() {
    let group = Group::default();
    let mut guests: Vec<_> = (0..500).map(|_| guest(1000, roomy())).collect();
    let _seats: Vec<_> = guests.iter().map(|guest| group.join(&guest.member)).collect();
    {
        let mut sending = pin!(group.send("to all"));
        assert!(!is_ready(&mut sending).await, "so many are not served in one poll");
    }
    for guest in &mut guests {
        assert_eq!(guest.texts().await, ["to all"]);
    }
}

#[tokio::test(start_paused = true)]
async fn members_whose_connection_has_ended_are_removed() {
    let group = Group::default();
    let a = guest(1000, roomy());
    let b = guest(1000, roomy());
    let _seats = [group.join(&a.member), group.join(&b.member)];
    drop(a.client);
    a.handler.await.unwrap();
    group.send("anybody?").await;
    assert_eq!(group.stats().members, 1);
    assert!(a.member.stats().gone);
    assert_eq!(a.member.send("you?").await, Err(Gone));
}

#[tokio::test(start_paused = true)]
async fn what_waits_leaves_behind_the_last_handle_of_a_member() {
    let group = Group::default();
    let mut a = guest(20, messages(100));
    let seat = group.join(&a.member);
    let expected: Vec<_> = (0..50).map(|number| format!("message {number}")).collect();
    for text in &expected {
        group.send(&**text).await;
    }
    assert!(a.member.stats().waiting_messages > 40);
    drop(seat);
    a.handler.abort();
    drop(a.member);
    let (texts, _code) = to_the_end(&mut a.client).await;
    assert_eq!(texts, expected);
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_leaves_nothing_behind() {
    let group = Group::default();
    let a = guest(20, messages(100));
    let seat = group.join(&a.member);
    for _ in 0..50 {
        group.send("somebody does not read").await;
    }
    settle().await;
    let closer = a.closer();
    assert!(closer.is_alive());
    a.handler.abort();
    drop((seat, a.member, a.client));
    settle().await;
    assert!(!closer.is_alive(), "neither the group nor a task keeps the socket");
    assert_eq!(group.stats().members, 0);
}
