// A person plays a phone: everything goes through the sandbox's control API, and the phone itself is a real client.
'use strict';

/** @type {(id: string) => any} */
const at = (id) => document.getElementById(id);
const TICKS = {
  queued: ['…', 'waiting'], sending: ['…', 'sending'], sent: ['✓', 'sent'], delivered: ['✓✓', 'delivered'],
  read: ['✓✓', 'read'], failed: ['!', 'not sent'],
};
const NOTES = {
  waiting: 'Waiting for this message. The sender has been asked for it again.',
  unsupported: 'A kind of message that this phone cannot show.',
  identity_changed: 'The security code with this person has changed.',
};

let phone = null; // its summary
let chat = null; // the other side's JID
let names = new Map(); // JID to what people call them
let entries = new Map(); // id and direction to entry
let turn = 0; // rises when another phone is chosen: old polls then end

async function call(method, path, body) {
  const answer = await fetch('/control' + path, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  const value = text ? JSON.parse(text) : null;
  if (!answer.ok) throw new Error(value?.error ?? `The sandbox answered ${answer.status}.`);
  return value;
}

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

const say = (text) => { at('status').textContent = text; };
const nameOf = (jid) => names.get(jid) ?? jid.split('@')[0];
const attempt = (action) => async (event) => {
  event?.preventDefault();
  try { await action(event); } catch (error) { say(error.message); }
};

async function showPhones() {
  const [phones, users] = await Promise.all([call('GET', '/phones'), call('GET', '/users')]);
  names = new Map(users.map((user) => [user.jid, user.identifier ?? user.name ?? user.jid.split('@')[0]]));
  at('phones').replaceChildren(...phones.map((one) => {
    const button = element('button', `${one.name} · +${one.number}`, { type: 'button' });
    if (phone?.number === one.number) { phone = one; button.setAttribute('aria-current', 'true'); }
    button.addEventListener('click', attempt(() => choose(one)));
    const item = element('li', '');
    item.append(button);
    return item;
  }));
  if (phone) {
    at('switches').hidden = false;
    at('flight').setAttribute('aria-pressed', String(!phone.wants_connection));
  }
}

async function choose(one) {
  phone = one;
  chat = null;
  entries = new Map();
  turn += 1;
  history.replaceState(null, '', `#${one.number}`);
  await showPhones();
  show();
  follow(turn);
}

async function follow(mine) {
  let since = 0;
  let wait = 0;
  while (mine === turn) {
    let news;
    try {
      news = await call('GET', `/phones/${phone.number}/messages?since=${since}&wait_ms=${wait}`);
    } catch {
      say('The sandbox cannot be reached; trying again.');
      await new Promise((done) => setTimeout(done, 1000));
      continue;
    }
    if (mine !== turn) return;
    since = news.version;
    wait = 25000;
    for (const entry of news.messages) entries.set(`${entry.from_me}${entry.id}`, entry);
    say(news.connected ? `+${phone.number} is connected.` : `+${phone.number} is not connected.`);
    show();
    const unread = [...entries.values()].some((entry) => !entry.from_me && entry.chat === chat && entry.state === 'received');
    if (unread && document.visibilityState === 'visible') await attempt(markRead)();
  }
}

const markRead = () => call('POST', `/phones/${phone.number}/read`, { from: chat });

function show() {
  const all = [...entries.values()];
  const chats = [...new Set(all.map((entry) => entry.chat))];
  if (chat && !chats.includes(chat)) chats.push(chat);
  at('chats').replaceChildren(...chats.map((jid) => {
    const unread = all.filter((entry) => entry.chat === jid && !entry.from_me && entry.state === 'received').length;
    const button = element('button', nameOf(jid) + (unread ? ` (${unread} new)` : ''), { type: 'button' });
    if (jid === chat) button.setAttribute('aria-current', 'true');
    button.addEventListener('click', attempt(() => open(jid)));
    const item = element('li', '');
    item.append(button);
    return item;
  }));
  at('chat-title').textContent = chat ? nameOf(chat) : 'No chat open';
  at('write').hidden = !chat;
  const list = at('messages');
  const following = list.scrollTop + list.clientHeight >= list.scrollHeight - 40;
  list.replaceChildren(...all.filter((entry) => entry.chat === chat).map(line));
  if (following) list.scrollTop = list.scrollHeight;
}

function line(entry) {
  if (entry.kind !== 'text') return element('li', NOTES[entry.kind], { class: 'note' });
  const item = element('li', entry.text, { class: entry.from_me ? 'mine' : 'theirs' });
  const time = new Date(entry.t * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const small = element('small', time);
  if (entry.from_me) {
    const [mark, meaning] = TICKS[entry.state];
    const why = entry.error ? `${meaning} (error ${entry.error})` : meaning;
    small.append(' ', element('span', mark, { role: 'img', 'aria-label': why, title: why, class: entry.state }));
  }
  item.append(small);
  return item;
}

async function open(jid) {
  chat = jid;
  show();
  at('text').focus();
  await markRead();
}

at('make').addEventListener('submit', attempt(async (event) => {
  const made = await call('POST', '/phones', { number: new FormData(event.target).get('number') });
  event.target.reset();
  await choose(made);
}));

at('start').addEventListener('submit', attempt(async (event) => {
  if (!phone) throw new Error('Choose a phone first.');
  const wanted = String(new FormData(event.target).get('to')).trim();
  const digits = wanted.replace(/[^0-9]/g, '');
  await showPhones();
  const known = [...names].find(([jid, name]) => jid === wanted || name === wanted);
  const number = /^[+0-9 ()-]+$/.test(wanted) && digits.length >= 5;
  if (!known && !number) throw new Error(`Nobody is known as ${wanted}.`);
  event.target.reset();
  await open(known ? known[0] : `${digits}@s.whatsapp.net`);
}));

at('write').addEventListener('submit', attempt(async () => {
  const text = at('text').value.trim();
  if (!text) return;
  await call('POST', `/phones/${phone.number}/send`, { to: chat, text });
  at('text').value = '';
}));

at('text').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    at('write').requestSubmit();
  }
});

at('flight').addEventListener('click', attempt(async () => {
  await call('POST', `/phones/${phone.number}/${phone.wants_connection ? 'offline' : 'online'}`);
  await showPhones();
}));

at('reinstall').addEventListener('click', attempt(async () => {
  if (!confirm('New keys and no history, as after reinstalling the app. Go on?')) return;
  await call('POST', `/phones/${phone.number}/reinstall`);
  await choose(phone);
}));

attempt(async () => {
  await showPhones();
  const wanted = location.hash.slice(1);
  const found = (await call('GET', '/phones')).find((one) => one.number === wanted);
  if (found) await choose(found);
})();
