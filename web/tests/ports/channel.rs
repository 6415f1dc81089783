//! Every other end gets a message, the sender does not; messages that are not bytes are ignored.

use super::{script, unique};
use causeway_web::port::channel::Channel;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::stream::StreamExt;
use wasm_bindgen_test::wasm_bindgen_test;

type Heard = UnboundedReceiver<Vec<u8>>;

fn end(name: &str) -> (Channel, Heard) {
    let (sender, heard) = unbounded();
    let channel = Channel::open(name, move |message| drop(sender.unbounded_send(message)));
    (channel.expect("browsers have channels"), heard)
}

#[wasm_bindgen_test]
async fn all_but_the_sender_hear_in_order() {
    let name = unique("channel");
    let ((a, mut heard_a), (_b, heard_b), (_c, heard_c)) = (end(&name), end(&name), end(&name));
    let mute = Channel::speaking_only(&name).expect("browsers have channels");
    for message in [&b"one"[..], b""] {
        a.send(message);
    }
    let mut others = [heard_b, heard_c];
    for heard in &mut others {
        assert_eq!(heard.by_ref().take(2).collect::<Vec<_>>().await, [b"one".to_vec(), vec![]]);
    }
    mute.send(b"three");
    for heard in others.iter_mut().chain([&mut heard_a]) {
        assert_eq!(heard.next().await, Some(b"three".to_vec()), "nobody hears what they send");
    }
}

#[wasm_bindgen_test]
async fn what_is_not_bytes_is_ignored() {
    let name = unique("strange");
    let (_end, mut heard) = end(&name);
    script(
        "(name) => {
            const channel = new BroadcastChannel(name);
            for (const strange of ['text', 7, null, { length: 3 }, [1, 2, 3]]) channel.postMessage(strange);
            channel.postMessage(new Uint8Array([9]));
        }",
        name.as_str(),
    );
    assert_eq!(heard.next().await, Some(vec![9]));
}
