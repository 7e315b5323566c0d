// The strip below the plot: the whole run, and the window on it that one can drag.
class Overview {
    constructor(canvas, model) {
        this.sheet = new Sheet(canvas);
        this.model = model;
        const position = e => {
            const box = canvas.getBoundingClientRect(),
                left = 50,
                width = box.width - left - 8;
            return Math.min(1, Math.max(0, (e.clientX - box.left - left) / width)) * model.extent;
        };
        canvas.addEventListener('pointerdown', e => {
            const at = position(e),
                { from, to } = model.view;
            canvas.setPointerCapture(e.pointerId);
            // Where one takes the window it stays in the hand; elsewhere it comes to the pointer.
            this.grip = at >= from && at <= to ? at - (from + to) / 2 : 0;
            model.centre(at - this.grip);
            e.preventDefault();
        });
        canvas.addEventListener('pointermove', e => {
            if (this.grip !== undefined) model.centre(position(e) - this.grip);
        });
        for (const end of ['pointerup', 'pointercancel'])
            canvas.addEventListener(end, () => {
                this.grip = undefined;
            });
    }

    draw() {
        const { sheet, model } = this,
            c = sheet.begin(),
            tone = model.tone,
            found = {};
        const left = sheet.px(50),
            width = sheet.width - sheet.px(8) - left,
            top = sheet.px(3),
            bottom = sheet.height - sheet.px(3);
        c.fillStyle = tone.faint;
        c.fillRect(left, top, width, bottom - top);
        const vertical = model.verticalScale(bottom, top);
        model.runs.forEach((run, r) => {
            for (let p = 0; p < width && run.length > 0; p++) {
                const from = Math.floor((p / width) * model.extent * run.ratio),
                    to = Math.max(from + 1, Math.ceil(((p + 1) / width) * model.extent * run.ratio));
                if (from >= run.length) break;
                run.pyramid.range(from, Math.min(to, run.length), found);
                if (found.max === GAP) continue;
                const y = vertical.at(loadOf[found.max]);
                c.fillStyle = r === 0 ? tone.a : tone.b;
                c.globalAlpha = r === 0 ? 0.75 : 0.6;
                c.fillRect(left + p, y, 1, bottom - y);
                c.globalAlpha = 1;
                if (found.max > ONE) {
                    c.fillStyle = tone.late;
                    c.fillRect(left + p, y, Math.max(1, sheet.px(1)), Math.max(sheet.px(2), vertical.at(1) - y));
                }
            }
            for (const mark of run.marks) {
                if (mark.kind !== 'Dropout' || mark.index === null) continue;
                c.fillStyle = tone.lost;
                c.fillRect(Math.round(left + (mark.index / run.ratio / model.extent) * width), top, Math.max(1, sheet.px(1)), bottom - top);
            }
        });
        const from = left + (model.view.from / model.extent) * width,
            to = left + (model.view.to / model.extent) * width;
        c.fillStyle = tone.card;
        c.globalAlpha = 0.72;
        c.fillRect(left, top, from - left, bottom - top);
        c.fillRect(to, top, left + width - to, bottom - top);
        c.globalAlpha = 1;
        c.strokeStyle = tone.ink;
        c.lineWidth = sheet.px(1.2);
        const least = sheet.px(3),
            middle = (from + to) / 2,
            half = Math.max(least, to - from) / 2;
        c.strokeRect(Math.max(left, middle - half), top, Math.min(width, 2 * half), bottom - top);
    }
}
