// The page: shows where everybody points, and tells where we do.
import { Socket } from '/shared/socket.js';
import { Track } from '/track.js';

/**
 * @typedef {{ name: string, colour: number, simulated: boolean }} Look
 * @typedef {{ look: Look, track: Track }} Pointer
 * @typedef {{ x: number, y: number, size: number, colour: string, name: string, simulated: boolean }} Label
 * @typedef {{ type: 'welcome', you: number, people: [number, Look][] } | { type: 'here' | 'looks', slot: number, look: Look }
 *   | { type: 'gone', slot: number } | { type: 'full' }} FromServer
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
const field = element('field', HTMLCanvasElement);
const pen = /** @type {CanvasRenderingContext2D} */ (field.getContext('2d'));
const nameInput = element('name', HTMLInputElement);
const status = element('status', HTMLOutputElement);

/** Inks that can be told apart on light paper, and the same for the dark. */
const INKS = {
  light: ['#1f5c57', '#9a3d1c', '#3c5a9a', '#8a6a12', '#7a3b76', '#4b7a2a', '#a63352', '#3f4a56'],
  dark: ['#7cc4b5', '#e59a76', '#93b0f0', '#dcbc62', '#d29bd0', '#a8d183', '#f09aae', '#b9c4cf'],
};
const NAMES = ['Ash', 'Briar', 'Clover', 'Fern', 'Heath', 'Ivy', 'Linden', 'Moss', 'Reed', 'Sage', 'Sorrel', 'Thyme'];
const isDark = matchMedia('(prefers-color-scheme: dark)');
const inks = () => (isDark.matches ? INKS.dark : INKS.light);
/** @param {number} colour */
const ink = (colour) => inks()[colour % 8] ?? 'gray';

/** @type {Look} */
const look = {
  name: sessionStorage.getItem('name') ?? NAMES[Math.floor(Math.random() * NAMES.length)] ?? 'Fern',
  colour: Number(sessionStorage.getItem('colour') ?? Math.floor(Math.random() * 8)),
  simulated: false,
};

let you = -1;
/** @type {Map<number, Pointer>} */
const pointers = new Map();
/** Where we point, from 0 to 1. */
let here = { x: 0.5, y: 0.45 };
let moved = false;
let updates = 0;
let frames = 0;

/** @type {Record<string, string>} */
const WORDS = { connecting: 'Connecting…', open: 'Connected', waiting: 'Connection lost, trying again…' };
const socket = new Socket('ws', {
  onopen: () => {
    socket.send(JSON.stringify(look));
    moved = true;
  },
  onmessage: (data) => (typeof data === 'string' ? hear(JSON.parse(data)) : place(new DataView(data))),
  onstatus: (state) => {
    status.dataset.status = state;
    status.textContent = WORDS[state] ?? state;
    if (state !== 'open') you = -1;
  },
});

/** @param {FromServer} told */
function hear(told) {
  switch (told.type) {
    case 'welcome':
      you = told.you;
      pointers.clear();
      told.people.forEach(([slot, of]) => pointers.set(slot, { look: of, track: new Track() }));
      break;
    case 'here':
      pointers.set(told.slot, { look: told.look, track: new Track() });
      break;
    case 'looks': {
      const pointer = pointers.get(told.slot);
      if (pointer) pointer.look = told.look;
      break;
    }
    case 'gone':
      pointers.delete(told.slot);
      break;
    case 'full':
      status.textContent = 'The field is full';
      socket.stop();
  }
  element('here', HTMLElement).textContent = String(pointers.size);
  element('alone', HTMLElement).hidden = pointers.size !== 1;
}

/** @param {DataView} bytes */
function place(bytes) {
  const now = performance.now();
  updates += 1;
  for (let at = 1; at + 6 <= bytes.byteLength; at += 6) {
    const pointer = pointers.get(bytes.getUint16(at));
    pointer?.track.add(now, bytes.getUint16(at + 2) / 65535, bytes.getUint16(at + 4) / 65535);
  }
}

/** @param {number} x @param {number} y */
function point(x, y) {
  here = { x: Math.min(Math.max(x, 0), 1), y: Math.min(Math.max(y, 0), 1) };
  moved = true;
}

/** Not more often than a picture is drawn, at most 60 times a second, and not while the network does not keep up. */
let told = 0;
/** @param {number} now */
function tell(now) {
  if (!moved || you < 0 || socket.unsent > 1024 || now - told < 1000 / 61) return;
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setUint16(0, Math.round(here.x * 65535));
  bytes.setUint16(2, Math.round(here.y * 65535));
  moved = !socket.send(bytes);
  told = now;
}

/** @param {number} now */
function draw(now) {
  frames += 1;
  tell(now);
  const scale = devicePixelRatio;
  const { clientWidth: width, clientHeight: height } = field;
  if (field.width !== Math.round(width * scale) || field.height !== Math.round(height * scale)) {
    field.width = Math.round(width * scale);
    field.height = Math.round(height * scale);
  }
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  const crowded = pointers.size > 40;
  // In a crowd the names of about five, however small the field.
  const reach = 1.25 * Math.sqrt((width * height) / pointers.size);
  const own = { x: here.x * width, y: here.y * height };
  /** @type {Label[]} */
  const labels = [];
  for (const [slot, { look: of, track }] of pointers) {
    const at = slot === you ? undefined : track.position(now);
    if (!at) continue;
    const [x, y] = [at.x * width, at.y * height];
    const size = of.simulated && crowded ? 0.75 : 1;
    arrow(x, y, ink(of.colour), size);
    const isNear = Math.hypot(x - own.x, y - own.y) < reach;
    if (!crowded || !of.simulated || isNear) labels.push({ x, y, size, colour: ink(of.colour), name: of.name, simulated: of.simulated });
  }
  arrow(own.x, own.y, ink(look.colour), 1.15);
  labels.sort((one, other) => Number(one.simulated) - Number(other.simulated));
  writeNames([{ ...own, size: 1.15, colour: ink(look.colour), name: look.name, simulated: false }, ...labels], width);
  requestAnimationFrame(draw);
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} colour
 * @param {number} size
 */
function arrow(x, y, colour, size) {
  pen.save();
  pen.translate(x, y);
  pen.scale(size, size);
  pen.beginPath();
  pen.moveTo(0, 0);
  pen.lineTo(5.2, 15.5);
  pen.lineTo(8.2, 8.9);
  pen.lineTo(14.8, 6.2);
  pen.closePath();
  pen.lineJoin = 'round';
  pen.lineWidth = 3;
  pen.strokeStyle = ground;
  pen.stroke();
  pen.fillStyle = colour;
  pen.fill();
  pen.restore();
}

/**
 * Who comes first has the place: where a pointer and its name would lie on others, the name is left out.
 * @param {Label[]} labels
 * @param {number} width of the field
 */
function writeNames(labels, width) {
  /** @type {{ left: number, right: number, top: number, bottom: number }[]} */
  const taken = [];
  pen.lineJoin = 'round';
  pen.lineWidth = 4;
  pen.strokeStyle = ground;
  for (const { x, y, size, colour, name } of labels) {
    pen.font = `600 ${12 * size}px ${sans}`;
    const wide = pen.measureText(name).width;
    const left = Math.min(x + 13 * size, width - wide - 6);
    const place = { left: x, right: left + wide + 4, top: y, bottom: y + 27 * size };
    const isTaken = taken.some((by) => by.left < place.right && place.left < by.right && by.top < place.bottom && place.top < by.bottom);
    if (isTaken) continue;
    taken.push(place);
    pen.fillStyle = colour;
    pen.strokeText(name, left, y + 23 * size);
    pen.fillText(name, left, y + 23 * size);
  }
}

let ground = '';
let sans = '';
function readTokens() {
  const style = getComputedStyle(document.documentElement);
  ground = style.getPropertyValue('--ground');
  sans = style.getPropertyValue('--sans');
  showColours();
}

function showColours() {
  element('colours', HTMLSpanElement).replaceChildren(
    ...inks().map((colour, index) => {
      const label = document.createElement('label');
      const input = document.createElement('input');
      input.type = 'radio';
      input.name = 'colour';
      input.ariaLabel = `Colour ${index + 1}`;
      input.checked = index === look.colour;
      input.style.color = colour;
      input.addEventListener('change', () => change({ colour: index }));
      label.append(input);
      return label;
    }),
  );
}

/** @param {Partial<Look>} what */
function change(what) {
  Object.assign(look, what);
  sessionStorage.setItem('name', look.name);
  sessionStorage.setItem('colour', String(look.colour));
  socket.send(JSON.stringify(look));
}

field.addEventListener('pointerdown', (event) => {
  field.setPointerCapture(event.pointerId);
  point(event.offsetX / field.clientWidth, event.offsetY / field.clientHeight);
});
field.addEventListener('pointermove', (event) => point(event.offsetX / field.clientWidth, event.offsetY / field.clientHeight));

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
field.addEventListener('keydown', (event) => {
  const direction = ARROWS[event.key];
  if (!direction) return;
  event.preventDefault();
  const step = event.shiftKey ? 48 : 12;
  point(here.x + (direction[0] * step) / field.clientWidth, here.y + (direction[1] * step) / field.clientHeight);
});

element('look', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  field.focus();
});
nameInput.addEventListener('change', () => {
  const name = nameInput.value.trim();
  if (name) change({ name });
  nameInput.value = look.name;
});
isDark.addEventListener('change', readTokens);

setInterval(() => {
  element('updates', HTMLElement).textContent = String(updates);
  element('frames', HTMLElement).textContent = String(frames);
  updates = frames = 0;
}, 1000);

nameInput.value = look.name;
readTokens();
requestAnimationFrame(draw);
