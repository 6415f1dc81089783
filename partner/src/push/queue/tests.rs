//! The queue and the subscriptions, on both engines: nothing lost, nothing twice but after a lease, nothing of another's.

use super::*;
use crate::{
    push::{Services, Subscription},
    sign_in::Identifier,
    store::testing::{TestDatabase, on_both_engines},
};
use std::collections::BTreeSet;

on_both_engines!(
    a_wake_is_for_every_subscription_of_one_account,
    a_wake_that_waits_is_not_queued_twice,
    a_wake_while_one_is_being_sent_is_sent_again,
    a_token_is_good_once_and_only_if_the_wake_was_kept,
    of_many_replays_at_once_one_is_taken,
    instances_that_claim_at_once_share_the_work,
    who_waited_for_anothers_claim_gets_nothing_of_it,
    a_lease_that_ran_out_is_anothers,
    what_an_instance_lets_go_is_due_at_once,
    what_was_not_tried_is_no_attempt,
    a_test_is_for_ones_own_subscription_and_comes_soon,
    an_account_keeps_its_latest_subscriptions,
    an_endpoint_belongs_to_who_named_it_last,
    a_replaced_subscription_hands_over_what_waits,
    a_subscription_made_anew_is_not_pruned_for_the_old_one,
    a_key_stays_that_of_the_subscription,
    with_the_account_everything_goes
);

const KEYS: [&str; 2] = [
    "BLn9b-VR0ca83knDNZ32dCHGyjJp-1riX9ZTN40MqV8K_LpQmLqxC_DoHvqvFXO_nGdAB4W9dogZb_sM-uV4JbY",
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
];

fn subscription(name: &str, key: usize) -> Subscription {
    let services = Services::read(&["push.example".to_owned()], false).unwrap();
    let read = Subscription::read(&url(name), KEYS[key], "_ordMnz7uTCmrpBTeUV4Bw", &services);
    read.unwrap()
}

fn url(name: &str) -> String {
    format!("https://push.example/{name}")
}

/// Alice with the named subscriptions, and Bob with one.
async fn people(database: &TestDatabase, names: &[&str]) -> Database {
    let store = database.open().await;
    for name in ["alice", "bob"] {
        store.create_account(&Identifier::new(name).unwrap(), "hash", 1).await.unwrap();
    }
    for (at, name) in names.iter().enumerate() {
        store.subscribe("alice", &subscription(name, 0), None, "kid", at as i64).await.unwrap();
    }
    store.subscribe("bob", &subscription("bobs", 0), None, "kid", 1).await.unwrap();
    store
}

async fn wake(store: &Database, now: i64) {
    assert_eq!(store.enqueue_wake("alice", None, now).await.unwrap(), EnqueueOutcome::Queued);
}

/// Claims under a name for ten seconds.
async fn claim(store: &Database, name: &str, now: i64) -> Vec<DuePush> {
    store.claim_pushes(name, 100, now, now + 10_000).await.unwrap()
}

fn endpoints(due: &[DuePush]) -> BTreeSet<String> {
    due.iter().map(|due| due.endpoint.clone()).collect()
}

async fn endpoints_of(store: &Database, identifier: &str) -> BTreeSet<String> {
    let all = store.subscriptions(("", ""), 100).await.unwrap();
    all.into_iter().filter(|kept| kept.identifier == identifier).map(|kept| kept.endpoint).collect()
}

async fn a_wake_is_for_every_subscription_of_one_account(database: TestDatabase) {
    let store = people(&database, &["one", "two"]).await;
    assert_eq!(store.next_push().await.unwrap(), None);
    wake(&store, 1_000).await;
    assert_eq!(store.next_push().await.unwrap(), Some(1_000));
    assert!(claim(&store, "a.1", 999).await.is_empty());
    let due = claim(&store, "a.1", 1_000).await;
    assert_eq!(endpoints(&due), BTreeSet::from([url("one"), url("two")]));
    for due in &due {
        assert_eq!((due.message.as_str(), due.attempts, due.expires), ("wake", 1, 1_000 + 28 * 86_400_000));
        assert_eq!(
            (due.p256dh.as_str(), due.auth.as_str(), due.kid.as_str()),
            (KEYS[0], "_ordMnz7uTCmrpBTeUV4Bw", "kid")
        );
        store.finish_push("a.1", due, 1_000).await.unwrap();
    }
    assert_eq!(store.next_push().await.unwrap(), None);
    assert_eq!(store.enqueue_wake("nobody", None, 1_000).await.unwrap(), EnqueueOutcome::Unknown);
}

async fn a_wake_that_waits_is_not_queued_twice(database: TestDatabase) {
    let store = people(&database, &["one"]).await;
    for now in 1_000..1_010 {
        wake(&store, now).await;
    }
    let due = claim(&store, "a.1", 2_000).await;
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].expires, 1_009 + 28 * 86_400_000, "the last one's time");
    store.postpone_push("a.1", &due[0], 60_000).await.unwrap();
    wake(&store, 3_000).await;
    assert!(claim(&store, "a.2", 59_999).await.is_empty(), "a wait that a push service asked for is kept");
    let due = claim(&store, "a.2", 60_000).await;
    assert_eq!(due[0].attempts, 2);
    store.finish_push("a.2", &due[0], 60_000).await.unwrap();
    assert_eq!(store.next_push().await.unwrap(), None);
}

async fn a_wake_while_one_is_being_sent_is_sent_again(database: TestDatabase) {
    let store = people(&database, &["one"]).await;
    wake(&store, 1_000).await;
    let first = claim(&store, "a.1", 1_000).await;
    wake(&store, 1_500).await;
    assert!(claim(&store, "a.2", 1_500).await.is_empty(), "not while the first is under way");
    store.finish_push("a.1", &first[0], 2_000).await.unwrap();
    let second = claim(&store, "a.3", 2_000).await;
    assert_eq!((second.len(), second[0].attempts), (1, 1));
    store.finish_push("a.3", &second[0], 2_000).await.unwrap();
    assert_eq!(store.next_push().await.unwrap(), None);
}

fn replay_guard(hash: &str) -> ReplayGuard {
    ReplayGuard { hash: hash.to_owned(), expires: 50 }
}

async fn a_token_is_good_once_and_only_if_the_wake_was_kept(database: TestDatabase) {
    let store = people(&database, &["one"]).await;
    assert_eq!(store.enqueue_wake("alice", Some(&replay_guard("x")), 1_000).await.unwrap(), EnqueueOutcome::Queued);
    let due = claim(&store, "a.1", 1_000).await;
    store.finish_push("a.1", &due[0], 1_000).await.unwrap();
    assert_eq!(store.enqueue_wake("alice", Some(&replay_guard("x")), 1_000).await.unwrap(), EnqueueOutcome::Replayed);
    assert_eq!(store.enqueue_wake("bob", Some(&replay_guard("x")), 1_000).await.unwrap(), EnqueueOutcome::Replayed);
    assert_eq!(store.next_push().await.unwrap(), None, "a replay queues nothing");
    assert_eq!(store.enqueue_wake("nobody", Some(&replay_guard("y")), 1_000).await.unwrap(), EnqueueOutcome::Unknown);
    assert_eq!(store.enqueue_wake("alice", Some(&replay_guard("y")), 1_000).await.unwrap(), EnqueueOutcome::Replayed);
    store.forget_used_tokens(49).await.unwrap();
    assert_eq!(store.enqueue_wake("alice", Some(&replay_guard("x")), 1_000).await.unwrap(), EnqueueOutcome::Replayed);
    store.forget_used_tokens(50).await.unwrap();
    assert_eq!(store.enqueue_wake("alice", Some(&replay_guard("x")), 1_000).await.unwrap(), EnqueueOutcome::Queued);
}

async fn of_many_replays_at_once_one_is_taken(database: TestDatabase) {
    let store = people(&database, &["one"]).await;
    let call =
        |store: Database| async move { store.enqueue_wake("alice", Some(&replay_guard("x")), 1_000).await.unwrap() };
    let calls: Vec<_> = (0..12).map(|_| tokio::spawn(call(store.clone()))).collect();
    let mut taken = 0;
    for call in calls {
        taken += usize::from(call.await.unwrap() == EnqueueOutcome::Queued);
    }
    assert_eq!(taken, 1);
}

async fn instances_that_claim_at_once_share_the_work(database: TestDatabase) {
    let names: Vec<_> = (0..9).map(|number| format!("number {number}")).collect();
    let store = people(&database, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    wake(&store, 1_000).await;
    let work = |store: Database, instance: usize| async move {
        let mut mine = Vec::new();
        for batch in 0..6 {
            let claimed = store.claim_pushes(&format!("{instance}.{batch}"), 2, 1_000, 9_000).await.unwrap();
            mine.extend(claimed.into_iter().map(|due| due.endpoint));
        }
        mine
    };
    let working: Vec<_> = (0..4).map(|instance| tokio::spawn(work(store.clone(), instance))).collect();
    let mut all = Vec::new();
    for worked in working {
        all.extend(worked.await.unwrap());
    }
    assert_eq!(all.len(), 9, "each replay_guard: {all:?}");
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 9);
}

async fn who_waited_for_anothers_claim_gets_nothing_of_it(database: TestDatabase) {
    let store = people(&database, &["one"]).await;
    wake(&store, 1_000).await;
    let mut faster = store.begin().await.unwrap();
    let claimed = sqlx::query("UPDATE pushes SET claim = 'b.1', due = 11000 WHERE due <= 1000").execute(&mut *faster);
    assert_eq!(claimed.await.unwrap().rows_affected(), 1);
    // It has seen the row as due, and waits for who changes it.
    let slower = store.clone();
    let slower = tokio::spawn(async move { claim(&slower, "a.1", 1_000).await });
    database.until_contended(&store).await;
    faster.commit().await.unwrap();
    assert!(slower.await.unwrap().is_empty());
    assert_eq!(store.next_push().await.unwrap(), Some(11_000));
}

async fn a_lease_that_ran_out_is_anothers(database: TestDatabase) {
    let store = people(&database, &["one"]).await;
    wake(&store, 1_000).await;
    let dead = claim(&store, "dead.1", 1_000).await;
    assert!(claim(&store, "a.1", 10_999).await.is_empty());
    let again = claim(&store, "a.1", 11_000).await;
    assert_eq!((again.len(), again[0].attempts), (1, 2));
    // The first comes back to life: what it says no longer counts.
    store.finish_push("dead.1", &dead[0], 12_000).await.unwrap();
    store.postpone_push("dead.1", &dead[0], 12_000).await.unwrap();
    assert_eq!(store.next_push().await.unwrap(), Some(21_000));
    store.finish_push("a.1", &again[0], 12_000).await.unwrap();
    assert_eq!(store.next_push().await.unwrap(), None);
}

async fn what_an_instance_lets_go_is_due_at_once(database: TestDatabase) {
    let store = people(&database, &["one", "two"]).await;
    wake(&store, 1_000).await;
    store.claim_pushes("a.1", 1, 1_000, 11_000).await.unwrap();
    store.claim_pushes("b.1", 1, 1_000, 11_000).await.unwrap();
    store.release_pushes("a", 2_000).await.unwrap();
    assert_eq!(claim(&store, "c.1", 2_000).await.len(), 1, "what another holds stays its own");
}

async fn what_was_not_tried_is_no_attempt(database: TestDatabase) {
    let store = people(&database, &["one"]).await;
    wake(&store, 1_000).await;
    let due = claim(&store, "a.1", 1_000).await.remove(0);
    assert_eq!(due.attempts, 1);
    store.defer_push("b.1", &due, 1_000).await.unwrap();
    assert!(claim(&store, "a.2", 1_000).await.is_empty(), "it is not b's to put off");
    store.defer_push("a.1", &due, 2_000).await.unwrap();
    assert!(claim(&store, "a.3", 1_999).await.is_empty());
    assert_eq!(claim(&store, "a.4", 2_000).await.remove(0).attempts, 1);
}

async fn a_test_is_for_ones_own_subscription_and_comes_soon(database: TestDatabase) {
    let store = people(&database, &["one"]).await;
    for (identifier, endpoint) in [("alice", "bobs"), ("bob", "one"), ("alice", "three"), ("nobody", "one")] {
        assert!(!store.enqueue_test(identifier, &url(endpoint), 1_000).await.unwrap(), "{identifier} {endpoint}");
    }
    assert!(!store.enqueue_test("alice", "nonsense", 1_000).await.unwrap());
    wake(&store, 1_000).await;
    assert!(store.enqueue_test("alice", &url("one"), 1_000).await.unwrap());
    let due = claim(&store, "a.1", 1_000).await;
    let messages: BTreeSet<_> = due.iter().map(|due| (due.message.as_str(), due.expires - 1_000)).collect();
    assert_eq!(messages, BTreeSet::from([("test", 60_000), ("wake", 28 * 86_400_000)]));
    for due in &due {
        store.postpone_push("a.1", due, 50_000).await.unwrap();
    }
    assert!(store.enqueue_test("alice", &url("one"), 2_000).await.unwrap());
    let due = claim(&store, "a.2", 2_000).await;
    assert_eq!(due.iter().map(|due| due.message.as_str()).collect::<Vec<_>>(), ["test"]);
}

async fn an_account_keeps_its_latest_subscriptions(database: TestDatabase) {
    let store = people(&database, &[]).await;
    for at in 0..11 {
        store.subscribe("alice", &subscription(&format!("number {at}"), 0), None, "kid", at).await.unwrap();
        // The first browser is used all the time.
        store.subscribe("alice", &subscription("number 0", 0), None, "kid", at).await.unwrap();
    }
    let kept = endpoints_of(&store, "alice").await;
    assert_eq!(kept.len(), 10);
    assert!(kept.contains("https://push.example/number%200") && !kept.contains("https://push.example/number%201"));
    assert_eq!(endpoints_of(&store, "bob").await.len(), 1);
}

async fn an_endpoint_belongs_to_who_named_it_last(database: TestDatabase) {
    let store = people(&database, &["one"]).await;
    wake(&store, 1_000).await;
    store.subscribe("bob", &subscription("one", 0), None, "kid", 2_000).await.unwrap();
    assert_eq!(endpoints_of(&store, "alice").await, BTreeSet::new());
    assert_eq!(endpoints_of(&store, "bob").await, BTreeSet::from([url("one"), url("bobs")]));
    assert!(claim(&store, "a.1", 2_000).await.is_empty(), "Bob is not woken for Alice");
    // Whom it does not belong to cannot end it.
    store.unsubscribe("alice", &url("one")).await.unwrap();
    assert_eq!(endpoints_of(&store, "bob").await.len(), 2);
    store.unsubscribe("bob", &url("one")).await.unwrap();
    store.unsubscribe("bob", &url("one")).await.unwrap();
    store.unsubscribe("bob", "nonsense").await.unwrap();
    assert_eq!(endpoints_of(&store, "bob").await, BTreeSet::from([url("bobs")]));
}

async fn a_replaced_subscription_hands_over_what_waits(database: TestDatabase) {
    let store = people(&database, &["old"]).await;
    wake(&store, 1_000).await;
    claim(&store, "a.1", 1_000).await;
    store.subscribe("alice", &subscription("new", 1), Some(&url("old")), "kid", 2_000).await.unwrap();
    assert_eq!(endpoints_of(&store, "alice").await, BTreeSet::from([url("new")]));
    let due = claim(&store, "a.2", 2_000).await;
    assert_eq!(endpoints(&due), BTreeSet::from([url("new")]));
    // Naming another's as previous neither ends it nor takes what waits for it.
    assert_eq!(store.enqueue_wake("bob", None, 3_000).await.unwrap(), EnqueueOutcome::Queued);
    store.subscribe("alice", &subscription("newest", 1), Some(&url("bobs")), "kid", 3_000).await.unwrap();
    assert_eq!(endpoints_of(&store, "bob").await, BTreeSet::from([url("bobs")]));
    assert_eq!(endpoints(&claim(&store, "a.3", 3_000).await), BTreeSet::from([url("bobs")]));
    // Its own name as previous, or nonsense, changes nothing.
    for previous in [url("new"), "nonsense".to_owned()] {
        store.subscribe("alice", &subscription("new", 1), Some(&previous), "kid", 4_000).await.unwrap();
    }
    assert_eq!(endpoints_of(&store, "alice").await, BTreeSet::from([url("new"), url("newest")]));
}

async fn a_subscription_made_anew_is_not_pruned_for_the_old_one(database: TestDatabase) {
    let store = people(&database, &["one"]).await;
    store.subscribe("alice", &subscription("one", 1), None, "kid", 2_000).await.unwrap();
    store.delete_gone(&subscription("one", 0)).await.unwrap();
    assert_eq!(endpoints_of(&store, "alice").await, BTreeSet::from([url("one")]));
    store.delete_gone(&subscription("one", 1)).await.unwrap();
    assert_eq!(endpoints_of(&store, "alice").await, BTreeSet::new());
}

async fn a_key_stays_that_of_the_subscription(database: TestDatabase) {
    let store = people(&database, &["one"]).await;
    let kid = |store: Database| async move {
        let all = store.subscriptions(("", ""), 100).await.unwrap();
        all.into_iter().find(|kept| kept.endpoint == url("one")).unwrap().kid
    };
    // The same subscription, named again after a rotation.
    store.subscribe("alice", &subscription("one", 0), None, "newer", 2_000).await.unwrap();
    assert_eq!(kid(store.clone()).await, "kid");
    store.subscribe("alice", &subscription("one", 1), None, "newer", 3_000).await.unwrap();
    assert_eq!(kid(store.clone()).await, "newer");
    store.set_key(&url("one"), "newest").await.unwrap();
    let mut used = store.keys_of_subscriptions().await.unwrap();
    used.sort();
    assert_eq!(used, ["kid", "newest"]);
}

async fn with_the_account_everything_goes(database: TestDatabase) {
    let store = people(&database, &["one"]).await;
    store.create_session("token", &Identifier::new("alice").unwrap(), 1, 1_000).await.unwrap();
    wake(&store, 1_000).await;
    assert!(store.delete_account("alice").await.unwrap());
    assert!(!store.delete_account("alice").await.unwrap());
    assert_eq!(store.session("token", 1).await.unwrap(), None);
    assert_eq!(endpoints_of(&store, "alice").await, BTreeSet::new());
    assert_eq!(store.next_push().await.unwrap(), None);
    assert_eq!(store.accounts("", 10).await.unwrap(), [("bob".to_owned(), 1)]);
}
