// The figures, and how the connection stands.

/** @typedef {import('./protocol.js').Pong} Pong */
/** @typedef {import('/shared/socket.js').Status} Status */

/** What each field shows while nothing is known. */
const NOTHING = '–';

export class Panel {
  /** Milliseconds, the mean of the last few. */
  roundTrip = 0;
  /** What is on the wire of what is in it. */
  ratio = 0;
  /** On the wire, in a second. */
  bytesASecond = 0;
  players = 0;
  /** Since the connection began: bytes of messages, and what they were on the wire. */
  totals = { payload: 0, wire: 0 };
  /** @type {{ at: number, pong: Pong } | undefined} */
  #last;
  /** @type {Status} */
  #status = 'connecting';

  constructor() {
    const panel = /** @type {HTMLDetailsElement} */ (find('panel'));
    panel.open = innerWidth > 720;
  }

  /** @param {Status} status */
  status(status) {
    this.#status = status;
    find('dot').dataset.status = status;
    if (status === 'open') return;
    this.#last = undefined;
    this.roundTrip = 0;
    for (const id of ['trip', 'rate', 'ratio', 'players']) find(id).textContent = NOTHING;
    find('brief').textContent = status === 'waiting' ? 'Reconnecting' : 'Connecting';
  }

  /**
   * @param {Pong} pong
   * @param {number} trip milliseconds
   */
  pong(pong, trip) {
    const at = performance.now();
    if (this.#status !== 'open') return;
    this.roundTrip = this.roundTrip ? this.roundTrip * 0.6 + trip * 0.4 : trip;
    this.players = pong.players;
    this.totals = { payload: pong.payload, wire: pong.wire };
    if (this.#last) {
      const wire = pong.wire - this.#last.pong.wire;
      this.bytesASecond = (wire / (at - this.#last.at)) * 1000;
      const payload = pong.payload - this.#last.pong.payload;
      this.ratio = payload ? wire / payload : 1;
      find('rate').textContent = `${(this.bytesASecond / 1000).toFixed(1)} kB/s`;
      find('ratio').textContent = `${Math.round(this.ratio * 100)} %`;
    }
    this.#last = { at, pong };
    const shown = `${this.roundTrip < 10 ? this.roundTrip.toFixed(1) : Math.round(this.roundTrip)} ms`;
    find('trip').textContent = shown;
    find('brief').textContent = shown;
    find('players').textContent = String(pong.players);
    find('tick').textContent = pong.tick.toLocaleString('en');
  }
}

/** @param {string} id */
function find(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}
