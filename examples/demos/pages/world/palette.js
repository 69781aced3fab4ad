// Colours: a sandy island in a calm sea, by day and by night.

/** @typedef {import('./protocol.js').Tone} Tone */

/**
 * @typedef {object} Palette
 * @property {number} sky also where the sea ends
 * @property {number} sea
 * @property {number} shallows
 * @property {number} foam
 * @property {number} mark lines painted on the ground
 * @property {number} sun
 * @property {number} sunPower
 * @property {number} above light from the sky
 * @property {number} below light from the ground
 * @property {number} ambient
 * @property {Record<Tone, number>} tones
 */

/** @type {Palette} */
export const DAY = {
  sky: 0xdcebe9,
  sea: 0x8fc7c9,
  shallows: 0xb4dcd6,
  foam: 0xf2f8f3,
  mark: 0xd2bf97,
  sun: 0xfff1d6,
  sunPower: 2.15,
  above: 0xeaf4f6,
  below: 0xcbb48c,
  ambient: 1.85,
  tones: { ground: 0xeadfc4, rock: 0xc0a683, deck: 0xb7cbbd, trim: 0xf8f4e9, bumper: 0xdc6f4e },
};

/** @type {Palette} */
export const NIGHT = {
  sky: 0x13222c,
  sea: 0x1a3b48,
  shallows: 0x24505c,
  foam: 0x5f8f98,
  mark: 0xa3b1b1,
  sun: 0xffe0b8,
  sunPower: 1.9,
  above: 0xa9cbe4,
  below: 0x4a4a58,
  ambient: 1.6,
  tones: { ground: 0x75868c, rock: 0x4b5963, deck: 0x527f80, trim: 0xb9c6c4, bumper: 0xd9704d },
};

/** Colours of bodies: a row for each kind, a column for each tint. */
export const TINTS = [
  [0xe4572e, 0x1d8a86, 0xf0a81c, 0x6a5acd, 0x3f8fd2, 0xcf4274, 0x6a9a3f, 0x8a4a8f, 0x2b4c8c, 0xf28c6a, 0x3fb28f, 0x4a3f3a],
  [0xc98b4f, 0xd9a368, 0xe7c08b],
  [0x7fa39a, 0x94b5a8, 0x6a9088],
  [0xf4efe2, 0xe9c46a, 0x9fd0c4],
  [0xe98a5b, 0x5aa59c, 0xe6c15a],
  [0xf6f1e4, 0x45566b, 0xdb7354],
];
