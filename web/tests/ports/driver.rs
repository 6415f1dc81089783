//! The driver keeps the engine's contract: one input, all outputs, in order, and the answer to each.

use super::unique;
use causeway::engine::Engine;
use causeway::io::{
    Computation, HttpFailure, HttpRequest, Input, LoadId, Method, Millis, Output, RequestId, SocketId, StopReason,
    StoreFailure, TransactionId, UnixMillis,
};
use causeway::store::changes::{Change, Query, Table};
use causeway::view::{Action, Command, News, Started, Update};
use causeway_web::driver::{self, Computing, Inputs, Machine};
use causeway_web::port::{clock, idb::Store, rng};
use futures::channel::oneshot;
use futures::future::{Either, select};
use rand_core::CryptoRng;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::pin;
use std::rc::Rc;
use wasm_bindgen_test::wasm_bindgen_test;

/// What a scripted machine does on an input. It is idle after the last output unless it says when to be woken.
type Reaction = Box<dyn FnMut(&Input) -> Vec<Output>>;

pub(super) struct Scripted {
    react: Reaction,
    waiting: VecDeque<Output>,
    idle: bool,
}

impl Scripted {
    pub(super) fn new(react: impl FnMut(&Input) -> Vec<Output> + 'static) -> Self {
        Self { react: Box::new(react), waiting: VecDeque::new(), idle: true }
    }
}

impl Machine for Scripted {
    fn handle(&mut self, input: Input, _: UnixMillis, _: &mut dyn CryptoRng) {
        assert!(self.idle, "an input before the outputs of the last one were drained");
        self.idle = false;
        self.waiting.extend((self.react)(&input));
    }

    fn compute(computation: Computation) -> Computing {
        Box::pin(async move { computation.run() })
    }

    fn poll(&mut self) -> Output {
        let next = self.waiting.pop_front().unwrap_or(Output::Idle(None));
        self.idle = matches!(next, Output::Idle(_));
        next
    }
}

/// The engine, which computes at once.
struct Whole(Engine);

impl Machine for Whole {
    fn handle(&mut self, input: Input, now: UnixMillis, rng: &mut dyn CryptoRng) {
        self.0.handle(input, now, rng);
    }

    fn poll(&mut self) -> Output {
        self.0.poll()
    }

    fn compute(computation: Computation) -> Computing {
        Scripted::compute(computation)
    }
}

/// Runs the script to its stop; returns the inputs that it got.
async fn drive(
    store: Rc<Store>,
    inputs: Inputs,
    mut react: impl FnMut(&Input) -> Vec<Output> + 'static,
) -> Vec<String> {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let machine = Scripted::new({
        let heard = Rc::clone(&heard);
        move |input| {
            heard.borrow_mut().push(format!("{input:?}"));
            react(input)
        }
    });
    let mut rng = rng::open().expect("random");
    driver::run(machine, inputs, store, &mut rng, |_| ()).await;
    heard.take()
}

async fn store() -> Rc<Store> {
    Rc::new(Store::open(&unique("driver")).await.expect("the store opens"))
}

const STOP: Output = Output::Stop(StopReason::Superseded);

#[wasm_bindgen_test]
async fn what_is_committed_can_be_loaded() {
    let heard = drive(store().await, Inputs::default(), |input| match input {
        Input::Started => {
            vec![Output::Commit(TransactionId(7), vec![Change::Put(Table::Chat, b"k".to_vec(), b"v".to_vec())])]
        }
        Input::Committed(TransactionId(7)) => {
            vec![Output::Load(LoadId(8), vec![Query::Get(Table::Chat, b"k".to_vec())])]
        }
        _ => vec![STOP],
    })
    .await;
    let loaded = Input::Loaded(LoadId(8), Ok(vec![vec![(b"k".to_vec(), b"v".to_vec())]]));
    assert_eq!(heard, ["Started".into(), format!("{:?}", Input::Committed(TransactionId(7))), format!("{loaded:?}")]);
}

#[wasm_bindgen_test]
async fn a_superseded_engine_hears_it() {
    let name = unique("superseded");
    let older = Rc::new(Store::open(&name).await.expect("the store opens"));
    let _newer = Store::open(&name).await.expect("the store opens");
    let heard = drive(older, Inputs::default(), |input| match input {
        Input::Started => vec![Output::Commit(TransactionId(1), vec![Change::Clear(Table::Chat)])],
        _ => vec![STOP],
    })
    .await;
    assert_eq!(heard[1], format!("{:?}", Input::Aborted(TransactionId(1), StoreFailure::Superseded)));
}

#[wasm_bindgen_test]
async fn requests_and_sockets_that_fail_are_answered() {
    let heard = drive(store().await, Inputs::default(), {
        let mut answers = 0;
        move |input| match input {
            Input::Started => vec![
                Output::Connect(SocketId(3), "mailto:nobody".into()),
                Output::Transmit(SocketId(3), b"lost".to_vec()),
                Output::Request(
                    RequestId(4),
                    HttpRequest {
                        method: Method::Get,
                        url: "http://causeway.invalid/".into(),
                        form: None,
                        max_answer: 1,
                    },
                ),
            ],
            _ => {
                answers += 1;
                if answers == 2 { vec![STOP] } else { vec![] }
            }
        }
    })
    .await;
    let unreachable = Input::Answered(RequestId(4), Err(HttpFailure::Unreachable));
    assert_eq!(heard[0], "Started");
    for answer in [format!("{:?}", Input::Closed(SocketId(3))), format!("{unreachable:?}")] {
        assert!(heard[1..].contains(&answer), "{answer} in {heard:?}");
    }
}

#[wasm_bindgen_test]
async fn time_passes_when_the_engine_asked_for_it_and_commands_come_in_order() {
    let inputs = Inputs::default();
    let say = inputs.sender();
    for tag in [5, 6] {
        say(Input::Command(Command { tag, action: None, ..Command::default() }));
    }
    let until = clock::now().after(Millis(120));
    let heard = drive(store().await, inputs, move |input| match input {
        Input::Elapsed if clock::now() >= until => vec![STOP],
        _ => vec![Output::Update(News::Started(Started { engine: 1 }).into()), Output::Idle(Some(until))],
    })
    .await;
    assert_eq!(heard[0], "Started");
    assert!(heard[1].contains("tag: 5") && heard[2].contains("tag: 6"), "{heard:?}");
    assert!(heard[3..].iter().all(|input| input == "Elapsed"), "{heard:?}");
    assert!(clock::now() >= until);
}

/// Runs a real engine until it has carried out one command; returns all of its updates.
pub(super) async fn drive_engine(engine: Engine, store: Store, action: Action) -> Vec<News> {
    let inputs = Inputs::default();
    let say = inputs.sender();
    let (heard, (ended, end)) = (Rc::new(RefCell::new(Vec::new())), oneshot::channel());
    let ended = Cell::new(Some(ended));
    let tell = {
        let heard = Rc::clone(&heard);
        move |update: Update| {
            match &update.news {
                // Before that, nobody listens.
                Some(News::Started(_)) => {
                    say(Input::Command(Command { tag: 1, action: Some(action.clone()), ..Command::default() }))
                }
                Some(News::Done(done)) if done.tag == 1 => {
                    ended.take().map(|ended| ended.send(()));
                }
                _ => {}
            }
            heard.borrow_mut().extend(update.news);
        }
    };
    let mut rng = rng::open().expect("random");
    let run = pin!(driver::run(Whole(engine), inputs, Rc::new(store), &mut rng, tell));
    assert!(matches!(select(run, end).await, Either::Right((Ok(()), _))), "the engine stopped");
    heard.take()
}
