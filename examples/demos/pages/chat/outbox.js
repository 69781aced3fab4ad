// What was written and not accepted yet. It outlives the page, so that nothing is lost by a reload.

/** @typedef {{ seq: number, room: string, text: string }} Draft */

export class Outbox {
  /** @type {Draft[]} */
  #drafts;
  #storage;
  #key;

  /**
   * @param {Storage} storage
   * @param {string} key Of this tab: each has messages of its own.
   */
  constructor(storage, key) {
    this.#storage = storage;
    this.#key = key;
    this.#drafts = JSON.parse(storage.getItem(key) ?? '[]');
  }

  /**
   * What waits for this room.
   * @param {string} room
   */
  of(room) {
    return this.#drafts.filter((draft) => draft.room === room);
  }

  /** @param {Draft} draft */
  add(draft) {
    this.#drafts.push(draft);
    this.#save();
  }

  /**
   * It was accepted, or never will be.
   * @param {string} room
   * @param {number} seq
   */
  remove(room, seq) {
    this.#drafts = this.#drafts.filter((draft) => draft.room !== room || draft.seq !== seq);
    this.#save();
  }

  #save() {
    this.#storage.setItem(this.#key, JSON.stringify(this.#drafts));
  }
}
