//! Every other end gets a message, the sender does not; messages that are not bytes are ignored.

use super::{script, settle, unique};
use causeway_web::port::channel::Channel;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen_test::wasm_bindgen_test;

type Heard = Rc<RefCell<Vec<Vec<u8>>>>;

fn end(name: &str) -> (Channel, Heard) {
    let heard = Heard::default();
    let channel = Channel::open(name, {
        let heard = Rc::clone(&heard);
        move |message| heard.borrow_mut().push(message)
    });
    (channel.expect("browsers have channels"), heard)
}

#[wasm_bindgen_test]
async fn all_but_the_sender_hear_in_order() {
    let name = unique("channel");
    let ((a, heard_a), (_b, heard_b), (_c, heard_c)) = (end(&name), end(&name), end(&name));
    let mute = Channel::speaking_only(&name).expect("browsers have channels");
    for message in [&b"one"[..], b""] {
        a.send(message);
    }
    settle().await;
    mute.send(b"three");
    settle().await;
    let all = [b"one".to_vec(), vec![], b"three".to_vec()];
    assert_eq!((heard_a.take(), heard_b.take(), heard_c.take()), (vec![b"three".to_vec()], all.to_vec(), all.to_vec()));
}

#[wasm_bindgen_test]
async fn what_is_not_bytes_is_ignored() {
    let name = unique("strange");
    let (_end, heard) = end(&name);
    script(
        "(name) => {
            const channel = new BroadcastChannel(name);
            for (const strange of ['text', 7, null, { length: 3 }, [1, 2, 3]]) channel.postMessage(strange);
            channel.postMessage(new Uint8Array([9]));
        }",
        name.as_str(),
    );
    settle().await;
    assert_eq!(heard.take(), [[9]]);
}
