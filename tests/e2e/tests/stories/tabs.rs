//! Many tabs of one profile: one of them leads, and the others hardly notice when it dies, freezes, or goes away.

use crate::house::House;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::time::{Duration, Instant};

/// Until the next worker has lock and socket. The aim is two seconds, and what it took is printed: 150 to 180 ms on a quiet
/// machine, 4,368 ms beside three compilers. This limit only tells a slow machine from a successor that never comes.
const LIMIT: Duration = Duration::from_secs(15);

/// Five tabs, and the one that leads dies: three times, in three ways.
async fn five_tabs() -> Result<()> {
    let mut house = House::build(5).await?;
    house.everybody_writes("at first").await?;
    for way in ["its worker ended", "its renderer crashed", "it was closed"] {
        let before = house.leader(&house.tabs[0]).await?.context("nobody leads")?;
        let connection = house.connection().await?;
        let leader = house.tabs[before].clone();
        let began = Instant::now();
        let blow = async {
            match way {
                "its worker ended" => ensure!(leader.kill_worker().await?, "the leader has no worker"),
                "its renderer crashed" => leader.crash().await,
                _ => leader.close().await?,
            }
            Ok(())
        };
        let succession = async { Ok((house.succession(before, connection).await?, began.elapsed())) };
        let ((), (next, took)) = tokio::try_join!(blow, succession)?;
        println!("tab {before} led until {way}; tab {next} had lock and socket after {} ms", took.as_millis());
        ensure!(took <= LIMIT, "it took {took:?}");
        match way {
            "its worker ended" => {}
            "its renderer crashed" => leader.revive(&house.servers.url()?).await?,
            _ => drop(house.tabs.remove(before)),
        }
        house.everybody_writes(way).await?;
    }
    house.end().await
}

#[tokio::test]
async fn five_tabs_and_the_leader_dies() {
    five_tabs().await.unwrap();
}

/// A leader that is stopped in the midst of its work keeps the lock and says nothing. Nobody who needs it waits for ever.
async fn frozen() -> Result<()> {
    let mut house = House::build(3).await?;
    house.everybody_writes("at first").await?;
    let connection = house.connection().await?;
    let worker = house.leading_worker(&house.tabs[1]).await?.context("nobody leads")?;
    house.browser.send(&worker.session, "Debugger.enable", json!({})).await?;
    house.browser.send(&worker.session, "Debugger.pause", json!({})).await?;
    // The next thing that reaches it stops it, with everything that it has begun.
    let began = Instant::now();
    house.write(1, &["to a leader that is frozen", "and once more"]).await?;
    println!("the page was answered {} ms after the leader was frozen", began.elapsed().as_millis());
    let next = house.succession(0, connection).await?;
    ensure!(next == 1, "tab {next} leads, and tab 1 needed it");

    // It wakes up, finds itself deposed, and takes its place in the line.
    house.browser.send(&worker.session, "Debugger.disable", json!({})).await?;
    house.everybody_writes("after it woke up").await?;
    ensure!(house.leader(&house.tabs[1]).await? == Some(1), "it leads again by itself");
    house.end().await
}

#[tokio::test]
async fn a_frozen_leader_is_deposed() {
    frozen().await.unwrap();
}

/// The leader's page is frozen as browsers freeze pages in the background: whether they freeze its worker as well or not,
/// the other tab goes on, and the page itself once it is back.
async fn frozen_page() -> Result<()> {
    let mut house = House::build(2).await?;
    house.everybody_writes("at first").await?;
    house.tabs[0].page("Page.setWebLifecycleState", json!({"state": "frozen"})).await?;
    house.write(1, &["while the leader's page is frozen"]).await?;
    house.tabs[0].page("Page.setWebLifecycleState", json!({"state": "active"})).await?;
    house.everybody_agrees().await?;
    house.everybody_writes("after it was thawed").await?;
    house.end().await
}

#[tokio::test]
async fn a_frozen_page_holds_nobody_up() {
    frozen_page().await.unwrap();
}

/// Three tabs, a browser that is closed or killed, and one that opens them all again at once.
async fn restored() -> Result<()> {
    let mut house = House::build(3).await?;
    house.everybody_writes("at first").await?;
    // First as a person does, so that the list of tabs and the cookies are on disk; then by force.
    house.restart(false).await?;
    house.everybody_writes("after a restart").await?;
    house.restart(true).await?;
    house.everybody_writes("after a crash").await?;
    house.end().await
}

#[tokio::test]
async fn a_session_is_restored() {
    restored().await.unwrap();
}

/// Away and back, as the leader: whether the browser kept the page or not, another tab leads meanwhile and this one works
/// when it is shown again.
async fn back_and_forth() -> Result<()> {
    let mut house = House::build(2).await?;
    house.everybody_writes("at first").await?;
    let connection = house.connection().await?;
    let elsewhere = "about:blank".to_owned();
    let began = Instant::now();
    house.tabs[0].go(&elsewhere).await?;
    house.succession(0, connection).await?;
    println!("the other tab led {} ms after the leader went away", began.elapsed().as_millis());
    ensure!(began.elapsed() <= LIMIT, "it took {:?}", began.elapsed());
    house.write(1, &["while the other is away"]).await?;
    house.tabs[0].person("history.back()").await?;
    house.everybody_agrees().await?;
    house.everybody_writes("after it came back").await?;

    // Alone in the browser, and away and back again.
    house.tabs.remove(1).close().await?;
    house.tabs[0].go(&elsewhere).await?;
    house.tabs[0].person("history.back()").await?;
    house.everybody_writes("alone").await?;
    house.end().await
}

#[tokio::test]
async fn away_and_back() {
    back_and_forth().await.unwrap();
}
