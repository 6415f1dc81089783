//! The queue and the subscriptions on both engines: nothing is lost, nothing is sent twice except after a lease, and
//! accounts are isolated.

use super::*;
use crate::{
    push::{Services, Subscription, SubscriptionRepository},
    sign_in::{AccountRepository, Identifier, SessionRepository, SessionToken},
    store::testing::{TestDatabase, on_both_engines},
};
use std::collections::BTreeSet;

on_both_engines!(
    a_wake_is_for_every_subscription_of_one_account,
    a_waiting_wake_is_not_queued_twice,
    a_wake_while_one_is_being_sent_is_sent_again,
    a_token_is_used_up_together_with_the_wake,
    of_concurrent_replays_one_is_accepted,
    concurrent_claims_are_disjoint,
    a_claim_that_waited_for_another_claim_gets_none_of_its_rows,
    an_expired_lease_can_be_claimed,
    released_pushes_are_due_at_once,
    a_deferred_push_counts_no_attempt,
    a_test_is_for_the_accounts_own_subscription_and_due_at_once,
    an_account_keeps_its_most_recent_subscriptions,
    an_endpoint_belongs_to_the_account_that_subscribed_last,
    waiting_pushes_move_to_the_subscription_that_replaces_theirs,
    a_renewed_subscription_is_not_pruned_for_the_old_one,
    the_key_of_a_subscription_stays,
    deleting_the_account_deletes_everything
);

const KEYS: [&str; 2] = [
    "BLn9b-VR0ca83knDNZ32dCHGyjJp-1riX9ZTN40MqV8K_LpQmLqxC_DoHvqvFXO_nGdAB4W9dogZb_sM-uV4JbY",
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
];

fn at(milliseconds: i64) -> UnixMillis {
    UnixMillis::new(milliseconds)
}

fn subscription(name: &str, key: usize) -> Subscription {
    let services = Services::read(&["push.example".to_owned()], false).unwrap();
    let read = Subscription::read(&url(name), KEYS[key], "_ordMnz7uTCmrpBTeUV4Bw", &services);
    read.unwrap()
}

fn url(name: &str) -> Endpoint {
    Endpoint::parse(&format!("https://push.example/{name}")).unwrap()
}

fn account(name: &str) -> AccountId {
    AccountId::new(name)
}

fn key(name: &str) -> KeyId {
    KeyId::stored(name.to_owned())
}

/// The claim `instance.batch`.
fn claim_id(name: &str) -> ClaimId {
    let (instance, batch) = name.split_once('.').unwrap();
    InstanceId::named(instance).claim(batch.parse().unwrap())
}

/// The repositories of one database.
#[derive(Clone)]
struct Fixture {
    database: Database,
    accounts: AccountRepository,
    subscriptions: SubscriptionRepository,
    queue: QueueRepository,
}

/// Alice with the named subscriptions, and Bob with one.
async fn open(database: &TestDatabase, names: &[&str]) -> Fixture {
    let database = database.open().await;
    let accounts = AccountRepository::new(database.clone());
    let subscriptions = SubscriptionRepository::new(database.clone());
    for name in ["alice", "bob"] {
        accounts.create(&Identifier::new(name).unwrap(), "hash", UnixSeconds::new(1)).await.unwrap();
    }
    for (time, name) in (0..).zip(names) {
        subscriptions.save(&account("alice"), &subscription(name, 0), None, &key("kid"), at(time)).await.unwrap();
    }
    subscriptions.save(&account("bob"), &subscription("bobs", 0), None, &key("kid"), at(1)).await.unwrap();
    Fixture { queue: QueueRepository::new(database.clone()), database, accounts, subscriptions }
}

async fn wake(fixture: &Fixture, now: i64) {
    assert_eq!(fixture.queue.enqueue_wake(&account("alice"), None, at(now)).await.unwrap(), EnqueueOutcome::Queued);
}

/// Claims for ten seconds.
async fn claim(fixture: &Fixture, name: &str, now: i64) -> Vec<DuePush> {
    fixture.queue.claim(&claim_id(name), 100, at(now), at(now + 10_000)).await.unwrap()
}

fn endpoints(due: &[DuePush]) -> BTreeSet<Endpoint> {
    due.iter().map(|due| due.endpoint.clone()).collect()
}

async fn endpoints_of(fixture: &Fixture, name: &str) -> BTreeSet<Endpoint> {
    let all = fixture.subscriptions.list(None, 100).await.unwrap();
    all.into_iter().filter(|kept| kept.account == account(name)).map(|kept| kept.endpoint).collect()
}

async fn a_wake_is_for_every_subscription_of_one_account(database: TestDatabase) {
    let fixture = open(&database, &["one", "two"]).await;
    assert_eq!(fixture.queue.next_due().await.unwrap(), None);
    wake(&fixture, 1_000).await;
    assert_eq!(fixture.queue.next_due().await.unwrap(), Some(at(1_000)));
    assert!(claim(&fixture, "a.1", 999).await.is_empty());
    let due = claim(&fixture, "a.1", 1_000).await;
    assert_eq!(endpoints(&due), BTreeSet::from([url("one"), url("two")]));
    for due in &due {
        assert_eq!((due.message.as_str(), due.attempts, due.expires), ("wake", 1, at(1_000 + 28 * 86_400_000)));
        assert_eq!(
            (due.p256dh.as_str(), due.auth.as_str(), due.kid.as_str()),
            (KEYS[0], "_ordMnz7uTCmrpBTeUV4Bw", "kid")
        );
        fixture.queue.finish(&claim_id("a.1"), due, at(1_000)).await.unwrap();
    }
    assert_eq!(fixture.queue.next_due().await.unwrap(), None);
    assert_eq!(fixture.queue.enqueue_wake(&account("nobody"), None, at(1_000)).await.unwrap(), EnqueueOutcome::Unknown);
}

async fn a_waiting_wake_is_not_queued_twice(database: TestDatabase) {
    let fixture = open(&database, &["one"]).await;
    for now in 1_000..1_010 {
        wake(&fixture, now).await;
    }
    let due = claim(&fixture, "a.1", 2_000).await;
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].expires, at(1_009 + 28 * 86_400_000), "the expiry of the last call");
    fixture.queue.postpone(&claim_id("a.1"), &due[0], at(60_000)).await.unwrap();
    wake(&fixture, 3_000).await;
    assert!(claim(&fixture, "a.2", 59_999).await.is_empty(), "the requested delay is respected");
    let due = claim(&fixture, "a.2", 60_000).await;
    assert_eq!(due[0].attempts, 2);
    fixture.queue.finish(&claim_id("a.2"), &due[0], at(60_000)).await.unwrap();
    assert_eq!(fixture.queue.next_due().await.unwrap(), None);
}

async fn a_wake_while_one_is_being_sent_is_sent_again(database: TestDatabase) {
    let fixture = open(&database, &["one"]).await;
    wake(&fixture, 1_000).await;
    let first = claim(&fixture, "a.1", 1_000).await;
    wake(&fixture, 1_500).await;
    assert!(claim(&fixture, "a.2", 1_500).await.is_empty(), "not while the first is being sent");
    fixture.queue.finish(&claim_id("a.1"), &first[0], at(2_000)).await.unwrap();
    let second = claim(&fixture, "a.3", 2_000).await;
    assert_eq!((second.len(), second[0].attempts), (1, 1));
    fixture.queue.finish(&claim_id("a.3"), &second[0], at(2_000)).await.unwrap();
    assert_eq!(fixture.queue.next_due().await.unwrap(), None);
}

fn replay_guard(hash: &str) -> ReplayGuard {
    ReplayGuard { hash: TokenHash::new(hash.to_owned()), expires: UnixSeconds::new(50) }
}

async fn a_token_is_used_up_together_with_the_wake(database: TestDatabase) {
    let fixture = open(&database, &["one"]).await;
    assert_eq!(
        fixture.queue.enqueue_wake(&account("alice"), Some(&replay_guard("x")), at(1_000)).await.unwrap(),
        EnqueueOutcome::Queued
    );
    let due = claim(&fixture, "a.1", 1_000).await;
    fixture.queue.finish(&claim_id("a.1"), &due[0], at(1_000)).await.unwrap();
    assert_eq!(
        fixture.queue.enqueue_wake(&account("alice"), Some(&replay_guard("x")), at(1_000)).await.unwrap(),
        EnqueueOutcome::Replayed
    );
    assert_eq!(
        fixture.queue.enqueue_wake(&account("bob"), Some(&replay_guard("x")), at(1_000)).await.unwrap(),
        EnqueueOutcome::Replayed
    );
    assert_eq!(fixture.queue.next_due().await.unwrap(), None, "a replay queues nothing");
    assert_eq!(
        fixture.queue.enqueue_wake(&account("nobody"), Some(&replay_guard("y")), at(1_000)).await.unwrap(),
        EnqueueOutcome::Unknown
    );
    assert_eq!(
        fixture.queue.enqueue_wake(&account("alice"), Some(&replay_guard("y")), at(1_000)).await.unwrap(),
        EnqueueOutcome::Replayed
    );
    fixture.queue.delete_expired_tokens(UnixSeconds::new(49)).await.unwrap();
    assert_eq!(
        fixture.queue.enqueue_wake(&account("alice"), Some(&replay_guard("x")), at(1_000)).await.unwrap(),
        EnqueueOutcome::Replayed
    );
    fixture.queue.delete_expired_tokens(UnixSeconds::new(50)).await.unwrap();
    assert_eq!(
        fixture.queue.enqueue_wake(&account("alice"), Some(&replay_guard("x")), at(1_000)).await.unwrap(),
        EnqueueOutcome::Queued
    );
}

async fn of_concurrent_replays_one_is_accepted(database: TestDatabase) {
    let fixture = open(&database, &["one"]).await;
    let call = |fixture: Fixture| async move {
        fixture.queue.enqueue_wake(&account("alice"), Some(&replay_guard("x")), at(1_000)).await.unwrap()
    };
    let calls: Vec<_> = (0..12).map(|_| tokio::spawn(call(fixture.clone()))).collect();
    let mut taken = 0;
    for call in calls {
        taken += usize::from(call.await.unwrap() == EnqueueOutcome::Queued);
    }
    assert_eq!(taken, 1);
}

async fn concurrent_claims_are_disjoint(database: TestDatabase) {
    let names: Vec<_> = (0..9).map(|number| format!("number {number}")).collect();
    let fixture = open(&database, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    wake(&fixture, 1_000).await;
    let work = |fixture: Fixture, instance: usize| async move {
        let mut mine = Vec::new();
        for batch in 0..6 {
            let claimed =
                fixture.queue.claim(&claim_id(&format!("{instance}.{batch}")), 2, at(1_000), at(9_000)).await.unwrap();
            mine.extend(claimed.into_iter().map(|due| due.endpoint));
        }
        mine
    };
    let working: Vec<_> = (0..4).map(|instance| tokio::spawn(work(fixture.clone(), instance))).collect();
    let mut all = Vec::new();
    for worked in working {
        all.extend(worked.await.unwrap());
    }
    assert_eq!(all.len(), 9, "each once: {all:?}");
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 9);
}

async fn a_claim_that_waited_for_another_claim_gets_none_of_its_rows(database: TestDatabase) {
    let fixture = open(&database, &["one"]).await;
    wake(&fixture, 1_000).await;
    let mut faster = fixture.database.begin().await.unwrap();
    let claimed = sqlx::query("UPDATE pushes SET claim = 'b.1', due = 11000 WHERE due <= 1000").execute(&mut *faster);
    assert_eq!(claimed.await.unwrap().rows_affected(), 1);
    // This claim has seen the row as due and waits for its lock.
    let slower = fixture.clone();
    let slower = tokio::spawn(async move { claim(&slower, "a.1", 1_000).await });
    database.until_contended(&fixture.database).await;
    faster.commit().await.unwrap();
    assert!(slower.await.unwrap().is_empty());
    assert_eq!(fixture.queue.next_due().await.unwrap(), Some(at(11_000)));
}

async fn an_expired_lease_can_be_claimed(database: TestDatabase) {
    let fixture = open(&database, &["one"]).await;
    wake(&fixture, 1_000).await;
    let dead = claim(&fixture, "dead.1", 1_000).await;
    assert!(claim(&fixture, "a.1", 10_999).await.is_empty());
    let again = claim(&fixture, "a.1", 11_000).await;
    assert_eq!((again.len(), again[0].attempts), (1, 2));
    // The first instance resumes: its results no longer count.
    fixture.queue.finish(&claim_id("dead.1"), &dead[0], at(12_000)).await.unwrap();
    fixture.queue.postpone(&claim_id("dead.1"), &dead[0], at(12_000)).await.unwrap();
    assert_eq!(fixture.queue.next_due().await.unwrap(), Some(at(21_000)));
    fixture.queue.finish(&claim_id("a.1"), &again[0], at(12_000)).await.unwrap();
    assert_eq!(fixture.queue.next_due().await.unwrap(), None);
}

async fn released_pushes_are_due_at_once(database: TestDatabase) {
    let fixture = open(&database, &["one", "two"]).await;
    wake(&fixture, 1_000).await;
    fixture.queue.claim(&claim_id("a.1"), 1, at(1_000), at(11_000)).await.unwrap();
    fixture.queue.claim(&claim_id("b.1"), 1, at(1_000), at(11_000)).await.unwrap();
    fixture.queue.release(&InstanceId::named("a"), at(2_000)).await.unwrap();
    assert_eq!(claim(&fixture, "c.1", 2_000).await.len(), 1, "claims of other instances stay");
}

async fn a_deferred_push_counts_no_attempt(database: TestDatabase) {
    let fixture = open(&database, &["one"]).await;
    wake(&fixture, 1_000).await;
    let due = claim(&fixture, "a.1", 1_000).await.remove(0);
    assert_eq!(due.attempts, 1);
    fixture.queue.defer(&claim_id("b.1"), &due, at(1_000)).await.unwrap();
    assert!(claim(&fixture, "a.2", 1_000).await.is_empty(), "only the owner of the claim can defer it");
    fixture.queue.defer(&claim_id("a.1"), &due, at(2_000)).await.unwrap();
    assert!(claim(&fixture, "a.3", 1_999).await.is_empty());
    assert_eq!(claim(&fixture, "a.4", 2_000).await.remove(0).attempts, 1);
}

async fn a_test_is_for_the_accounts_own_subscription_and_due_at_once(database: TestDatabase) {
    let fixture = open(&database, &["one"]).await;
    for (identifier, endpoint) in [("alice", "bobs"), ("bob", "one"), ("alice", "three"), ("nobody", "one")] {
        assert!(
            !fixture.queue.enqueue_test(&account(identifier), &url(endpoint), at(1_000)).await.unwrap(),
            "{identifier} {endpoint}"
        );
    }
    wake(&fixture, 1_000).await;
    assert!(fixture.queue.enqueue_test(&account("alice"), &url("one"), at(1_000)).await.unwrap());
    let due = claim(&fixture, "a.1", 1_000).await;
    let messages: BTreeSet<_> = due.iter().map(|due| (due.message.as_str(), due.expires.get() - 1_000)).collect();
    assert_eq!(messages, BTreeSet::from([("test", 60_000), ("wake", 28 * 86_400_000)]));
    for due in &due {
        fixture.queue.postpone(&claim_id("a.1"), due, at(50_000)).await.unwrap();
    }
    assert!(fixture.queue.enqueue_test(&account("alice"), &url("one"), at(2_000)).await.unwrap());
    let due = claim(&fixture, "a.2", 2_000).await;
    assert_eq!(due.iter().map(|due| due.message.as_str()).collect::<Vec<_>>(), ["test"]);
}

async fn an_account_keeps_its_most_recent_subscriptions(database: TestDatabase) {
    let fixture = open(&database, &[]).await;
    for time in 0..11 {
        fixture
            .subscriptions
            .save(&account("alice"), &subscription(&format!("number {time}"), 0), None, &key("kid"), at(time))
            .await
            .unwrap();
        // The first browser confirms its subscription all the time.
        fixture
            .subscriptions
            .save(&account("alice"), &subscription("number 0", 0), None, &key("kid"), at(time))
            .await
            .unwrap();
    }
    let kept = endpoints_of(&fixture, "alice").await;
    assert_eq!(kept.len(), 10);
    assert!(kept.contains(&url("number 0")) && !kept.contains(&url("number 1")));
    assert_eq!(endpoints_of(&fixture, "bob").await.len(), 1);
}

async fn an_endpoint_belongs_to_the_account_that_subscribed_last(database: TestDatabase) {
    let fixture = open(&database, &["one"]).await;
    wake(&fixture, 1_000).await;
    fixture.subscriptions.save(&account("bob"), &subscription("one", 0), None, &key("kid"), at(2_000)).await.unwrap();
    assert_eq!(endpoints_of(&fixture, "alice").await, BTreeSet::new());
    assert_eq!(endpoints_of(&fixture, "bob").await, BTreeSet::from([url("one"), url("bobs")]));
    assert!(claim(&fixture, "a.1", 2_000).await.is_empty(), "Bob is not woken for Alice");
    // Another account cannot delete it.
    fixture.subscriptions.delete(&account("alice"), &url("one")).await.unwrap();
    assert_eq!(endpoints_of(&fixture, "bob").await.len(), 2);
    fixture.subscriptions.delete(&account("bob"), &url("one")).await.unwrap();
    fixture.subscriptions.delete(&account("bob"), &url("one")).await.unwrap();
    assert_eq!(endpoints_of(&fixture, "bob").await, BTreeSet::from([url("bobs")]));
}

async fn waiting_pushes_move_to_the_subscription_that_replaces_theirs(database: TestDatabase) {
    let fixture = open(&database, &["old"]).await;
    wake(&fixture, 1_000).await;
    claim(&fixture, "a.1", 1_000).await;
    fixture
        .subscriptions
        .save(&account("alice"), &subscription("new", 1), Some(&url("old")), &key("kid"), at(2_000))
        .await
        .unwrap();
    assert_eq!(endpoints_of(&fixture, "alice").await, BTreeSet::from([url("new")]));
    let due = claim(&fixture, "a.2", 2_000).await;
    assert_eq!(endpoints(&due), BTreeSet::from([url("new")]));
    // A `previous` of another account is neither deleted nor are its pushes moved.
    assert_eq!(fixture.queue.enqueue_wake(&account("bob"), None, at(3_000)).await.unwrap(), EnqueueOutcome::Queued);
    fixture
        .subscriptions
        .save(&account("alice"), &subscription("newest", 1), Some(&url("bobs")), &key("kid"), at(3_000))
        .await
        .unwrap();
    assert_eq!(endpoints_of(&fixture, "bob").await, BTreeSet::from([url("bobs")]));
    assert_eq!(endpoints(&claim(&fixture, "a.3", 3_000).await), BTreeSet::from([url("bobs")]));
    // The same endpoint as `previous` changes nothing.
    fixture
        .subscriptions
        .save(&account("alice"), &subscription("new", 1), Some(&url("new")), &key("kid"), at(4_000))
        .await
        .unwrap();
    assert_eq!(endpoints_of(&fixture, "alice").await, BTreeSet::from([url("new"), url("newest")]));
}

async fn a_renewed_subscription_is_not_pruned_for_the_old_one(database: TestDatabase) {
    let fixture = open(&database, &["one"]).await;
    fixture.subscriptions.save(&account("alice"), &subscription("one", 1), None, &key("kid"), at(2_000)).await.unwrap();
    fixture.subscriptions.delete_gone(&subscription("one", 0)).await.unwrap();
    assert_eq!(endpoints_of(&fixture, "alice").await, BTreeSet::from([url("one")]));
    fixture.subscriptions.delete_gone(&subscription("one", 1)).await.unwrap();
    assert_eq!(endpoints_of(&fixture, "alice").await, BTreeSet::new());
}

async fn the_key_of_a_subscription_stays(database: TestDatabase) {
    let fixture = open(&database, &["one"]).await;
    let kid = |fixture: Fixture| async move {
        let all = fixture.subscriptions.list(None, 100).await.unwrap();
        all.into_iter().find(|kept| kept.endpoint == url("one")).unwrap().kid
    };
    // The same subscription, confirmed after a rotation.
    fixture
        .subscriptions
        .save(&account("alice"), &subscription("one", 0), None, &key("newer"), at(2_000))
        .await
        .unwrap();
    assert_eq!(kid(fixture.clone()).await, key("kid"));
    fixture
        .subscriptions
        .save(&account("alice"), &subscription("one", 1), None, &key("newer"), at(3_000))
        .await
        .unwrap();
    assert_eq!(kid(fixture.clone()).await, key("newer"));
    fixture.subscriptions.set_key(&url("one"), &key("newest")).await.unwrap();
    let mut used = fixture.subscriptions.key_ids().await.unwrap();
    used.sort();
    assert_eq!(used, [key("kid"), key("newest")]);
}

async fn deleting_the_account_deletes_everything(database: TestDatabase) {
    let fixture = open(&database, &["one"]).await;
    let token = SessionToken::random().unwrap();
    SessionRepository::new(fixture.database.clone())
        .create(&token.id(), &account("alice"), UnixSeconds::new(1), UnixSeconds::new(1_000))
        .await
        .unwrap();
    wake(&fixture, 1_000).await;
    assert!(fixture.accounts.delete(&account("alice")).await.unwrap());
    assert!(!fixture.accounts.delete(&account("alice")).await.unwrap());
    assert_eq!(
        SessionRepository::new(fixture.database.clone()).owner(&token.id(), UnixSeconds::new(1)).await.unwrap(),
        None
    );
    assert_eq!(endpoints_of(&fixture, "alice").await, BTreeSet::new());
    assert_eq!(fixture.queue.next_due().await.unwrap(), None);
    assert_eq!(fixture.accounts.list(None, 10).await.unwrap(), [(account("bob"), UnixSeconds::new(1))]);
}
