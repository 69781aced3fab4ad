// A WebSocket that comes back: after the server was away, and when the machine wakes up or is online again.

/**
 * How the connection stands: it is being made, it is there, or it is waited until the next attempt.
 * @typedef {'connecting' | 'open' | 'waiting'} Status
 */

/**
 * @typedef {object} Handlers
 * @property {() => void} [onopen] Each time that there is a new connection: say who you are, and what you have seen.
 * @property {(data: string | ArrayBuffer) => void} [onmessage]
 * @property {(status: Status) => void} [onstatus]
 */

/** The first wait; it doubles, with chance, up to the longest. Milliseconds. */
const FIRST_WAIT = 250;
const LONGEST_WAIT = 8000;
/** A connection that lived for so long was a good one: the next wait is short again. */
const GOOD_AFTER = 5000;

export class Socket {
  /** @type {WebSocket | undefined} */
  #socket;
  #wait = FIRST_WAIT;
  /** @type {number | undefined} */
  #timer;
  #stopped = false;
  /** @type {Handlers} */
  #handlers;

  /**
   * Connects to this path of the page's own server, and goes on doing so.
   * @param {string} path
   * @param {Handlers} handlers
   */
  constructor(path, handlers) {
    this.url = new URL(path, location.href.replace(/^http/, 'ws')).href;
    this.#handlers = handlers;
    addEventListener('online', () => this.#hurry());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#hurry();
    });
    this.#connect();
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Bytes that wait to leave. More than a little: the network is slower than what is sent. */
  get unsent() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** The names of the extensions in use, such as compression. */
  get extensions() {
    return this.#socket?.extensions ?? '';
  }

  /**
   * Sends, where there is a connection. What must not be lost is kept by the caller and sent again from `onopen`.
   * @param {string | ArrayBuffer | ArrayBufferView<ArrayBuffer>} data
   * @returns {boolean} was it handed to the connection?
   */
  send(data) {
    if (!this.#socket || !this.isOpen) return false;
    this.#socket.send(data);
    return true;
  }

  /** Ends the connection for good. */
  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#handlers.onstatus?.('connecting');
    const socket = new WebSocket(this.url);
    let opened = 0;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      opened = performance.now();
      this.#handlers.onstatus?.('open');
      this.#handlers.onopen?.();
    };
    socket.onmessage = ({ data }) => this.#handlers.onmessage?.(data);
    socket.onclose = () => {
      if (this.#socket !== socket || this.#stopped) return;
      if (opened && performance.now() - opened > GOOD_AFTER) this.#wait = FIRST_WAIT;
      this.#handlers.onstatus?.('waiting');
      // Not all pages at once, behind a restart of the server.
      this.#timer = setTimeout(() => this.#connect(), this.#wait * (0.5 + Math.random()));
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
    };
    this.#socket = socket;
  }

  /** There is a reason to try now. */
  #hurry() {
    if (this.#timer !== undefined) {
      this.#wait = FIRST_WAIT;
      this.#connect();
    }
  }
}
