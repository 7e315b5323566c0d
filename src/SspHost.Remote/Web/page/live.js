// Live figures beside the panel: what the status, level and incident topics of the control protocol say.
const SECONDS = 60, A_SECOND = 2;
const HOT = 10; // V: a converter's full scale
const FLOOR = -60; // dB under it

const find = (id) => document.getElementById(id);
const percent = (load) => `${(100 * load).toFixed(load < 0.1 ? 1 : 0)} %`;
const WORDS = { playing: "playing", stopped: "stopped", starting: "starting", deviceLost: "device lost", ending: "ending", none: "no engine" };

export function startLive() {
  const history = [];
  const plot = find("plot");
  const meters = new Map();
  let wait = 500;

  function status(report) {
    const state = find("state");
    state.textContent = WORDS[report.state] ?? report.state;
    state.dataset.state = report.state === "playing" ? "on" : "off";
    const audio = report.audio;
    find("load").textContent = audio ? percent(audio.load.p50) : "–";
    find("worst").textContent = audio ? percent(audio.load.max) : "–";
    find("dropouts").textContent = audio ? audio.dropouts : "–";
    find("dropouts").classList.toggle("bad", (audio?.dropouts ?? 0) > 0);
    history.push(audio ? { typical: audio.load.p50, worst: audio.load.max, lost: audio.dropouts } : null);
    if (history.length > SECONDS * A_SECOND) history.shift();
    draw(plot, history);
  }

  function levels(report) {
    for (const [kind, name] of [["inputs", "In"], ["outputs", "Out"]]) {
      report[kind].volts.forEach((volts, i) => meterOf(kind, name, i)(volts, report[kind].dbfs[i]));
      for (const [key, meter] of meters) {
        if (key.startsWith(kind) && Number(key.slice(kind.length)) >= report[kind].volts.length) {
          meter.remove();
          meters.delete(key);
        }
      }
    }
  }

  function meterOf(kind, name, i) {
    const key = kind + i;
    if (meters.has(key)) return meters.get(key);
    const box = document.createElement("div");
    box.className = "meter";
    box.setAttribute("role", "meter");
    box.setAttribute("aria-label", `${name} ${i + 1}`);
    box.setAttribute("aria-valuemin", "0");
    box.setAttribute("aria-valuemax", `${HOT}`);
    const bar = document.createElement("i");
    const label = document.createElement("span");
    label.textContent = `${name} ${i + 1}`;
    const value = document.createElement("b");
    box.append(label, bar, value);
    find("meters").append(box);
    const show = (volts, dbfs) => {
      bar.style.setProperty("--level", Math.max(0, Math.min(1, 1 - dbfs / FLOOR)));
      box.classList.toggle("hot", volts >= HOT);
      box.setAttribute("aria-valuenow", volts.toFixed(2));
      value.textContent = `${volts.toFixed(volts < 9.95 ? 1 : 0)} V`;
    };
    show.remove = () => box.remove();
    meters.set(key, show);
    return show;
  }

  function connect() {
    const socket = new WebSocket(`ws${location.protocol === "https:" ? "s" : ""}://${location.host}/api/events`);
    socket.onopen = () => {
      wait = 500;
      socket.send(JSON.stringify({ command: "subscribe", to: [{ topic: "status", rate: A_SECOND }, { topic: "levels", rate: 15 }] }));
    };
    socket.onmessage = (message) => {
      const line = JSON.parse(message.data);
      if (line.event === "status") status(line.data);
      else if (line.event === "levels") levels(line.data);
    };
    socket.onclose = () => {
      find("state").textContent = "not connected";
      find("state").dataset.state = "off";
      setTimeout(connect, wait);
      wait = Math.min(2 * wait, 8000);
    };
  }

  new ResizeObserver(() => draw(plot, history)).observe(plot);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(plot, history));
  connect();
}

function draw(canvas, history) {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width) return;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const c = canvas.getContext("2d");
  const style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(name).trim();
  c.scale(ratio, ratio);
  c.font = `12px ${style.fontFamily}`;
  const most = Math.max(1, ...history.map((h) => h?.worst ?? 0));
  const [left, top, right, bottom] = [40, 6, width - 6, height - 6];
  const x = (i) => right - ((history.length - 1 - i) / (SECONDS * A_SECOND - 1)) * (right - left);
  const y = (load) => bottom - (load / most) * (bottom - top);
  c.textBaseline = "middle";
  c.textAlign = "right";
  for (const load of most > 1 ? [0, 1, most] : [0, 0.5, 1]) {
    if (load === most && most > 1 && most < 1.15) continue; // it would lie on the line below
    c.strokeStyle = load === 1 ? colour("--bad") : colour("--line");
    c.globalAlpha = load === 1 ? 0.55 : 1;
    c.beginPath();
    c.moveTo(left, Math.round(y(load)) + 0.5);
    c.lineTo(right, Math.round(y(load)) + 0.5);
    c.stroke();
    c.globalAlpha = 1;
    c.fillStyle = colour("--soft");
    c.fillText(`${Math.round(100 * load)}`, left - 8, Math.max(8, Math.min(height - 8, y(load))));
  }

  for (const [field, name] of [["worst", "--worst"], ["typical", "--accent"]]) {
    c.strokeStyle = colour(name);
    c.lineWidth = 1.5;
    c.beginPath();
    history.forEach((h, i) => { if (h) (history[i - 1] ? c.lineTo(x(i), y(h[field])) : c.moveTo(x(i), y(h[field]))); });
    c.stroke();
  }

  c.fillStyle = colour("--bad");
  history.forEach((h, i) => { if (h && history[i - 1] && h.lost > history[i - 1].lost) c.fillRect(x(i) - 1, top, 2, bottom - top); });
}
