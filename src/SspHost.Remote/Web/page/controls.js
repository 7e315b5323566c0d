// The panel's keys and encoders under mouse, finger and keyboard.
const E1 = 0, K1 = 4, LEFT = 12, RIGHT = 13, UP = 14, DOWN = 15, SHIFT_L = 16, SHIFT_R = 17;
const PIXELS_A_DETENT = 8, WHEEL_A_DETENT = 50, SLOP = 4;
const HOLD = 250; // ms after which a finger that rests has pushed

const TURN_KEYS = ["KeyQ", "KeyW", "KeyE", "KeyR", "KeyT", "KeyY", "KeyU", "KeyI"];
const PUSH_KEYS = ["KeyA", "KeyD", "KeyG", "KeyJ"];
const KEYS = { ArrowLeft: LEFT, ArrowRight: RIGHT, ArrowUp: UP, ArrowDown: DOWN, ShiftLeft: SHIFT_L, ShiftRight: SHIFT_R };
PUSH_KEYS.forEach((code, i) => { KEYS[code] = E1 + i; });
for (let i = 1; i <= 8; i++) KEYS[`Digit${i}`] = KEYS[`Numpad${i}`] = K1 + i - 1;
const TYPED = { Backspace: 8, Enter: 13, Escape: 27 };

function element(parent, tag, className, text) {
  const e = document.createElement(tag);
  e.className = className;
  if (text) e.textContent = text;
  parent.append(e);
  return e;
}

/** Makes the controls; `to` takes press, release, turn, type, and says whether characters are text. */
export function makeControls(to) {
  const held = new Map(); // control: how many fingers and keys hold it
  const shown = new Map();

  const press = (control) => {
    const count = held.get(control) ?? 0;
    held.set(control, count + 1);
    if (count) return;
    shown.get(control)?.classList.add("down");
    to.press(control);
  };
  const release = (control) => {
    const count = held.get(control) ?? 0;
    if (!count) return;
    held.set(control, count - 1);
    if (count > 1) return;
    shown.get(control)?.classList.remove("down");
    to.release(control);
  };
  const tap = (control) => {
    press(control);
    release(control);
  };

  makeKeys({ press, release, tap, shown });
  for (let i = 0; i < 4; i++) makeEncoder(i, { press, release, tap, shown, turn: to.turn });
  makeKeyboard({ press, release, tap, to });

  // What is held where nobody looks is let go: its release goes to another window.
  const letGo = () => {
    for (const [control, count] of held) for (let i = 0; i < count; i++) release(control);
  };
  window.addEventListener("blur", letGo);
  document.addEventListener("visibilitychange", () => { if (document.hidden) letGo(); });
}

function makeKeys({ press, release, tap, shown }) {
  const key = (parent, control, label, hint, name) => {
    const button = element(document.getElementById(parent), "button", "key");
    button.type = "button";
    button.dataset.control = control;
    button.setAttribute("aria-label", `${name} (${hint})`);
    element(button, "span", "label", label);
    element(button, "kbd", "", hint);
    shown.set(control, button);
    let down = false;
    const up = () => {
      if (down) release(control);
      down = false;
    };
    button.addEventListener("pointerdown", (e) => {
      if (e.button !== 0) return;
      button.setPointerCapture(e.pointerId);
      down = true;
      press(control);
    });
    button.addEventListener("pointerup", up);
    button.addEventListener("pointercancel", up);
    button.addEventListener("lostpointercapture", up);
    button.addEventListener("contextmenu", (e) => e.preventDefault());
    button.addEventListener("click", (e) => { if (e.detail === 0) tap(control); }); // by a screen reader
  };
  for (let i = 0; i < 8; i++) key("softkeys", K1 + i, `K${i + 1}`, `${i + 1}`, `Soft key ${i + 1}`);
  key("shifts", SHIFT_L, "Shift L", "⇧ left", "Shift left");
  key("shifts", SHIFT_R, "Shift R", "⇧ right", "Shift right");
  key("arrows", UP, "▲", "↑", "Up");
  key("arrows", LEFT, "◀", "←", "Left");
  key("arrows", DOWN, "▼", "↓", "Down");
  key("arrows", RIGHT, "▶", "→", "Right");
}

function makeEncoder(i, { press, release, tap, shown, turn }) {
  const control = E1 + i;
  const keys = [TURN_KEYS[2 * i], TURN_KEYS[2 * i + 1], PUSH_KEYS[i]].map((code) => code.slice(3));
  const box = element(document.getElementById("encoders"), "div", "encoder");
  const knob = element(box, "div", "knob");
  knob.tabIndex = 0;
  knob.dataset.control = control;
  knob.setAttribute("role", "button");
  knob.setAttribute("aria-label", `Encoder ${i + 1}: wheel or drag to turn (${keys[0]}, ${keys[1]}), click to push (${keys[2]})`);
  const cap = element(knob, "div", "cap");
  element(cap, "i", "mark");
  const under = element(box, "p", "");
  element(under, "kbd", "", keys[0]);
  element(under, "span", "label", `E${i + 1}`);
  element(under, "kbd", "", keys[1]);
  shown.set(control, knob);

  let angle = 0;
  const turned = (detents) => {
    if (!detents) return;
    angle += 15 * detents;
    cap.style.setProperty("--angle", `${angle}deg`);
    turn(i, detents);
  };
  knob.turned = turned;

  let wheel = 0;
  knob.addEventListener("wheel", (e) => {
    e.preventDefault();
    const way = -(e.deltaY || -e.deltaX) * [1, 30, 300][e.deltaMode];
    if (Math.sign(way) !== Math.sign(wheel)) wheel = 0;
    wheel += way;
    const detents = Math.trunc(wheel / WHEEL_A_DETENT);
    wheel -= detents * WHEEL_A_DETENT;
    turned(detents);
  }, { passive: false });

  let finger = null;
  knob.addEventListener("pointerdown", (e) => {
    if (e.button !== 0 || finger) return;
    knob.setPointerCapture(e.pointerId);
    const mine = { id: e.pointerId, y: e.clientY, x: e.clientX, sent: 0, moved: false, pushed: false };
    mine.timer = setTimeout(() => {
      mine.pushed = true;
      press(control);
    }, HOLD);
    finger = mine;
  });
  knob.addEventListener("pointermove", (e) => {
    if (!finger || e.pointerId !== finger.id) return;
    const way = finger.y - e.clientY + e.clientX - finger.x;
    if (!finger.moved && Math.abs(way) < SLOP) return;
    if (!finger.moved && !finger.pushed) clearTimeout(finger.timer);
    finger.moved = true;
    const detents = Math.trunc(way / PIXELS_A_DETENT) - finger.sent;
    finger.sent += detents;
    turned(detents);
  });
  const up = (e) => {
    if (!finger || e.pointerId !== finger.id) return;
    clearTimeout(finger.timer);
    if (finger.pushed) release(control);
    else if (!finger.moved && e.type === "pointerup") tap(control);
    finger = null;
  };
  knob.addEventListener("pointerup", up);
  knob.addEventListener("pointercancel", up);
  knob.addEventListener("lostpointercapture", up);
  knob.addEventListener("contextmenu", (e) => e.preventDefault());
}

function makeKeyboard({ press, release, tap, to }) {
  const down = new Map(); // what a key pressed, whatever it would mean by now
  const knobs = [...document.querySelectorAll(".knob")];

  window.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.isComposing || e.target.closest?.("summary, a")) return;
    const text = to.takesText();
    if (text && !e.altKey) {
      const code = TYPED[e.key] ?? ([...e.key].length === 1 ? e.key.codePointAt(0) : 0);
      if (code) {
        e.preventDefault();
        to.type(code);
        return;
      }

      if (e.key === "Shift") return; // it makes capitals
    }

    if (e.altKey && !/^Digit[1-8]$/.test(e.code)) return;
    const turning = TURN_KEYS.indexOf(e.code);
    const control = KEYS[e.code];
    if (turning >= 0) knobs[turning >> 1].turned(turning & 1 ? 1 : -1);
    else if (e.key === "Escape") { if (!e.repeat) tap(SHIFT_R); }
    else if (control === undefined) return;
    else if (!down.has(e.code)) {
      down.set(e.code, control);
      press(control);
    }

    e.preventDefault();
  });
  window.addEventListener("keyup", (e) => {
    const control = down.get(e.code);
    if (control === undefined) return;
    down.delete(e.code);
    release(control);
  });
  window.addEventListener("blur", () => down.clear());
}
