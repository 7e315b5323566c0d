// Loads as they are in the file: codes of 16 bits, packed; LoadCode in the host says what a code means.
const GAP = 0;
const ONE = 6 << 12;
const CODES = 65536;

const loadOf = new Float64Array(CODES);
for (let code = 0; code < CODES; code++) {
    loadOf[code] = (code < 8192 ? code : ((code & 4095) + 4096) * 2 ** ((code >> 12) - 1)) / 131072;
}
loadOf[GAP] = NaN;

/** The first code whose load is above, or 65536. */
function codeAbove(load) {
    let low = 1,
        high = CODES;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (loadOf[middle] > load) high = middle;
        else low = middle + 1;
    }
    return low;
}

function bytesOf(text) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
    const binary = atob(text),
        bytes = new Uint8Array(binary.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
}

/** Takes the loads of a run out of the page. */
async function unpackLoads(id) {
    const holder = document.getElementById(id);
    const text = holder.textContent;
    holder.remove();
    if (text === '') return { codes: new Uint16Array(0), characters: 0 };
    const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    const planes = new Uint8Array(await new Response(stream).arrayBuffer());
    const n = planes.length >> 1,
        codes = new Uint16Array(n);
    for (let i = 0; i < n; i++) codes[i] = (planes[i] << 8) | planes[n + i];
    return { codes, characters: text.length };
}
