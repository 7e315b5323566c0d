// The page: the panel's socket, its picture, and the parts beside it.
import { drawTiles } from "./tiles.js";
import { makeControls } from "./controls.js";
import { startLive } from "./live.js";

const FIRST_WAIT = 500, LONGEST_WAIT = 8000; // ms before another try
const canvas = document.getElementById("screen");
const context = canvas.getContext("2d", { alpha: false });
const size = { width: 1600, height: 480, tileWidth: 64, tileHeight: 16 };

/** What tests and the curious may look at. */
export const panel = { frames: 0, frame: 0, bytes: 0, tiles: 0, takesText: false, connected: false };
window.panel = panel;

let socket = null;
let wait = FIRST_WAIT;

function send(...bytes) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(Uint8Array.from(bytes));
}

function hear(buffer) {
  const bytes = new Uint8Array(buffer);
  const view = new DataView(buffer);
  if (bytes[0] === 0) {
    [size.width, size.height, size.tileWidth, size.tileHeight] = [1, 3, 5, 7].map((at) => view.getUint16(at, true));
    canvas.width = size.width;
    canvas.height = size.height;
    return;
  }

  panel.tiles += drawTiles(bytes, 6, size, context);
  panel.frame = view.getUint32(1, true);
  panel.takesText = (bytes[5] & 1) !== 0;
  panel.bytes += bytes.length;
  panel.frames++;
  // Once it is on its way to the screen another one is welcome: a page in the background asks for none.
  requestAnimationFrame(() => send(0));
}

// A socket that is refused does not say why; where the token is not right any more, the door is.
async function askAgain() {
  const reply = await fetch("/api/openapi.json", { method: "HEAD" }).catch(() => null); // a host that is gone answers nothing
  if (reply?.status === 401) location.reload();
}

function connect() {
  let opened = false;
  socket = new WebSocket(`ws${location.protocol === "https:" ? "s" : ""}://${location.host}/panel`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    opened = true;
    panel.connected = true;
    wait = FIRST_WAIT;
    document.body.dataset.panel = "on";
  };
  socket.onmessage = (message) => hear(message.data);
  socket.onclose = () => {
    panel.connected = false;
    document.body.dataset.panel = "off";
    if (!opened) askAgain();
    setTimeout(connect, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  };
}

makeControls({
  press: (control) => send(1, control),
  release: (control) => send(2, control),
  turn: (encoder, detents) => send(3, encoder, Math.max(-100, Math.min(100, detents)) & 255),
  type: (code) => send(4, code & 255, (code >> 8) & 255, (code >> 16) & 255, 0),
  takesText: () => panel.takesText,
});
connect();
startLive();
