//! Many tabs of one profile: one of them leads, and another takes over when it dies, freezes, or navigates away.

use crate::many_tabs::ManyTabs;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::time::{Duration, Instant};

/// Until the next worker has lock and socket. The aim is two seconds, and what it took is printed: 150 to 180 ms on a
/// quiet machine, 4,368 ms beside three compilers. This limit only tells a slow machine from a successor that never
/// comes.
const LIMIT: Duration = Duration::from_secs(15);

/// Five tabs, and the one that leads dies: three times, in three ways.
async fn five_tabs() -> Result<()> {
    let mut all = ManyTabs::build(5).await?;
    all.every_tab_writes("at first").await?;
    for way in ["its worker ended", "its renderer crashed", "it was closed"] {
        let before = all.leader(&all.tabs[0]).await?.context("nobody leads")?;
        let connection = all.connection().await?;
        let leader = all.tabs[before].clone();
        let began = Instant::now();
        let failure = async {
            match way {
                "its worker ended" => ensure!(leader.kill_worker().await?, "the leader has no worker"),
                "its renderer crashed" => leader.crash().await,
                _ => leader.close().await?,
            }
            Ok(())
        };
        let takeover = async { Ok((all.takeover(before, connection).await?, began.elapsed())) };
        let ((), (next, took)) = tokio::try_join!(failure, takeover)?;
        println!("tab {before} led until {way}; tab {next} had lock and socket after {} ms", took.as_millis());
        ensure!(took <= LIMIT, "it took {took:?}");
        match way {
            "its worker ended" => {}
            "its renderer crashed" => leader.reopen(&all.servers.url()?).await?,
            _ => drop(all.tabs.remove(before)),
        }
        all.every_tab_writes(way).await?;
    }
    all.end().await
}

#[tokio::test]
async fn five_tabs_and_the_leader_dies() {
    five_tabs().await.unwrap();
}

/// A leader that is stopped in the middle of its work keeps the lock and sends nothing. A tab that needs it takes over.
async fn frozen() -> Result<()> {
    let mut all = ManyTabs::build(3).await?;
    all.every_tab_writes("at first").await?;
    let connection = all.connection().await?;
    let worker = all.leading_worker(&all.tabs[1]).await?.context("nobody leads")?;
    all.browser.send(&worker.session, "Debugger.enable", json!({})).await?;
    all.browser.send(&worker.session, "Debugger.pause", json!({})).await?;
    // It pauses at the next event, in the middle of whatever it has begun.
    let began = Instant::now();
    all.write(1, &["to a leader that is frozen", "and once more"]).await?;
    println!("the page was answered {} ms after the leader was frozen", began.elapsed().as_millis());
    let next = all.takeover(0, connection).await?;
    ensure!(next == 1, "tab {next} leads, and tab 1 needed it");

    // It resumes, finds that it has been replaced, and queues for the lock again.
    all.browser.send(&worker.session, "Debugger.disable", json!({})).await?;
    all.every_tab_writes("after it woke up").await?;
    ensure!(all.leader(&all.tabs[1]).await? == Some(1), "it leads again by itself");
    all.end().await
}

#[tokio::test]
async fn a_frozen_leader_is_replaced() {
    frozen().await.unwrap();
}

/// The leader's page is frozen as browsers freeze pages in the background: whether they freeze its worker as well or
/// not, the other tab goes on, and the page itself once it is back. Browsers freeze none that has a transaction under way,
/// which would keep every other tab from the store; DevTools do.
async fn frozen_page() -> Result<()> {
    let mut all = ManyTabs::build(2).await?;
    all.every_tab_writes("at first").await?;
    all.leader_rests(&all.tabs[1]).await?;
    all.tabs[0].page("Page.setWebLifecycleState", json!({"state": "frozen"})).await?;
    all.write(1, &["while the leader's page is frozen"]).await?;
    all.tabs[0].page("Page.setWebLifecycleState", json!({"state": "active"})).await?;
    all.every_tab_agrees().await?;
    all.every_tab_writes("after it was thawed").await?;
    all.end().await
}

#[tokio::test]
async fn a_frozen_page_blocks_no_other_tab() {
    frozen_page().await.unwrap();
}

/// Three tabs, a browser that is closed or killed, and one that opens them all again at once.
async fn restored() -> Result<()> {
    let mut all = ManyTabs::build(3).await?;
    all.every_tab_writes("at first").await?;
    // First as a person does, so that the list of tabs and the cookies are on disk; then by force.
    all.restart(false).await?;
    all.every_tab_writes("after a restart").await?;
    all.restart(true).await?;
    all.every_tab_writes("after a crash").await?;
    all.end().await
}

#[tokio::test]
async fn a_session_is_restored() {
    restored().await.unwrap();
}

/// Away and back, as the leader: whether the browser kept the page or not, another tab leads meanwhile and this one
/// works when it is shown again.
async fn back_and_forth() -> Result<()> {
    let mut all = ManyTabs::build(2).await?;
    all.every_tab_writes("at first").await?;
    let connection = all.connection().await?;
    let elsewhere = "about:blank".to_owned();
    let began = Instant::now();
    all.tabs[0].go(&elsewhere).await?;
    all.takeover(0, connection).await?;
    println!("the other tab led {} ms after the leader went away", began.elapsed().as_millis());
    ensure!(began.elapsed() <= LIMIT, "it took {:?}", began.elapsed());
    all.write(1, &["while the other is away"]).await?;
    all.tabs[0].person("history.back()").await?;
    all.every_tab_agrees().await?;
    all.every_tab_writes("after it came back").await?;

    // The only tab, and away and back again.
    all.tabs.remove(1).close().await?;
    all.tabs[0].go(&elsewhere).await?;
    all.tabs[0].person("history.back()").await?;
    all.every_tab_writes("alone").await?;
    all.end().await
}

#[tokio::test]
async fn away_and_back() {
    back_and_forth().await.unwrap();
}
