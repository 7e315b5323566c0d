/* Musical time for plugins that ask for it (time:Position). A modular has no transport: there is a clock at a jack, else the MIDI clock once one
   was heard, else a tempo on a knob. Plain arithmetic on numbers of its own. [RT] */
#ifndef SSPHOST_LV2_TIME_H
#define SSPHOST_LV2_TIME_H

#include <math.h>
#include <stdint.h>

#define MIDI_PULSES 24       /* a beat */
#define BEATS_IN_BAR 4
#define PULSES_KEPT 32u      /* a power of two, above MIDI_PULSES */
#define PAUSE 4.0            /* a pulse that is so many times later than the last one was: the clock has stopped */
#define GATE_HIGH 1.0f       /* volts: a rise; armed again below GATE_LOW */
#define GATE_LOW 0.1f
#define SLOWEST 4.0          /* seconds between two pulses of a clock that runs */

enum beat_source { BY_KNOB, BY_JACK, BY_MIDI };

struct beat_time {
    int32_t source;
    int32_t running;    /* the MIDI clock's start and stop */
    int32_t high;       /* the jack */
    uint32_t kept;      /* pulses in at, PULSES_KEPT at most */
    int64_t count;      /* number of the newest pulse; -1: none yet */
    int64_t offset;     /* from there to pulses since the start */
    int64_t at[PULSES_KEPT]; /* their frames, the newest at count */
    int64_t now;        /* frames since reset */
    double beats;       /* at now, of a tempo by knob */
    double sent_beats, sent_tempo, sent_speed; /* what was told last, */
    int64_t sent_at;                           /* and when; -1: never */
};

/* Where it is, how fast it goes (beats a minute) and whether it does (1 or 0). */
struct beat_position {
    double beats, tempo, speed;
};

static inline void beat_reset(struct beat_time *t)
{
    *t = (struct beat_time){ .running = 1, .count = -1, .sent_at = -1 };
}

/* From the start again: the next pulse is the first. */
static inline void beat_rewind(struct beat_time *t) { t->offset = -(t->count + 1); }

/* A rise, or a tick of MIDI's; those while it stands count for the tempo only. */
static inline void beat_pulse(struct beat_time *t, int64_t frame)
{
    if (t->kept > 0) {
        int64_t since = frame - t->at[t->count & (PULSES_KEPT - 1)];
        if (since <= 0) return; /* two in a frame are one */
        if (t->kept > 1) {
            int64_t before = t->at[t->count & (PULSES_KEPT - 1)] - t->at[(t->count - 1) & (PULSES_KEPT - 1)];
            if ((double)since > PAUSE * (double)before || (double)since * PAUSE < (double)before) t->kept = 1; /* says nothing of the tempo */
            else if ((double)since > 1.1 * (double)before || (double)since * 1.1 < (double)before) t->kept = 2; /* another tempo: the mean begins anew */
        }
    }
    t->count++;
    if (!t->running) t->offset--;
    t->at[t->count & (PULSES_KEPT - 1)] = frame;
    if (t->kept < PULSES_KEPT) t->kept++;
}

/* Frames between two pulses, as the mean of up to a beat of them: they come at whole frames, or jitter. 0: not known. */
static inline double beat_period(const struct beat_time *t, int pulses)
{
    int64_t span = (int64_t)t->kept - 1 < pulses ? (int64_t)t->kept - 1 : pulses;
    if (span < 1) return 0;
    return (double)(t->at[t->count & (PULSES_KEPT - 1)] - t->at[(t->count - span) & (PULSES_KEPT - 1)]) / (double)span;
}

static inline struct beat_position beat_at(const struct beat_time *t, int pulses, double rate, double knob)
{
    if (t->source == BY_KNOB) return (struct beat_position){ t->beats, knob, 1 };
    double period = beat_period(t, pulses), place = 0;
    int goes = 0;
    if (period > 0 && t->running) {
        double since = (double)(t->now - t->at[t->count & (PULSES_KEPT - 1)]) / period;
        goes = since < PAUSE && since * period < SLOWEST * rate;
        place = since < 1 ? since : 1; /* a late pulse is waited for */
    }
    place += (double)(t->count + t->offset);
    return (struct beat_position){ place > 0 ? place / pulses : 0, period > 0 ? 60.0 * rate / (period * pulses) : knob, goes };
}

/* Whether somebody who goes on from what he was told last would be wrong: by 2 ms, or a thousandth of the tempo. */
static inline int beat_is_news(const struct beat_time *t, struct beat_position p, double rate)
{
    if (t->sent_at < 0 || p.speed != t->sent_speed || fabs(p.tempo - t->sent_tempo) > 1e-3 * t->sent_tempo) return 1;
    double believed = t->sent_beats + t->sent_speed * t->sent_tempo / 60.0 * (double)(t->now - t->sent_at) / rate;
    return fabs(believed - p.beats) > 2e-3 * p.tempo / 60.0;
}

static inline void beat_sent(struct beat_time *t, struct beat_position p)
{
    t->sent_beats = p.beats;
    t->sent_tempo = p.tempo;
    t->sent_speed = p.speed;
    t->sent_at = t->now;
}

#endif
