// What is seen: the island, the sea, and bodies in as many draw calls as there are kinds.

import {
  CircleGeometry,
  Color,
  CylinderGeometry,
  DirectionalLight,
  DynamicDrawUsage,
  Fog,
  HemisphereLight,
  InstancedMesh,
  Matrix4,
  Mesh,
  MeshBasicMaterial,
  MeshLambertMaterial,
  PCFShadowMap,
  PerspectiveCamera,
  Quaternion,
  RingGeometry,
  RoundedBoxGeometry,
  Scene,
  SphereGeometry,
  Vector3,
  WebGLRenderer,
} from './vendor/three.js';
import { DAY, NIGHT, TINTS } from './palette.js';

/** @typedef {import('./protocol.js').Welcome} Welcome */
/** @typedef {import('./protocol.js').Static} Static */
/** @typedef {import('./protocol.js').Kind} Kind */
/** @typedef {[number, number, number]} Point */
/** @typedef {[number, number, number, number]} Turn */
/** @typedef {(palette: import('./palette.js').Palette) => void} Painter */

const SEA_LEVEL = -2.6;
/** How finely is drawn, from the best on: pixels for each of the page's, at most, and the width of shadows' map. */
const QUALITIES = [
  { pixels: 2, shadows: 2048 },
  { pixels: 1, shadows: 2048 },
  { pixels: 0.75, shadows: 1024 },
  { pixels: 0.5, shadows: 1024 },
];
/** It is looked at for so long, and drawn more coarsely where a picture took longer than it may: seconds. */
const LOOKED_AT = 0.8;
const SLOW = 1 / 32;
/** The most bodies of one kind. */
const MOST = 320;
const SUN = new Vector3(-16, 30, 13);
const ONE = new Vector3(1, 1, 1);

export class Stage {
  #renderer;
  #scene = new Scene();
  #camera = new PerspectiveCamera(46, 1, 0.5, 260);
  #sun = new DirectionalLight();
  #sky = new HemisphereLight();
  /** What gives everything its colours, by day or by night. @type {Painter[]} */
  #painters = [];
  /** For each kind: its bodies, and the stripes that show how balls turn. @type {{ bodies: InstancedMesh, stripes?: InstancedMesh, tints: Color[] }[]} */
  #kinds = [];
  #island = /** @type {Mesh[]} */ ([]);
  /** What the camera looks at, which follows the ball softly. */
  #focus = new Vector3(0, 1, 0);
  #marker;
  #quality = 0;
  /** Pictures since the quality was looked at, and their seconds. */
  #drawn = { pictures: 0, seconds: 0 };
  #scratch = { matrix: new Matrix4(), position: new Vector3(), turn: new Quaternion() };

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#renderer = new WebGLRenderer({ canvas, antialias: true, powerPreference: 'high-performance' });
    this.#renderer.shadowMap.enabled = true;
    this.#renderer.shadowMap.type = PCFShadowMap;
    const fog = new Fog(0, 46, 150);
    this.#scene.fog = fog;
    this.#scene.background = new Color();
    this.#sun.castShadow = true;
    this.#sun.shadow.radius = 4;
    this.#sun.shadow.normalBias = 0.05;
    const box = this.#sun.shadow.camera;
    [box.left, box.right, box.top, box.bottom, box.near, box.far] = [-30, 30, 30, -30, 1, 90];
    this.#scene.add(this.#sun, this.#sun.target, this.#sky);
    this.#painters.push((palette) => {
      /** @type {Color} */ (this.#scene.background).set(palette.sky);
      fog.color.set(palette.sky);
      this.#sun.color.set(palette.sun);
      this.#sun.intensity = palette.sunPower;
      this.#sky.color.set(palette.above);
      this.#sky.groundColor.set(palette.below);
      this.#sky.intensity = palette.ambient;
    });
    this.#sea();
    this.#marker = this.#ring(0.82, 0.94, 48, 'foam', 0.75);
    this.#marker.visible = false;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', () => this.#paint(dark.matches));
    this.#paint(dark.matches);
    addEventListener('resize', () => this.#fit());
    this.#fit();
  }

  /**
   * Builds what the server has.
   * @param {Welcome} welcome
   */
  build(welcome) {
    for (const mesh of this.#island) {
      this.#scene.remove(mesh);
      mesh.geometry.dispose();
    }
    for (const { bodies, stripes } of this.#kinds) {
      this.#scene.remove(bodies);
      if (stripes) this.#scene.remove(stripes);
    }
    this.#island = welcome.statics.map((fixed) => this.#static(fixed));
    this.#kinds = welcome.kinds.map((kind, index) => this.#kind(kind, index));
    this.#paint(matchMedia('(prefers-color-scheme: dark)').matches);
  }

  /** Begins a new picture: no bodies yet. */
  clear() {
    for (const { bodies, stripes } of this.#kinds) {
      bodies.count = 0;
      if (stripes) stripes.count = 0;
    }
  }

  /**
   * @param {number} kind
   * @param {number} tint
   * @param {Point} position
   * @param {Turn} turn
   */
  body(kind, tint, position, turn) {
    const known = this.#kinds[kind];
    if (!known || known.bodies.count === MOST) return;
    const { matrix, position: place, turn: rotation } = this.#scratch;
    matrix.compose(place.set(...position), rotation.set(...turn), ONE);
    const index = known.bodies.count++;
    known.bodies.setMatrixAt(index, matrix);
    known.bodies.setColorAt(index, known.tints[tint % known.tints.length]);
    if (known.stripes) known.stripes.setMatrixAt(known.stripes.count++, matrix);
  }

  /**
   * Draws. The camera follows `own`, where it is known.
   * @param {Point | undefined} own
   * @param {number} yaw
   * @param {number} pitch
   * @param {number} seconds since the last picture
   */
  draw(own, yaw, pitch, seconds) {
    const aim = this.#scratch.position.set(...(own ?? /** @type {Point} */ ([0, 1, 0])));
    // What falls into the sea is not followed there.
    aim.y = Math.max(aim.y, -0.6) * 0.7 + 0.9;
    const far = this.#focus.distanceTo(aim) > 12;
    this.#focus.lerp(aim, far ? 1 - Math.exp(-3.2 * seconds) : 1 - Math.exp(-7.5 * seconds));
    const narrow = this.#camera.aspect < 0.8;
    const distance = own ? (narrow ? 19 : 15.5) : 50;
    const [x, y, z] = [Math.sin(yaw) * Math.cos(pitch), Math.sin(pitch), Math.cos(yaw) * Math.cos(pitch)];
    this.#camera.position.set(x, y, z).multiplyScalar(distance).add(this.#focus);
    this.#camera.position.y = Math.max(this.#camera.position.y, 0.6);
    this.#camera.lookAt(this.#focus);
    // Shadows are sharp where one looks. In whole steps, so that their edges do not swim.
    this.#sun.target.position.set(Math.round(this.#focus.x / 2) * 2, 0, Math.round(this.#focus.z / 2) * 2);
    this.#sun.position.copy(this.#sun.target.position).add(SUN);
    this.#marker.visible = own !== undefined && own[1] > 0.2;
    if (own) this.#marker.position.set(own[0], Math.max(0.03, own[1] - 0.57), own[2]);
    for (const { bodies, stripes } of this.#kinds) {
      bodies.instanceMatrix.needsUpdate = true;
      if (bodies.instanceColor) bodies.instanceColor.needsUpdate = true;
      if (stripes) stripes.instanceMatrix.needsUpdate = true;
    }
    this.#renderer.render(this.#scene, this.#camera);
    this.#judge(seconds);
  }

  /**
   * A machine that is slow gets fewer pixels, not fewer pictures.
   * @param {number} seconds
   */
  #judge(seconds) {
    this.#drawn.pictures += 1;
    this.#drawn.seconds += seconds;
    if (this.#drawn.seconds < LOOKED_AT) return;
    const slow = this.#drawn.seconds / this.#drawn.pictures > SLOW;
    this.#drawn = { pictures: 0, seconds: 0 };
    if (!slow || this.#quality === QUALITIES.length - 1) return;
    this.#quality += 1;
    this.#fit();
  }

  /** @param {Static} fixed */
  #static(fixed) {
    const material = new MeshLambertMaterial({ flatShading: fixed.form === 'octagon' });
    /** @type {Mesh} */
    let mesh;
    if (fixed.form === 'octagon') {
      // Of a regular octagon the corners are farther out than the sides.
      const out = 1 / Math.cos(Math.PI / 8);
      mesh = new Mesh(new CylinderGeometry(fixed.above * out, fixed.below * out, fixed.height, 8), material);
      mesh.rotation.y = Math.PI / 8;
      mesh.position.set(fixed.top[0], fixed.top[1] - fixed.height / 2, fixed.top[2]);
    } else {
      const [x, y, z] = fixed.half;
      mesh = new Mesh(new RoundedBoxGeometry(2 * x, 2 * y, 2 * z, 2, Math.min(x, y, z) * 0.4), material);
      mesh.position.set(...fixed.middle);
      mesh.rotation.set(-fixed.pitch, fixed.yaw, 0, 'YXZ');
    }
    mesh.castShadow = fixed.tone !== 'ground' && fixed.tone !== 'rock';
    mesh.receiveShadow = true;
    this.#painters.push((palette) => material.color.set(palette.tones[fixed.tone]));
    this.#scene.add(mesh);
    return mesh;
  }

  /**
   * @param {Kind} kind
   * @param {number} index
   */
  #kind(kind, index) {
    const material = new MeshLambertMaterial();
    const tints = (TINTS[index] ?? [0xffffff]).map((tint) => new Color(tint));
    if (kind.shape === 'ball') {
      const bodies = this.#instances(new SphereGeometry(kind.radius, 32, 20), material);
      const band = new SphereGeometry(kind.radius * 1.006, 40, 6, 0, 2 * Math.PI, Math.PI / 2 - 0.17, 0.34);
      const stripes = this.#instances(band, new MeshLambertMaterial({ color: index === 0 ? 0xfffaf0 : 0xfff3df }));
      stripes.castShadow = false;
      return { bodies, stripes, tints };
    }
    const [x, y, z] = kind.half;
    const bodies = this.#instances(new RoundedBoxGeometry(2 * x, 2 * y, 2 * z, 3, Math.min(x, y, z) * 0.16), material);
    return { bodies, tints };
  }

  /**
   * @param {SphereGeometry | RoundedBoxGeometry} geometry
   * @param {MeshLambertMaterial} material
   */
  #instances(geometry, material) {
    const mesh = new InstancedMesh(geometry, material, MOST);
    mesh.instanceMatrix.setUsage(DynamicDrawUsage);
    mesh.castShadow = true;
    mesh.receiveShadow = true;
    // They are all over the place.
    mesh.frustumCulled = false;
    mesh.count = 0;
    this.#scene.add(mesh);
    return mesh;
  }

  #sea() {
    const sea = new MeshBasicMaterial();
    const water = new Mesh(new CircleGeometry(240, 48), sea);
    water.rotation.x = -Math.PI / 2;
    water.position.y = SEA_LEVEL;
    this.#scene.add(water);
    this.#painters.push((palette) => sea.color.set(palette.sea));
    // Shallows and foam about the islands, and lines on the ground.
    for (const [z, rock] of [[0, 22.2], [-37, 5.4]]) {
      const out = 1 / Math.cos(Math.PI / 8);
      for (const [inner, outer, colour, share, y] of /** @type {[number, number, 'shallows' | 'foam', number, number][]} */ ([
        [rock - 4, rock + 3.4, 'shallows', 0.55, 0.01],
        [rock - 4, rock + 1.1, 'shallows', 0.8, 0.02],
        [rock - 5, rock - 2.1, 'foam', 0.85, 0.03],
      ])) {
        const ring = this.#ring(inner * out, outer * out, 8, colour, share);
        ring.position.set(0, SEA_LEVEL + y, z);
      }
    }
    const line = this.#ring(16.86, 17, 96, 'mark', 1);
    line.position.y = 0.02;
    const inner = this.#ring(8.2, 8.32, 96, 'mark', 1);
    inner.position.y = 0.02;
  }

  /**
   * @param {number} inner
   * @param {number} outer
   * @param {number} segments
   * @param {'shallows' | 'foam' | 'mark'} colour
   * @param {number} opacity
   */
  #ring(inner, outer, segments, colour, opacity) {
    const material = new MeshBasicMaterial({ transparent: opacity < 1, opacity, depthWrite: opacity === 1 });
    const ring = new Mesh(new RingGeometry(inner, outer, segments, 1, segments === 8 ? Math.PI / 8 : 0), material);
    ring.rotation.x = -Math.PI / 2;
    this.#painters.push((palette) => material.color.set(palette[colour]));
    this.#scene.add(ring);
    return ring;
  }

  /** @param {boolean} dark */
  #paint(dark) {
    for (const painter of this.#painters) painter(dark ? NIGHT : DAY);
  }

  #fit() {
    const { pixels, shadows } = QUALITIES[this.#quality];
    if (this.#sun.shadow.mapSize.x !== shadows) {
      this.#sun.shadow.mapSize.set(shadows, shadows);
      this.#sun.shadow.map?.dispose();
      this.#sun.shadow.map = null;
    }
    this.#renderer.setPixelRatio(Math.min(devicePixelRatio, pixels));
    this.#renderer.setSize(innerWidth, innerHeight, false);
    this.#camera.aspect = innerWidth / innerHeight;
    this.#camera.updateProjectionMatrix();
  }
}
