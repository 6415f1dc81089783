//! Asks the browser never to evict our data, once there is data that cannot be had again.
//!
//! An enlisted account's keys exist nowhere else. Before that there is nothing to lose, and a question that some browsers put
//! to the person would come out of the blue.
//!
//! What this module does not know: what is kept.

use crate::port::{self, storage};
use causeway::view::{AccountView, News, Stage, Update};

/// Asks at most once a page.
#[derive(Debug, Default)]
pub struct Keeper {
    asked: bool,
}

impl Keeper {
    /// Looks at an update, and asks if the account is enlisted.
    pub fn watch(&mut self, update: &Update) {
        if !self.asked && account(update).is_some_and(|account| account.stage() == Stage::Enlisted) {
            self.asked = true;
            port::spawn(async {
                // A browser that declines keeps the data as well as it keeps any other site's.
                storage::persist().await;
            });
        }
    }
}

fn account(update: &Update) -> Option<&AccountView> {
    match update.news.as_ref()? {
        News::Account(account) => Some(account),
        News::Snapshot(snapshot) => snapshot.account.as_ref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway::view::{Snapshot, Started};

    #[test]
    fn an_account_is_found_wherever_an_update_carries_one() {
        let enlisted = AccountView { stage: Stage::Enlisted.into(), ..AccountView::default() };
        let snapshot = Snapshot { account: Some(enlisted.clone()), ..Snapshot::default() };
        assert_eq!(account(&News::Account(enlisted.clone()).into()), Some(&enlisted));
        assert_eq!(account(&News::Snapshot(snapshot).into()), Some(&enlisted));
        assert_eq!(account(&News::Started(Started {}).into()), None);
    }

    #[test]
    fn nobody_is_asked_before_there_is_something_to_keep() {
        let mut keeper = Keeper::default();
        let signed_in = AccountView { stage: Stage::SignedIn.into(), ..AccountView::default() };
        keeper.watch(&News::Account(signed_in).into());
        assert!(!keeper.asked);
    }
}
