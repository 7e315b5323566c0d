// Mouse, touch and keys on the plot.
class Gestures {
    constructor(canvas, plot, model) {
        Object.assign(this, { canvas, plot, model, pointers: new Map(), start: null });
        canvas.addEventListener('wheel', e => this.wheel(e), { passive: false });
        canvas.addEventListener('pointerdown', e => this.down(e));
        canvas.addEventListener('pointermove', e => this.move(e));
        canvas.addEventListener('pointerup', e => this.up(e));
        canvas.addEventListener('pointercancel', e => this.cancel(e));
        canvas.addEventListener('pointerleave', () => {
            if (!this.start) model.pointAt(null);
        });
        canvas.addEventListener('dblclick', () => model.show(0, model.extent));
        canvas.addEventListener('keydown', e => this.key(e));
    }

    /** Device pixels of an event. */
    place(e) {
        const box = this.canvas.getBoundingClientRect(),
            { ratio } = this.plot.sheet;
        return { x: (e.clientX - box.left) * ratio, y: (e.clientY - box.top) * ratio };
    }

    quantaPerPixel() {
        const { from, to } = this.model.view;
        return (to - from) / (this.plot.area.right - this.plot.area.left);
    }

    positionAt(x) {
        return this.model.view.from + (x - this.plot.area.left) * this.quantaPerPixel();
    }

    wheel(e) {
        const unit = e.deltaMode === 1 ? 16 : e.deltaMode === 2 ? 400 : 1;
        const sideways = e.shiftKey ? e.deltaX || e.deltaY : Math.abs(e.deltaX) > Math.abs(e.deltaY) ? e.deltaX : 0;
        if (sideways) {
            e.preventDefault();
            this.model.move(sideways * unit * this.plot.sheet.ratio * this.quantaPerPixel());
            return;
        }
        // Zooming out from the whole run would do nothing: let the page scroll.
        if (e.deltaY > 0 && this.model.isWhole()) return;
        e.preventDefault();
        this.model.zoom(Math.exp(Math.max(-300, Math.min(300, e.deltaY * unit)) * 0.0025), this.positionAt(this.place(e).x));
    }

    down(e) {
        if (e.button > 1) return;
        this.canvas.focus({ preventScroll: true });
        this.canvas.setPointerCapture(e.pointerId);
        this.pointers.set(e.pointerId, this.place(e));
        const [first, second] = this.pointers.values();
        const pan = e.pointerType === 'touch' || e.shiftKey || e.button === 1;
        this.start = {
            ...first,
            view: { ...this.model.view },
            pan,
            moved: this.start?.moved || Boolean(second),
            spread: second ? Math.abs(second.x - first.x) : 0,
        };
        if (second) this.start.middle = this.positionAt((first.x + second.x) / 2);
        e.preventDefault();
    }

    move(e) {
        const now = this.place(e);
        if (!this.start) {
            this.model.pointAt(this.plot.quantumAt(now.x, now.y, 0));
            return;
        }
        this.pointers.set(e.pointerId, now);
        const { start, model } = this,
            [first, second] = this.pointers.values();
        if (Math.hypot(now.x - start.x, now.y - start.y) > this.plot.sheet.px(4)) start.moved = true;
        if (!start.moved) return;
        const width = this.plot.area.right - this.plot.area.left,
            span = start.view.to - start.view.from;
        if (second) {
            const wanted = Math.max(LEAST_SPAN, (span * Math.max(1, start.spread)) / Math.max(1, Math.abs(second.x - first.x)));
            const from = start.middle - (((first.x + second.x) / 2 - this.plot.area.left) / width) * wanted;
            model.show(from, from + wanted);
        } else if (start.pan) {
            const from = start.view.from - ((now.x - start.x) / width) * span;
            model.show(from, from + span);
        } else {
            this.plot.band = { from: start.x, to: now.x };
            model.changed();
        }
    }

    up(e) {
        const { start, model, plot } = this,
            now = this.place(e);
        this.pointers.delete(e.pointerId);
        if (!start) return;
        if (this.pointers.size > 0) {
            const [rest] = this.pointers.values();
            this.start = { ...rest, view: { ...model.view }, pan: true, moved: true, spread: 0 };
            return;
        }
        this.start = null;
        if (plot.band) {
            const [from, to] = [this.positionAt(Math.min(start.x, now.x)), this.positionAt(Math.max(start.x, now.x))];
            plot.band = null;
            model.show(from, to);
        } else if (!start.moved) {
            const found = (now.y < plot.area.top && plot.markAt(now.x)) || plot.quantumAt(now.x, now.y, plot.sheet.px(4));
            if (found) model.select(found.run, found.index);
        }
    }

    cancel(e) {
        this.pointers.delete(e.pointerId);
        this.start = this.plot.band = null;
        this.model.changed();
    }

    key(e) {
        if (e.ctrlKey || e.altKey || e.metaKey) return;
        const { model } = this,
            span = model.view.to - model.view.from;
        const actions = {
            ArrowLeft: () => model.move(-span * 0.1),
            ArrowRight: () => model.move(span * 0.1),
            '+': () => model.zoom(0.5, model.focus()),
            '=': () => model.zoom(0.5, model.focus()),
            '-': () => model.zoom(2, model.focus()),
            _: () => model.zoom(2, model.focus()),
            0: () => model.show(0, model.extent),
            Home: () => model.show(0, span),
            End: () => model.show(model.extent - span, model.extent),
            ',': () => model.step(-1),
            '.': () => model.step(1),
            n: () => model.jumpLate(1),
            p: () => model.jumpLate(-1),
            w: () => model.jumpWorst(),
            Enter: () => model.cursor && model.select(model.cursor.run, model.cursor.index),
            l: () => model.setScale(model.scale === 'log' ? 'linear' : 'log'),
            Escape: () => model.select(null),
        };
        const action = actions[e.key.length === 1 ? e.key.toLowerCase() : e.key];
        if (!action) return;
        e.preventDefault();
        action();
    }
}
