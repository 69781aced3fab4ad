// The page: shows a room, and says what is written.
import { Socket } from '/shared/socket.js';
import { Outbox } from '/outbox.js';

/**
 * @typedef {{ author: string, name: string }} Person
 * @typedef {{ id: number, author: string, name: string, seq: number, text: string, at: number }} Said
 * @typedef {{ type: 'welcome', run: string, room: string, you: string, accepted: number, people: Person[], history: Said[], gap: boolean }} Welcome
 * @typedef {Welcome | { type: 'said' } & Said | { type: 'accepted', seq: number } | { type: 'here' } & Person
 *   | { type: 'gone', author: string } | { type: 'typing', author: string, on: boolean }
 *   | { type: 'refused', reason: string, seq: number | null }} FromServer
 */

/**
 * @template {HTMLElement} E
 * @param {string} id
 * @param {new () => E} kind
 */
const element = (id, kind) => {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`no ${id}`);
  return found;
};
const messages = element('messages', HTMLOListElement);
const text = element('text', HTMLTextAreaElement);
const nameInput = element('name', HTMLInputElement);
const roomInput = element('room', HTMLInputElement);
const typingLine = element('typing', HTMLParagraphElement);
const status = element('status', HTMLOutputElement);

/** A tab is an author of its own, whom nobody else can be. */
const token = kept(sessionStorage, 'token', () => crypto.getRandomValues(new Uint32Array(4)).join('-'));
const FIRST_NAMES = ['Ash', 'Briar', 'Clover', 'Fern', 'Heath', 'Ivy', 'Linden', 'Moss', 'Reed', 'Sage', 'Sorrel', 'Thyme'];
let name = kept(localStorage, 'name', () => FIRST_NAMES[Math.floor(Math.random() * FIRST_NAMES.length)] ?? 'Fern');
const rooms = new Set(['commons', 'workshop', 'garden', ...JSON.parse(localStorage.getItem('rooms') ?? '[]')]);
const outbox = new Outbox(sessionStorage, 'outbox');
/** Numbers grow over reloads and restarts. */
let seq = Number(sessionStorage.getItem('seq') ?? Date.now());

let room = asked();
let run = '';
let you = '';
let seen = 0;
/** Has the server let us into this room? */
let entered = false;
/** @type {Map<string, string>} */
let people = new Map();
/** @type {Map<string, ReturnType<typeof setTimeout>>} */
const typing = new Map();
/** What is shown, by author and number: nothing twice, whatever the server has forgotten. @type {Map<string, HTMLLIElement>} */
const shown = new Map();

/** @type {Record<string, string>} */
const WORDS = { connecting: 'Connecting…', open: 'Connected', waiting: 'Connection lost, trying again…' };
const socket = new Socket('ws', {
  onopen: enter,
  onmessage: (data) => hear(JSON.parse(String(data))),
  onstatus: (state) => {
    status.dataset.status = state;
    status.textContent = WORDS[state] ?? state;
    if (state !== 'open') entered = false;
  },
});

function enter() {
  entered = false;
  socket.send(JSON.stringify({ type: 'enter', token, name, room, run, seen }));
}

/** @param {FromServer} told */
function hear(told) {
  switch (told.type) {
    case 'welcome':
      welcome(told);
      break;
    case 'said':
      show(told);
      stopTyping(told.author);
      break;
    case 'accepted':
      outbox.remove(room, told.seq);
      shown.get(`${you} ${told.seq}`)?.classList.remove('waits');
      break;
    case 'here':
      people.set(told.author, told.name);
      showPeople();
      break;
    case 'gone':
      people.delete(told.author);
      stopTyping(told.author);
      showPeople();
      break;
    case 'typing':
      stopTyping(told.author);
      if (told.on) typing.set(told.author, setTimeout(() => stopTyping(told.author), 8000));
      showTyping();
      break;
    case 'refused':
      if (told.seq !== null) {
        outbox.remove(room, told.seq);
        shown.get(`${you} ${told.seq}`)?.remove();
      }
      note(`Not sent: ${told.reason}.`);
  }
}

/** @param {Welcome} told */
function welcome(told) {
  if (told.room !== room) return;
  if (run && run !== told.run) seen = 0;
  ({ run, you } = told);
  entered = true;
  people = new Map(told.people.map((person) => [person.author, person.name]));
  if (told.gap) note('Some messages were missed while you were away.');
  told.history.forEach(show);
  if (!shown.size) note('Nothing was said here yet. Say something, and read it in a second window.');
  // What was written meanwhile, or was not answered.
  for (const draft of outbox.of(room)) {
    showDraft(draft);
    say(draft);
  }
  showPeople();
  messages.scrollTop = messages.scrollHeight;
}

/** @param {import('./outbox.js').Draft} draft */
function say(draft) {
  if (entered) socket.send(JSON.stringify({ type: 'say', seq: draft.seq, text: draft.text }));
}

/** @param {Said} said */
function show(said) {
  seen = Math.max(seen, said.id);
  if (said.author === you) outbox.remove(room, said.seq);
  put(`${said.author} ${said.seq}`, said.author, said.name, said.text, said.at, false);
}

/** @param {import('./outbox.js').Draft} draft */
function showDraft(draft) {
  put(`${you} ${draft.seq}`, you, name, draft.text, Date.now(), true);
}

/**
 * @param {string} key
 * @param {string} author
 * @param {string} by
 * @param {string} words
 * @param {number} at
 * @param {boolean} waits
 */
function put(key, author, by, words, at, waits) {
  const before = shown.get(key);
  if (before) {
    before.classList.toggle('waits', waits && before.classList.contains('waits'));
    return;
  }
  messages.querySelector('.note.empty')?.remove();
  const isAtEnd = messages.scrollHeight - messages.scrollTop - messages.clientHeight < 80;
  const item = document.createElement('li');
  const last = messages.lastElementChild;
  const follows = last instanceof HTMLElement && last.dataset.by === `${author} ${by}` && at - Number(last.dataset.at) < 300_000;
  item.dataset.by = `${author} ${by}`;
  item.dataset.at = String(at);
  item.classList.toggle('mine', author === you);
  item.classList.toggle('waits', waits);
  if (!follows) {
    item.classList.add('first');
    const byline = document.createElement('div');
    byline.className = 'byline';
    const who = document.createElement('b');
    who.textContent = by;
    const time = document.createElement('time');
    time.dateTime = new Date(at).toISOString();
    time.textContent = new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    byline.append(who, time);
    item.append(byline);
  }
  const body = document.createElement('div');
  body.className = 'text';
  body.textContent = words;
  item.append(body);
  messages.append(item);
  shown.set(key, item);
  if (isAtEnd || author === you) messages.scrollTop = messages.scrollHeight;
}

/** @param {string} words */
function note(words) {
  const item = document.createElement('li');
  item.className = shown.size ? 'note' : 'note empty';
  item.textContent = words;
  messages.querySelector('.note.empty')?.remove();
  messages.append(item);
}

function showPeople() {
  const sorted = [...people].sort(([, a], [, b]) => a.localeCompare(b));
  element('count', HTMLSpanElement).textContent = String(sorted.length);
  element('people', HTMLUListElement).replaceChildren(
    ...sorted.map(([author, of]) => {
      const item = document.createElement('li');
      item.textContent = of;
      item.classList.toggle('you', author === you);
      return item;
    }),
  );
  showTyping();
}

/** @param {string} author */
function stopTyping(author) {
  clearTimeout(typing.get(author));
  typing.delete(author);
  showTyping();
}

function showTyping() {
  const names = [...typing.keys()].map((author) => people.get(author) ?? 'somebody');
  const words = names.length > 2 ? 'Several people are writing…' : `${names.join(' and ')} ${names.length > 1 ? 'are' : 'is'} writing…`;
  typingLine.textContent = names.length ? words : '';
}

function showRooms() {
  element('title', HTMLHeadingElement).textContent = room;
  document.title = `${room} · Parlour`;
  element('rooms', HTMLUListElement).replaceChildren(
    ...[...rooms].map((one) => {
      const item = document.createElement('li');
      const link = document.createElement('a');
      link.href = `#${encodeURIComponent(one)}`;
      link.textContent = one;
      if (one === room) link.setAttribute('aria-current', 'page');
      item.append(link);
      return item;
    }),
  );
  showRoom();
}

// On a phone they are in a line that scrolls.
function showRoom() {
  document.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
}

new ResizeObserver(showRoom).observe(element('rooms', HTMLUListElement));

function asked() {
  const wanted = decodeURIComponent(location.hash.slice(1)).trim().toLowerCase().slice(0, 32) || 'commons';
  rooms.add(wanted);
  return wanted;
}

/**
 * @param {Storage} storage
 * @param {string} key
 * @param {() => string} make
 */
function kept(storage, key, make) {
  const value = storage.getItem(key) ?? make();
  storage.setItem(key, value);
  return value;
}

let told = 0;
/** @param {boolean} on */
function tellTyping(on) {
  // Now and then again would be of no use: it is taken as true for some seconds.
  if (!entered || on === told > 0) return;
  clearTimeout(told);
  told = on ? setTimeout(() => tellTyping(false), 5000) : 0;
  socket.send(JSON.stringify({ type: 'typing', on }));
}

element('composer', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  const words = text.value.trim();
  if (!words) return;
  seq += 1;
  sessionStorage.setItem('seq', String(seq));
  const draft = { seq, room, text: words };
  outbox.add(draft);
  showDraft(draft);
  say(draft);
  text.value = '';
  clearTimeout(told);
  told = 0;
  text.focus();
});

text.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    element('composer', HTMLFormElement).requestSubmit();
  }
});
text.addEventListener('input', () => tellTyping(text.value.trim() !== ''));

element('rename', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  nameInput.blur();
});
nameInput.addEventListener('change', () => {
  const wanted = nameInput.value.trim();
  if (wanted && wanted !== name) {
    name = wanted;
    localStorage.setItem('name', name);
    enter();
  }
  nameInput.value = name;
});

element('open', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  if (roomInput.value.trim()) location.hash = encodeURIComponent(roomInput.value.trim().toLowerCase());
  roomInput.value = '';
});

addEventListener('hashchange', () => {
  room = asked();
  localStorage.setItem('rooms', JSON.stringify([...rooms].slice(0, 12)));
  seen = 0;
  shown.clear();
  people.clear();
  messages.replaceChildren();
  showRooms();
  enter();
});

nameInput.value = name;
showRooms();
