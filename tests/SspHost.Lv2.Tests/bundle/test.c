/* LV2 plugins of our own, each for one thing that a host must get right, or must survive. Compiled by the tests against Debian's lv2-dev. */
#include <lv2/atom/atom.h>
#include <lv2/atom/util.h>
#include <lv2/buf-size/buf-size.h>
#include <lv2/core/lv2.h>
#include <lv2/log/log.h>
#include <lv2/midi/midi.h>
#include <lv2/options/options.h>
#include <lv2/parameters/parameters.h>
#include <lv2/state/state.h>
#include <lv2/time/time.h>
#include <lv2/urid/urid.h>
#include <lv2/worker/worker.h>
#include <stdlib.h>
#include <string.h>

#define T "urn:ssphost-test:"

static int *volatile nowhere;

struct self {
    const char *uri;
    float *port[8];
    float memory;
    float block, rate; /* as the options told */
    LV2_URID_Map *map;
    LV2_Worker_Schedule *schedule;
    LV2_Log_Log *log;
    LV2_URID midi, number;
    double beat, tempo, speed, since; /* as told last, and frames since then */
    int32_t *heap;
};

static LV2_Handle instantiate(const LV2_Descriptor *d, double rate, const char *bundle, const LV2_Feature *const *features)
{
    (void)bundle;
    if (strcmp(d->URI, T "crash") == 0) *nowhere = 1;
    if (strcmp(d->URI, T "none") == 0) return NULL;
    struct self *s = calloc(1, sizeof *s);
    s->uri = d->URI;
    s->rate = (float)rate;
    s->heap = malloc(100000); /* what the host must count */
    const LV2_Options_Option *options = NULL;
    for (int i = 0; features[i]; i++) {
        if (!strcmp(features[i]->URI, LV2_URID__map)) s->map = features[i]->data;
        if (!strcmp(features[i]->URI, LV2_WORKER__schedule)) s->schedule = features[i]->data;
        if (!strcmp(features[i]->URI, LV2_OPTIONS__options)) options = features[i]->data;
        if (!strcmp(features[i]->URI, LV2_LOG__log)) s->log = features[i]->data;
    }
    if (!s->map) return NULL;
    s->midi = s->map->map(s->map->handle, LV2_MIDI__MidiEvent);
    s->number = s->map->map(s->map->handle, LV2_ATOM__Float);
    for (; options && options->key; options++) {
        if (options->key == s->map->map(s->map->handle, LV2_BUF_SIZE__maxBlockLength)) s->block = (float)*(const int32_t *)options->value;
        if (options->key == s->map->map(s->map->handle, LV2_PARAMETERS__sampleRate) && *(const float *)options->value != s->rate) s->rate = -1;
    }
    return s;
}

static void connect_port(LV2_Handle h, uint32_t port, void *data) { ((struct self *)h)->port[port] = data; }

static void activate(LV2_Handle h) { ((struct self *)h)->memory = 0; }

/* port 0 in, 1 out, 2 gain, 3 latency */
static void run_gain(LV2_Handle h, uint32_t frames)
{
    struct self *s = h;
    if (s->port[3]) *s->port[3] = 64;
    for (uint32_t f = 0; f < frames; f++) s->port[1][f] = s->port[0][f] * *s->port[2];
}

/* port 0 MIDI in, 1 CV out: the first byte of an event at its frame, its others added in parts of 1000 */
static void run_midi(LV2_Handle h, uint32_t frames)
{
    struct self *s = h;
    memset(s->port[1], 0, frames * sizeof(float));
    LV2_ATOM_SEQUENCE_FOREACH((const LV2_Atom_Sequence *)s->port[0], e) {
        const uint8_t *b = (const uint8_t *)(e + 1);
        if (e->body.type != s->midi || e->time.frames >= frames) continue;
        float v = b[0];
        if (e->body.size > 1) v += b[1] / 1000.0f;
        s->port[1][e->time.frames] = v;
    }
}

/* port 0 in, 1 CV out, 2 asks once above 0: for the square of it, which is worked out elsewhere */
static void run_worker(LV2_Handle h, uint32_t frames)
{
    struct self *s = h;
    float asked = *s->port[2];
    if (asked > 0 && s->memory == 0) {
        s->memory = -1;
        s->schedule->schedule_work(s->schedule->handle, sizeof asked, &asked);
    }
    for (uint32_t f = 0; f < frames; f++) s->port[1][f] = s->memory;
}

static LV2_Worker_Status work(LV2_Handle h, LV2_Worker_Respond_Function respond, LV2_Worker_Respond_Handle handle, uint32_t size, const void *data)
{
    (void)h;
    float *square = malloc(sizeof *square); /* here it may */
    *square = *(const float *)data * *(const float *)data;
    LV2_Worker_Status status = size == sizeof *square ? respond(handle, sizeof *square, square) : LV2_WORKER_ERR_UNKNOWN;
    free(square);
    return status;
}

static LV2_Worker_Status work_response(LV2_Handle h, uint32_t size, const void *body)
{
    (void)size;
    ((struct self *)h)->memory = *(const float *)body;
    return LV2_WORKER_SUCCESS;
}

/* port 0 in, 1 CV out, 2: what is kept; it comes out, and it is state */
static void run_state(LV2_Handle h, uint32_t frames)
{
    struct self *s = h;
    if (*s->port[2] > 0) s->memory = *s->port[2];
    for (uint32_t f = 0; f < frames; f++) s->port[1][f] = s->memory;
}

static LV2_State_Status save(LV2_Handle h, LV2_State_Store_Function store, LV2_State_Handle handle, uint32_t flags, const LV2_Feature *const *features)
{
    (void)flags;
    (void)features;
    struct self *s = h;
    return store(handle, s->map->map(s->map->handle, T "kept"), &s->memory, sizeof s->memory, s->number, LV2_STATE_IS_POD | LV2_STATE_IS_PORTABLE);
}

static LV2_State_Status restore(LV2_Handle h, LV2_State_Retrieve_Function retrieve, LV2_State_Handle handle, uint32_t flags, const LV2_Feature *const *features)
{
    (void)features;
    struct self *s = h;
    size_t size;
    uint32_t type;
    const float *kept = retrieve(handle, s->map->map(s->map->handle, T "kept"), &size, &type, &flags);
    if (!kept || size != sizeof *kept || type != s->number) return LV2_STATE_ERR_NO_PROPERTY;
    s->memory = *kept;
    return LV2_STATE_SUCCESS;
}

/* port 0 in, 1 CV out: block length and rate in kHz by turns */
static void run_options(LV2_Handle h, uint32_t frames)
{
    struct self *s = h;
    for (uint32_t f = 0; f < frames; f++) s->port[1][f] = f % 2 ? s->rate / 1000 : s->block;
}

/* port 0 events in, 1 CV out beats, 2 CV out beats a minute, 3 CV out speed: as anybody would go on from what he was told */
static void run_time(LV2_Handle h, uint32_t frames)
{
    struct self *s = h;
    LV2_ATOM_SEQUENCE_FOREACH((const LV2_Atom_Sequence *)s->port[0], e) {
        const LV2_Atom_Object *o = (const LV2_Atom_Object *)&e->body;
        if (o->body.otype != s->map->map(s->map->handle, LV2_TIME__Position)) continue;
        const LV2_Atom *beat = NULL, *tempo = NULL, *speed = NULL, *bar = NULL, *in_bar = NULL;
        lv2_atom_object_get(o, s->map->map(s->map->handle, LV2_TIME__beat), &beat, s->map->map(s->map->handle, LV2_TIME__beatsPerMinute), &tempo,
            s->map->map(s->map->handle, LV2_TIME__speed), &speed, s->map->map(s->map->handle, LV2_TIME__bar), &bar,
            s->map->map(s->map->handle, LV2_TIME__barBeat), &in_bar, 0);
        if (!beat || !tempo || !speed || !bar || !in_bar) continue;
        s->beat = (double)((const LV2_Atom_Long *)bar)->body * 4 + ((const LV2_Atom_Float *)in_bar)->body;
        s->tempo = ((const LV2_Atom_Float *)tempo)->body;
        s->speed = ((const LV2_Atom_Float *)speed)->body;
        s->since = 0;
        if (((const LV2_Atom_Double *)beat)->body - s->beat > 1e-4) s->beat = -100;
    }
    for (uint32_t f = 0; f < frames; f++, s->since++) {
        s->port[1][f] = (float)(s->beat + s->since * s->speed * s->tempo / 60 / s->rate);
        s->port[2][f] = (float)s->tempo;
        s->port[3][f] = (float)s->speed;
    }
}

static void run_endless(LV2_Handle h, uint32_t frames)
{
    (void)frames;
    for (volatile int *forever = &((struct self *)h)->heap[0];; (*forever)++) {}
}

/* Plays at its defaults, and dies of its knob at the end. */
static void run_late(LV2_Handle h, uint32_t frames)
{
    struct self *s = h;
    if (*s->port[2] == 4) *nowhere = 1;
    run_gain(h, frames);
}

static void run_malloc(LV2_Handle h, uint32_t frames)
{
    run_gain(h, frames);
    void *volatile block = malloc(100);
    free(block);
}

static void cleanup(LV2_Handle h)
{
    free(((struct self *)h)->heap);
    free(h);
}

static const void *extension_data(const char *uri)
{
    static const LV2_Worker_Interface worker = { work, work_response, NULL };
    static const LV2_State_Interface state = { save, restore };
    return !strcmp(uri, LV2_WORKER__interface) ? (const void *)&worker : !strcmp(uri, LV2_STATE__interface) ? (const void *)&state : NULL;
}

#define PLUGIN(name, run) { T name, instantiate, connect_port, activate, run, NULL, cleanup, extension_data }

static const LV2_Descriptor plugins[] = {
    PLUGIN("gain", run_gain), PLUGIN("midi", run_midi), PLUGIN("worker", run_worker), PLUGIN("state", run_state), PLUGIN("options", run_options),
    PLUGIN("crash", run_gain), PLUGIN("none", run_gain), PLUGIN("endless", run_endless), PLUGIN("malloc", run_malloc), PLUGIN("feature", run_gain), PLUGIN("time", run_time), PLUGIN("late", run_late),
};

LV2_SYMBOL_EXPORT const LV2_Descriptor *lv2_descriptor(uint32_t index) { return index < sizeof plugins / sizeof *plugins ? &plugins[index] : NULL; }
