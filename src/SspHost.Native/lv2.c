/* An LV2 plugin as a module of ours. In C, because a plugin may call its host from threads of its own, and from run: such a call must meet no
   managed runtime that would make the thread known to itself; and because the log is variadic. What the plugin is comes from the control
   process as a record (Lv2Plugin in SspHost.Abi); nothing here reads RDF. */
#define _GNU_SOURCE
#include "lv2.h"
#include "lv2_time.h"
#include "../../dsp-modules/sdk/ssp_module.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXTENSION "http://lv2plug.in/ns/ext/"
#define VOLTS 5.0f /* of a sample of 1 */
#define SEQUENCE_BYTES 8192
#define RING_BYTES 16384u

enum port_kind { AUDIO_IN, AUDIO_OUT, CV_IN, CV_OUT, CONTROL_IN, CONTROL_OUT, ATOM_IN, ATOM_OUT, UNUSED };
enum { VOICES = 1, SILENT = 4, WORKER = 8 };
enum { JOB_WORK = 1, JOB_RESTORE = 2, JOB_RENEW = 3 };
#define SOON 16 /* quanta: a second reset so soon after a first one says that activate cured nothing */

/* Lv2Port and Lv2Plugin of SspHost.Abi. */
struct port {
    int32_t kind;
    int32_t index; /* of our input, output, parameter or telemetry; -1: none */
    float value;   /* of a control that is no parameter */
    int32_t bytes; /* of a sequence */
};

struct plugin {
    int64_t bytes;
    uint32_t flags;
    int32_t ports;
    int32_t latency; /* port, or -1 */
    int32_t state_bytes;
    int32_t tempo;  /* parameter, in beats a minute; -1: it does not ask for the time */
    int32_t clock;  /* input that the clock's pulses come to, or -1 */
    int32_t pulses; /* setting: pulses a beat; with clock */
    int32_t reserved;
    char uri[512];
    char bundle[1024];
    char binary[1024];
    struct port port[];
};

/* One writer, one reader: sizes and bodies, both on multiples of 8. */
struct ring {
    uint64_t written;
    uint64_t read;
    unsigned char bytes[RING_BYTES];
};

struct voice {
    lv2_handle handle;
    struct ring *asked, *answered;
    void **buffers; /* by port */
    struct lv2_schedule schedule;
    struct lv2_feature features[16];
    const struct lv2_feature *list[17];
};

struct instance {
    const struct plugin *plugin;
    const struct lv2_descriptor *descriptor;
    const struct lv2_worker *worker;
    const struct lv2_state *state;
    struct voice *voice;
    int32_t voices;
    int32_t quantum;
    float rate;
    int32_t sequence_bytes;
    int32_t played;    /* 1 from the first quantum on */
    int32_t waiting; /* the job off the RT threads, JOB_RESTORE or JOB_RENEW, until which nothing is played; 0: none */
    int32_t quanta;  /* since reset, SOON at most */
    int32_t in_run;
    int32_t stash_bytes;
    unsigned char *stash; /* state to be restored */
    int32_t stash_is_newer; /* than what the instance that is to be made anew would save */
    int32_t pulses;         /* a beat, at the clock's jack */
    struct beat_time time;
    struct lv2_log log;
    struct lv2_option options[6];
};

/* ---- identifiers: one table for the process, an identifier is a place in it and one more. Without a lock, because run may ask, and must not wait
   for a thread that does not run; by hash, because it may ask often. Nothing is ever taken out. */

#define MOST_URIDS 8192u /* a power of two; at most three quarters of it are used */
static const char *urids[MOST_URIDS];
static uint32_t urid_count;
static char urid_text[512 * 1024];
static size_t urid_bytes;

static uint32_t map(void *handle, const char *uri)
{
    (void)handle;
    uint32_t place = 2166136261u; /* FNV-1a */
    for (const char *c = uri; *c; c++) place = (place ^ (unsigned char)*c) * 16777619u;
    const char *text = NULL;
    for (;; place++) {
        place &= MOST_URIDS - 1;
        const char *there = __atomic_load_n(&urids[place], __ATOMIC_ACQUIRE);
        if (there == NULL) {
            if (text == NULL) {
                size_t bytes = strlen(uri) + 1;
                if (__atomic_add_fetch(&urid_count, 1, __ATOMIC_RELAXED) > MOST_URIDS / 4 * 3) {
                    __atomic_sub_fetch(&urid_count, 1, __ATOMIC_RELAXED);
                    return 0; /* full, which the extension allows */
                }
                if (bytes > sizeof urid_text) return 0;
                size_t at = __atomic_fetch_add(&urid_bytes, bytes, __ATOMIC_RELAXED);
                if (at > sizeof urid_text - bytes) {
                    __atomic_sub_fetch(&urid_bytes, bytes, __ATOMIC_RELAXED);
                    return 0;
                }
                text = memcpy(urid_text + at, uri, bytes);
            }
            if (__atomic_compare_exchange_n(&urids[place], &there, text, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return place + 1;
        }
        if (strcmp(there, uri) == 0) return place + 1; /* by somebody else meanwhile: our copy of the text is wasted */
    }
}

static const char *unmap(void *handle, uint32_t urid)
{
    (void)handle;
    return urid > 0 && urid <= MOST_URIDS ? __atomic_load_n(&urids[urid - 1], __ATOMIC_ACQUIRE) : NULL;
}

static struct lv2_map mapping = { NULL, map };
static struct lv2_unmap unmapping = { NULL, unmap };

/* ---- the log: a line on standard error, which is the engine's log; never from run, where a write could block */

static char last_words[256]; /* what it said last: why it makes no instance of itself, mostly */

static int log_text(void *handle, uint32_t type, const char *format, va_list arguments)
{
    struct instance *self = handle;
    (void)type;
    if (__atomic_load_n(&self->in_run, __ATOMIC_RELAXED)) return 0;
    char text[512];
    int length = vsnprintf(text, sizeof text, format, arguments);
    snprintf(last_words, sizeof last_words, "%.*s", (int)strcspn(text, "\n"), text);
    fprintf(stderr, "lv2: %s: %s%s", self->plugin->uri, text, length > 0 && (size_t)length < sizeof text && text[length - 1] == '\n' ? "" : "\n");
    return length;
}

static int log_line(void *handle, uint32_t type, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = log_text(handle, type, format, arguments);
    va_end(arguments);
    return length;
}

/* ---- work: from run to the steward and back */

static int ring_put(struct ring *r, uint32_t size, const void *data)
{
    uint32_t need = 8 + ((size + 7) & ~7u);
    uint64_t written = r->written, read = __atomic_load_n(&r->read, __ATOMIC_ACQUIRE);
    if (size > RING_BYTES / 2 || written - read + need > RING_BYTES) return 3; /* LV2_WORKER_ERR_NO_SPACE */
    uint64_t header = size;
    memcpy(r->bytes + written % RING_BYTES, &header, 8);
    for (uint32_t done = 0; done < size;) {
        uint64_t at = (written + 8 + done) % RING_BYTES;
        uint32_t run = size - done < RING_BYTES - at ? size - done : (uint32_t)(RING_BYTES - at);
        memcpy(r->bytes + at, (const char *)data + done, run);
        done += run;
    }
    __atomic_store_n(&r->written, written + need, __ATOMIC_RELEASE);
    return 0;
}

/* The next one, copied into RING_BYTES / 2 bytes; -1: none. */
static int64_t ring_take(struct ring *r, unsigned char *into)
{
    uint64_t read = r->read;
    if (read == __atomic_load_n(&r->written, __ATOMIC_ACQUIRE)) return -1;
    uint64_t size;
    memcpy(&size, r->bytes + read % RING_BYTES, 8);
    for (uint64_t done = 0; done < size;) {
        uint64_t at = (read + 8 + done) % RING_BYTES;
        uint64_t run = size - done < RING_BYTES - at ? size - done : RING_BYTES - at;
        memcpy(into + done, r->bytes + at, run);
        done += run;
    }
    __atomic_store_n(&r->read, read + 8 + ((size + 7) & ~UINT64_C(7)), __ATOMIC_RELEASE);
    return (int64_t)size;
}

/* What was asked and answered dies with who asked. [while neither run nor work goes on] */
static void ring_empty(struct ring *r)
{
    if (r != NULL) __atomic_store_n(&r->read, r->written, __ATOMIC_RELEASE);
}

static int schedule_work(void *handle, uint32_t size, const void *data)
{
    struct voice *v = handle;
    return v->asked == NULL ? 1 : ring_put(v->asked, size, data);
}

static int respond(void *handle, uint32_t size, const void *data)
{
    struct voice *v = handle;
    return ring_put(v->answered, size, data);
}

static int has_asked(const struct instance *self)
{
    for (int v = 0; self->worker != NULL && v < self->voices; v++) {
        struct ring *r = self->voice[v].asked;
        if (__atomic_load_n(&r->read, __ATOMIC_RELAXED) != r->written) return 1;
    }
    return 0;
}

/* ---- state: key, type and flags of each value, in words, so that it outlives this process's identifiers */

#define STATE_MAGIC 0x3253564cu /* "LVS2" */

struct entry {
    uint32_t size, flags, key_bytes, type_bytes; /* the words' zeros included; both words, then the value, on multiples of 8 */
};

struct saving {
    unsigned char *at;
    int64_t used, room;
};

static int64_t padded(int64_t bytes) { return (bytes + 7) & ~INT64_C(7); }

static int store(void *handle, uint32_t key, const void *value, uint64_t size, uint32_t type, uint32_t flags)
{
    struct saving *s = handle;
    const char *key_text = unmap(NULL, key), *type_text = unmap(NULL, type);
    if (key_text == NULL || type_text == NULL) return 2;
    if ((flags & 1) == 0) return 3; /* not plain data: it could not be copied */
    struct entry e = { (uint32_t)size, flags, (uint32_t)strlen(key_text) + 1, (uint32_t)strlen(type_text) + 1 };
    int64_t words = padded((int64_t)e.key_bytes + e.type_bytes);
    if (size > (uint64_t)s->room || s->used + (int64_t)sizeof e + words + padded((int64_t)size) > s->room) return 6;
    unsigned char *p = s->at + s->used;
    memset(p, 0, sizeof e + (size_t)words + (size_t)padded((int64_t)size));
    memcpy(p, &e, sizeof e);
    memcpy(p + sizeof e, key_text, e.key_bytes);
    memcpy(p + sizeof e + e.key_bytes, type_text, e.type_bytes);
    memcpy(p + sizeof e + words, value, size);
    s->used += (int64_t)sizeof e + words + padded((int64_t)size);
    return 0;
}

/* The next entry of a blob, and where the one after it begins; 0: it is damaged. */
static int64_t next_entry(const unsigned char *blob, int64_t bytes, int64_t at, struct entry *e)
{
    if (bytes - at < (int64_t)sizeof *e) return 0;
    memcpy(e, blob + at, sizeof *e);
    int64_t words = padded((int64_t)e->key_bytes + e->type_bytes), rest = bytes - at - (int64_t)sizeof *e;
    if (e->key_bytes < 2 || e->type_bytes < 2 || words > rest || padded(e->size) > rest - words) return 0;
    const unsigned char *text = blob + at + sizeof *e;
    if (text[e->key_bytes - 1] != 0 || text[e->key_bytes + e->type_bytes - 1] != 0) return 0;
    return at + (int64_t)sizeof *e + words + padded(e->size);
}

static int is_sound(const unsigned char *blob, int64_t bytes)
{
    uint64_t magic;
    struct entry e;
    if (bytes < 8) return 0;
    memcpy(&magic, blob, 8);
    if (magic != STATE_MAGIC) return 0;
    int64_t at = 8;
    while (at < bytes)
        if ((at = next_entry(blob, bytes, at, &e)) == 0) return 0;
    return 1;
}

static const void *retrieve(void *handle, uint32_t key, uint64_t *size, uint32_t *type, uint32_t *flags)
{
    struct saving *s = handle;
    const char *wanted = unmap(NULL, key);
    struct entry e;
    for (int64_t at = 8, next; wanted != NULL && at < s->used; at = next) {
        next = next_entry(s->at, s->used, at, &e);
        const char *text = (const char *)s->at + at + sizeof e;
        if (strcmp(text, wanted) != 0) continue;
        if (size) *size = e.size;
        if (type) *type = map(NULL, text + e.key_bytes);
        if (flags) *flags = e.flags;
        return text + padded((int64_t)e.key_bytes + e.type_bytes);
    }
    return NULL;
}

/* Files that a state names are named absolutely: a patch refers to them where they are, and copies none. */
static char *same_path(void *handle, const char *path)
{
    (void)handle;
    return strdup(path);
}

static void free_path(void *handle, char *path)
{
    (void)handle;
    free(path);
}

static struct lv2_map_path path_mapping = { NULL, same_path, same_path };
static struct lv2_free_path path_freeing = { NULL, free_path };

static void restore(struct instance *self)
{
    struct saving s = { self->stash, self->stash_bytes, self->stash_bytes };
    for (int v = 0; v < self->voices; v++)
        if (self->voice[v].handle != NULL) self->state->restore(self->voice[v].handle, retrieve, &s, 0, self->voice[v].list);
}

/* ---- the instance */

static char failure[1200]; /* not of a thread: static thread storage is scarce in a library that is loaded late */

/* Why the last construct failed. [steward, probe] */
const char *ssp_lv2_failure(void) { return failure; }

uint64_t ssp_float_control(void);
void ssp_keep_float_control(uint64_t before);
void ssp_signals_keep(void);
void ssp_signals_restore(void);

static int fail(const char *what, const char *detail)
{
    snprintf(failure, sizeof failure, "%s%s", what, detail);
    return 1;
}

static int is_signal(int kind) { return kind <= CV_OUT; }
static int is_sequence(int kind) { return kind == ATOM_IN || kind == ATOM_OUT; }
static int voices_of(const struct plugin *p, const ssp_instance_setup *setup) { return (p->flags & VOICES) ? setup->settings[0] : 1; }
static int64_t block(int64_t bytes) { return (bytes + 63) & ~INT64_C(63); }

static int64_t port_bytes(const struct port *p, int quantum)
{
    if (is_signal(p->kind)) return block((int64_t)quantum * sizeof(float));
    if (is_sequence(p->kind)) return block(p->bytes);
    return p->kind == UNUSED ? 0 : block(sizeof(float));
}

static int64_t instance_bytes(void *context, const ssp_instance_setup *setup)
{
    const struct plugin *p = context;
    int64_t voice = block(p->ports * (int64_t)sizeof(void *));
    for (int i = 0; i < p->ports; i++) voice += port_bytes(&p->port[i], setup->quantum);
    if (p->flags & WORKER) voice += 2 * block(sizeof(struct ring));
    int voices = voices_of(p, setup);
    return block(sizeof(struct instance)) + block(voices * (int64_t)sizeof(struct voice)) + block(p->state_bytes) + voices * voice;
}

/* Binaries that use a library and do not name it (Debian's swh-lv2 and FFTW): it is loaded for them. */
static int load_forgotten(const char *why)
{
    static const struct { const char *symbol, *library; } known[] = {
        { "undefined symbol: fftwf_", "libfftw3f.so.3" }, { "undefined symbol: fftw_", "libfftw3.so.3" },
    };
    for (unsigned i = 0; why != NULL && i < sizeof known / sizeof *known; i++)
        if (strstr(why, known[i].symbol) != NULL) return dlopen(known[i].library, RTLD_NOW | RTLD_GLOBAL) != NULL;
    return 0;
}

static const struct lv2_descriptor *open_plugin(const struct plugin *p)
{
    ssp_signals_keep();
    void *library = dlopen(p->binary, RTLD_NOW | RTLD_LOCAL); /* for good: the same one next time */
    if (library == NULL) {
        const char *why = dlerror();
        fail("its binary cannot be loaded: ", why ? why : p->binary);
        if (load_forgotten(failure)) library = dlopen(p->binary, RTLD_NOW | RTLD_LOCAL);
    }
    ssp_signals_restore();
    if (library == NULL) return NULL;
    const struct lv2_descriptor *(*get)(uint32_t) = (const struct lv2_descriptor *(*)(uint32_t))dlsym(library, "lv2_descriptor");
    const struct lv2_library *(*open)(const char *, const struct lv2_feature *const *) =
        (const struct lv2_library *(*)(const char *, const struct lv2_feature *const *))dlsym(library, "lv2_lib_descriptor");
    if (get == NULL && open == NULL) {
        fail("its binary has neither lv2_descriptor nor lv2_lib_descriptor: ", p->binary);
        return NULL;
    }
    const struct lv2_feature map_feature = { EXTENSION "urid#map", &mapping }, unmap_feature = { EXTENSION "urid#unmap", &unmapping };
    const struct lv2_feature *const features[] = { &map_feature, &unmap_feature, NULL };
    const struct lv2_library *several = get == NULL ? open(p->bundle, features) : NULL;
    for (uint32_t i = 0; i < 4096; i++) {
        const struct lv2_descriptor *d = get != NULL ? get(i) : several != NULL ? several->get_plugin(several->handle, i) : NULL;
        if (d == NULL) break;
        if (d->uri != NULL && strcmp(d->uri, p->uri) == 0) return d;
    }
    fail("its binary has no plugin of the URI that its bundle promises: ", p->uri);
    return NULL;
}

/* Mapped before the first instance is made, so that run need not ask. */
static struct {
    uint32_t sequence, midi, object, whole, longer, real, twice;
    uint32_t position, frame, speed, bar, bar_beat, beat, beat_unit, beats_per_bar, tempo, frames_per_second;
} urid;

#define ATOM EXTENSION "atom#"
#define TIME EXTENSION "time#"

static void know(void)
{
    static const struct { uint32_t *id; const char *uri; } words[] = {
        { &urid.sequence, ATOM "Sequence" }, { &urid.midi, EXTENSION "midi#MidiEvent" }, { &urid.object, ATOM "Object" }, { &urid.whole, ATOM "Int" },
        { &urid.longer, ATOM "Long" }, { &urid.real, ATOM "Float" }, { &urid.twice, ATOM "Double" }, { &urid.position, TIME "Position" },
        { &urid.frame, TIME "frame" }, { &urid.speed, TIME "speed" }, { &urid.bar, TIME "bar" }, { &urid.bar_beat, TIME "barBeat" },
        { &urid.beat, TIME "beat" }, { &urid.beat_unit, TIME "beatUnit" }, { &urid.beats_per_bar, TIME "beatsPerBar" },
        { &urid.tempo, TIME "beatsPerMinute" }, { &urid.frames_per_second, TIME "framesPerSecond" },
    };
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) *words[i].id = map(NULL, words[i].uri);
}

static void clear_sequence(void *buffer, const struct port *p)
{
    struct lv2_sequence *s = buffer;
    if (p->kind == ATOM_OUT) {
        *s = (struct lv2_sequence){ { (uint32_t)p->bytes - sizeof(struct lv2_atom), 0 }, 0, 0 }; /* room; of type 0, as the extension asks */
        return;
    }
    *s = (struct lv2_sequence){ { sizeof(struct lv2_sequence) - sizeof(struct lv2_atom), urid.sequence }, 0, 0 };
}

static void rest(struct instance *self, struct voice *v)
{
    for (int i = 0; i < self->plugin->ports; i++) {
        const struct port *p = &self->plugin->port[i];
        if (is_signal(p->kind)) memset(v->buffers[i], 0, (size_t)self->quantum * sizeof(float));
        else if (is_sequence(p->kind)) clear_sequence(v->buffers[i], p);
        else if (p->kind == CONTROL_IN || p->kind == CONTROL_OUT) *(float *)v->buffers[i] = p->value;
    }
}

static void offer(struct voice *v, const char *uri, void *data)
{
    int n = 0;
    while (v->list[n] != NULL) n++;
    v->features[n] = (struct lv2_feature){ uri, data };
    v->list[n] = &v->features[n];
}

static void *take(unsigned char **at, int64_t bytes)
{
    void *here = *at;
    *at += block(bytes);
    return here;
}

static void options_of(struct instance *self)
{
    struct lv2_option *o = self->options;
    o[0] = (struct lv2_option){ 0, 0, map(NULL, EXTENSION "parameters#sampleRate"), sizeof(float), urid.real, &self->rate };
    o[1] = (struct lv2_option){ 0, 0, map(NULL, EXTENSION "buf-size#minBlockLength"), sizeof(int32_t), urid.whole, &self->quantum };
    o[2] = (struct lv2_option){ 0, 0, map(NULL, EXTENSION "buf-size#maxBlockLength"), sizeof(int32_t), urid.whole, &self->quantum };
    o[3] = (struct lv2_option){ 0, 0, map(NULL, EXTENSION "buf-size#nominalBlockLength"), sizeof(int32_t), urid.whole, &self->quantum };
    o[4] = (struct lv2_option){ 0, 0, map(NULL, EXTENSION "buf-size#sequenceSize"), sizeof(int32_t), urid.whole, &self->sequence_bytes };
}

static void end(struct instance *self, int voices)
{
    for (int i = 0; i < voices; i++) {
        if (self->voice[i].handle == NULL) continue; /* could not be made anew */
        if (self->descriptor->deactivate) self->descriptor->deactivate(self->voice[i].handle);
        if (self->descriptor->cleanup) self->descriptor->cleanup(self->voice[i].handle);
    }
}

static int make(struct instance *self, struct voice *v)
{
    const struct lv2_descriptor *d = self->descriptor;
    last_words[0] = 0;
    v->handle = d->instantiate(d, self->rate, self->plugin->bundle, v->list);
    if (v->handle == NULL) return fail(last_words[0] ? "it makes no instance of itself: " : "it makes no instance of itself", last_words);
    for (int i = 0; i < self->plugin->ports; i++) d->connect_port(v->handle, (uint32_t)i, v->buffers[i]);
    rest(self, v);
    if (d->activate) d->activate(v->handle);
    return 0;
}

static int32_t construct(void *context, void *memory, const ssp_instance_setup *setup, ssp_module_timing *timing)
{
    const struct plugin *p = context;
    unsigned char *at = memory;
    struct instance *self = take(&at, sizeof(struct instance));
    self->plugin = p;
    self->quantum = setup->quantum;
    timing->tail_frames = -1; /* LV2 plugins do not tell */
    self->stash = take(&at, p->state_bytes);
    if (__atomic_load_n(&p->flags, __ATOMIC_ACQUIRE) & SILENT) return 0;
    know();
    if ((self->descriptor = open_plugin(p)) == NULL) return 1;
    self->rate = setup->sample_rate;
    self->voices = voices_of(p, setup);
    self->sequence_bytes = SEQUENCE_BYTES;
    self->voice = take(&at, self->voices * (int64_t)sizeof(struct voice));
    self->log = (struct lv2_log){ self, log_line, log_text };
    options_of(self);
    self->pulses = p->pulses >= 0 ? setup->settings[p->pulses] : 1;
    if (self->pulses < 1) self->pulses = 1;
    beat_reset(&self->time);
    const struct lv2_descriptor *d = self->descriptor;
    for (int i = 0; i < self->voices; i++) {
        struct voice *v = &self->voice[i];
        v->buffers = take(&at, p->ports * (int64_t)sizeof(void *));
        if (p->flags & WORKER) {
            v->asked = take(&at, sizeof(struct ring));
            v->answered = take(&at, sizeof(struct ring));
        }
        v->schedule = (struct lv2_schedule){ v, schedule_work };
        offer(v, EXTENSION "urid#map", &mapping);
        offer(v, EXTENSION "urid#unmap", &unmapping);
        offer(v, EXTENSION "options#options", self->options);
        offer(v, EXTENSION "buf-size#boundedBlockLength", NULL);
        offer(v, EXTENSION "buf-size#fixedBlockLength", NULL);
        offer(v, EXTENSION "buf-size#powerOf2BlockLength", NULL);
        offer(v, EXTENSION "log#log", &self->log);
        offer(v, "http://lv2plug.in/ns/lv2core#isLive", NULL);
        offer(v, EXTENSION "state#mapPath", &path_mapping);
        offer(v, EXTENSION "state#freePath", &path_freeing);
        if (v->asked != NULL) offer(v, EXTENSION "worker#schedule", &v->schedule);
        for (int n = 0; n < p->ports; n++) {
            int64_t bytes = port_bytes(&p->port[n], self->quantum);
            v->buffers[n] = bytes > 0 ? take(&at, bytes) : NULL;
        }
        if (make(self, v) != 0) {
            end(self, i);
            return 1;
        }
    }
    self->worker = (p->flags & WORKER) && d->extension_data ? d->extension_data(EXTENSION "worker#interface") : NULL;
    self->state = p->state_bytes > 0 && d->extension_data ? d->extension_data(EXTENSION "state#interface") : NULL;
    if (p->latency >= 0) {
        d->run(self->voice[0].handle, 0); /* no frames: it only says what it knows, its latency among that */
        float frames = *(float *)self->voice[0].buffers[p->latency];
        timing->latency_frames = frames >= 0 && frames < 1e6f ? (int32_t)(frames + 0.5f) : 0;
    }
    return 0;
}

static void destroy(void *memory)
{
    struct instance *self = memory;
    if (self->descriptor != NULL) end(self, self->voices);
}

static void reset(void *memory)
{
    struct instance *self = memory;
    if (self->descriptor == NULL || self->waiting == JOB_RENEW) return;
    if (self->waiting == 0 && self->played && self->quanta < SOON) self->waiting = JOB_RENEW; /* what is not a number stays in many a delay line */
    self->quanta = 0;
    beat_reset(&self->time);
    for (int i = 0; i < self->voices; i++) {
        struct voice *v = &self->voice[i];
        if (self->descriptor->deactivate) self->descriptor->deactivate(v->handle);
        rest(self, v);
        if (self->descriptor->activate) self->descriptor->activate(v->handle);
    }
}

static int midi(const ssp_module_event *e, unsigned char *b)
{
    int key = e->index & 127, value = (int)(e->value * 127.0f + 0.5f);
    value = value < 0 ? 0 : value > 127 ? 127 : value;
    unsigned char channel = e->channel & 15;
    b[1] = (unsigned char)key;
    b[2] = (unsigned char)value;
    switch (e->kind) {
    case SSP_EVENT_KIND_NOTE_ON: b[0] = 0x90 | channel; b[2] = value > 0 ? b[2] : 1; return 3; /* 0 would end the note */
    case SSP_EVENT_KIND_NOTE_OFF: b[0] = 0x80 | channel; return 3;
    case SSP_EVENT_KIND_CONTROLLER: b[0] = 0xB0 | channel; return 3;
    case SSP_EVENT_KIND_KEY_PRESSURE: b[0] = 0xA0 | channel; return 3;
    case SSP_EVENT_KIND_PRESSURE: b[0] = 0xD0 | channel; b[1] = b[2]; return 2;
    case SSP_EVENT_KIND_PITCH_BEND: {
        int bend = (int)((e->value + 1) * 8192.0f);
        bend = bend < 0 ? 0 : bend > 16383 ? 16383 : bend;
        b[0] = 0xE0 | channel;
        b[1] = bend & 127;
        b[2] = (unsigned char)(bend >> 7);
        return 3;
    }
    case SSP_EVENT_KIND_CLOCK: b[0] = 0xF8; return 1;
    case SSP_EVENT_KIND_START: b[0] = 0xFA; return 1;
    case SSP_EVENT_KIND_CONTINUE: b[0] = 0xFB; return 1;
    case SSP_EVENT_KIND_STOP: b[0] = 0xFC; return 1;
    default: return 0;
    }
}

static unsigned char *put_property(unsigned char *at, uint32_t key, uint32_t type, uint32_t size, const void *value)
{
    struct lv2_property head = { key, 0, { size, type } };
    memcpy(at, &head, sizeof head);
    memset(at + sizeof head, 0, 8);
    memcpy(at + sizeof head, value, size);
    return at + sizeof head + 8;
}

#define POSITION_BYTES 256 /* at most, with its event */

static unsigned char *put_position(unsigned char *at, struct beat_position p, int64_t now, float rate)
{
    int64_t bar = (int64_t)floor(p.beats / BEATS_IN_BAR);
    float bar_beat = (float)(p.beats - (double)bar * BEATS_IN_BAR), speed = (float)p.speed, tempo = (float)p.tempo, in_bar = BEATS_IN_BAR;
    int32_t unit = 4;
    unsigned char *body = at + sizeof(struct lv2_event), *end = body + sizeof(struct lv2_object);
    memcpy(body, &(struct lv2_object){ 0, urid.position }, sizeof(struct lv2_object));
    end = put_property(end, urid.frame, urid.longer, 8, &now);
    end = put_property(end, urid.speed, urid.real, 4, &speed);
    end = put_property(end, urid.bar, urid.longer, 8, &bar);
    end = put_property(end, urid.bar_beat, urid.real, 4, &bar_beat);
    end = put_property(end, urid.beat, urid.twice, 8, &p.beats);
    end = put_property(end, urid.beat_unit, urid.whole, 4, &unit);
    end = put_property(end, urid.beats_per_bar, urid.real, 4, &in_bar);
    end = put_property(end, urid.tempo, urid.real, 4, &tempo);
    end = put_property(end, urid.frames_per_second, urid.real, 4, &rate);
    memcpy(at, &(struct lv2_event){ 0, { (uint32_t)(end - body), urid.object } }, sizeof(struct lv2_event));
    return end;
}

/* What an atom input takes: its index and one more. */
enum { TAKES_MIDI = 1, TAKES_TIME = 2 };

static void fill_sequence(const struct instance *self, const ssp_process_context *c, void *buffer, const struct port *p, const struct beat_position *news)
{
    clear_sequence(buffer, p);
    int takes = p->index + 1;
    struct lv2_sequence *s = buffer;
    unsigned char *at = (unsigned char *)(s + 1), *end = (unsigned char *)buffer + p->bytes;
    if ((takes & TAKES_TIME) && news != NULL && end - at >= POSITION_BYTES) at = put_position(at, *news, self->time.now, self->rate);
    int cursor = 0;
    for (const ssp_module_event *e; (takes & TAKES_MIDI) && end - at >= 24 && (e = ssp_next_event(c, &cursor)) != NULL;) {
        unsigned char bytes[8] = { 0 };
        int length = midi(e, bytes);
        if (length == 0) continue;
        struct lv2_event head = { (int64_t)e->frame, { (uint32_t)length, urid.midi } };
        memcpy(at, &head, sizeof head);
        memcpy(at + sizeof head, bytes, 8);
        at += sizeof head + 8;
    }
    s->atom.size = (uint32_t)(at - (unsigned char *)buffer - sizeof(struct lv2_atom));
}

/* Who says what time it is in this quantum; where it is at its beginning, if that is news. */
static int begin_time(struct instance *self, const ssp_process_context *c, struct beat_position *p)
{
    struct beat_time *t = &self->time;
    const struct plugin *plugin = self->plugin;
    int jack = plugin->clock >= 0 && (c->inputs[plugin->clock].flags & SSP_SIGNAL_FLAGS_CONNECTED) != 0;
    int source = jack ? BY_JACK : t->source == BY_JACK ? BY_KNOB : t->source;
    if (source != t->source) {
        double beats = t->beats;
        int64_t now = t->now;
        beat_reset(t);
        t->source = source;
        t->beats = beats;
        t->now = now;
    }
    *p = beat_at(t, source == BY_JACK ? self->pulses : MIDI_PULSES, self->rate, ssp_param(c, plugin->tempo, 0));
    if (!beat_is_news(t, *p, self->rate)) return 0;
    beat_sent(t, *p);
    return 1;
}

/* What this quantum brings, for the next one. */
static void end_time(struct instance *self, const ssp_process_context *c)
{
    struct beat_time *t = &self->time;
    if (t->source == BY_JACK) {
        const float *volts = ssp_in(c, self->plugin->clock, 0);
        for (int f = 0; f < c->frames; f++) {
            if (!t->high && volts[f] >= GATE_HIGH) {
                t->high = 1;
                beat_pulse(t, t->now + f);
            } else if (volts[f] <= GATE_LOW) {
                t->high = 0;
            }
        }
    }
    int cursor = 0;
    for (const ssp_module_event *e; t->source != BY_JACK && (e = ssp_next_event(c, &cursor)) != NULL;) {
        if (e->kind < SSP_EVENT_KIND_CLOCK || e->kind > SSP_EVENT_KIND_STOP) continue;
        t->source = BY_MIDI;
        if (e->kind == SSP_EVENT_KIND_CLOCK) beat_pulse(t, t->now + (int64_t)e->frame);
        else if (e->kind == SSP_EVENT_KIND_START) beat_rewind(t);
        if (e->kind != SSP_EVENT_KIND_CLOCK) t->running = e->kind != SSP_EVENT_KIND_STOP;
    }
    if (t->source == BY_KNOB) t->beats += (double)c->frames / self->rate * ssp_param(c, self->plugin->tempo, 0) / 60.0;
    t->now += c->frames;
}

/* One voice of several hears its channel; one alone hears the sum of an audio cable and the first channel of a CV. */
static void fill_input(const struct instance *self, const ssp_process_context *c, int voice, const struct port *p, float *to)
{
    const float scale = p->kind == AUDIO_IN ? 1 / VOLTS : 1;
    const float *from = ssp_in(c, p->index, voice);
    for (int f = 0; f < c->frames; f++) to[f] = from[f] * scale;
    if (self->voices > 1 || p->kind != AUDIO_IN) return;
    for (int channel = 1; channel < c->inputs[p->index].channels; channel++) {
        from = ssp_in(c, p->index, channel);
        for (int f = 0; f < c->frames; f++) to[f] += from[f] * scale;
    }
}

static void silence(const struct instance *self, const ssp_process_context *c)
{
    for (int i = 0; i < self->plugin->ports; i++) {
        const struct port *p = &self->plugin->port[i];
        if ((p->kind != AUDIO_OUT && p->kind != CV_OUT) || p->index < 0) continue;
        for (int v = 0; v < c->outputs[p->index].channels; v++) memset(ssp_out(c, p->index, v), 0, (size_t)c->frames * sizeof(float));
    }
}

static void play(struct instance *self, const ssp_process_context *c, int voice, unsigned char *letter, const struct beat_position *news)
{
    struct voice *v = &self->voice[voice];
    const struct plugin *p = self->plugin;
    for (int i = 0; i < p->ports; i++) {
        const struct port *port = &p->port[i];
        if (port->kind == CONTROL_IN) *(float *)v->buffers[i] = port->index < 0 ? port->value : ssp_param(c, port->index, 0);
        else if (port->kind == ATOM_IN) fill_sequence(self, c, v->buffers[i], port, news);
        else if (port->kind == ATOM_OUT) clear_sequence(v->buffers[i], port);
        else if (port->kind == AUDIO_IN || port->kind == CV_IN) fill_input(self, c, voice, port, v->buffers[i]);
    }
    if (self->worker != NULL) {
        for (int64_t size; (size = ring_take(v->answered, letter)) >= 0;)
            if (self->worker->work_response) self->worker->work_response(v->handle, (uint32_t)size, letter);
    }
    self->descriptor->run(v->handle, (uint32_t)c->frames);
    if (self->worker != NULL && self->worker->end_run) self->worker->end_run(v->handle);
    for (int i = 0; i < p->ports; i++) {
        const struct port *port = &p->port[i];
        if (port->kind == CONTROL_OUT && voice == 0 && port->index >= 0) c->telemetry[port->index] = *(float *)v->buffers[i];
        if ((port->kind != AUDIO_OUT && port->kind != CV_OUT) || port->index < 0 || voice >= c->outputs[port->index].channels) continue;
        const float scale = port->kind == AUDIO_OUT ? VOLTS : 1, *from = v->buffers[i];
        float *to = ssp_out(c, port->index, voice);
        for (int f = 0; f < c->frames; f++) to[f] = from[f] * scale;
    }
}

static ssp_process_result process(void *memory, const ssp_process_context *c)
{
    struct instance *self = memory;
    if (self->descriptor == NULL) {
        silence(self, c);
        return SSP_PROCESS_RESULT_SLEEP;
    }
    self->played = 1;
    int32_t kind;
    int64_t result;
    if (ssp_take_reply(c, &kind, &result) && kind == self->waiting && result == 0) self->waiting = 0;
    if (self->waiting) { /* it must not meet run; what could not be made anew stays silent and is tried again */
        ssp_request_work(c, self->waiting, 0);
        silence(self, c);
        return SSP_PROCESS_RESULT_CONTINUE;
    }
    if (self->quanta < SOON) self->quanta++;
    unsigned char letter[RING_BYTES / 2];
    __atomic_store_n(&self->in_run, 1, __ATOMIC_RELAXED);
    struct beat_position position;
    const struct beat_position *news = self->plugin->tempo >= 0 && begin_time(self, c, &position) ? &position : NULL;
    uint64_t control = ssp_float_control(); /* a plugin that leaves it otherwise would change how every module after it rounds and flushes */
    for (int v = 0; v < self->voices; v++) play(self, c, v, letter, news);
    ssp_keep_float_control(control);
    __atomic_store_n(&self->in_run, 0, __ATOMIC_RELAXED);
    if (self->plugin->tempo >= 0) end_time(self, c);
    if (has_asked(self)) ssp_request_work(c, JOB_WORK, 0);
    return SSP_PROCESS_RESULT_CONTINUE;
}

static int32_t save_state(void *memory, void *into, int32_t bytes);

/* New handles in place of those that reset did not mend, with the state of the old ones. */
static int renew(struct instance *self)
{
    if (self->state != NULL && self->voice[0].handle != NULL && !self->stash_is_newer) self->stash_bytes = save_state(self, self->stash, self->plugin->state_bytes);
    end(self, self->voices);
    int failed = 0;
    for (int v = 0; v < self->voices; v++) {
        ring_empty(self->voice[v].asked);
        ring_empty(self->voice[v].answered);
        failed |= make(self, &self->voice[v]);
    }
    self->stash_is_newer = failed; /* nobody is there who could save another one */
    if (!failed && self->state != NULL && self->stash_bytes > 0) restore(self);
    return failed;
}

static void work(void *memory, ssp_work_job *job)
{
    struct instance *self = memory;
    job->result = 0;
    if (job->kind == JOB_RESTORE) restore(self);
    if (job->kind == JOB_RENEW) job->result = renew(self);
    if (job->kind != JOB_WORK) return;
    unsigned char letter[RING_BYTES / 2];
    for (int v = 0; self->worker != NULL && v < self->voices; v++) {
        struct voice *voice = &self->voice[v];
        for (int64_t size; (size = ring_take(voice->asked, letter)) >= 0;)
            self->worker->work(voice->handle, respond, voice, (uint32_t)size, letter);
    }
}

/* [steward, while process may go on: the extension allows save beside run, and run must not pay for what it allocates] */
static int32_t save_state(void *memory, void *into, int32_t bytes)
{
    struct instance *self = memory;
    int waiting = __atomic_load_n(&self->waiting, __ATOMIC_RELAXED);
    /* What a missing plugin was given is kept for the day it is there; and what was given and not yet taken is the state. */
    if (self->descriptor == NULL || waiting == JOB_RESTORE || (waiting == JOB_RENEW && self->stash_is_newer) || self->voice[0].handle == NULL) {
        if (bytes < self->stash_bytes) return 0;
        memcpy(into, self->stash, (size_t)self->stash_bytes);
        return self->stash_bytes;
    }
    if (self->state == NULL || bytes < 8) return 0;
    struct saving s = { into, 8, bytes };
    uint64_t magic = STATE_MAGIC;
    memcpy(into, &magic, 8);
    if (self->state->save(self->voice[0].handle, store, &s, 1 | 2, self->voice[0].list) != 0) return 0;
    return (int32_t)s.used;
}

static int32_t load_state(void *memory, uint32_t version, const void *state, int32_t bytes)
{
    struct instance *self = memory;
    if (version != 1) return 0;
    if (bytes == 0) return 1;
    if (bytes > self->plugin->state_bytes || !is_sound(state, bytes)) return 0;
    memcpy(self->stash, state, (size_t)bytes);
    self->stash_bytes = bytes;
    if (self->descriptor == NULL || self->state == NULL) return 1;
    if (!self->played) {
        restore(self);
    } else if (__atomic_load_n(&self->waiting, __ATOMIC_RELAXED) == JOB_RENEW) {
        self->stash_is_newer = 1;
    } else {
        __atomic_store_n(&self->waiting, JOB_RESTORE, __ATOMIC_RELEASE); /* off the RT threads, and process waits */
    }
    return 1;
}

/* Fills the table of a plugin's record, which lives as long as the table. [steward] */
void ssp_lv2_table(ssp_native_module *table, struct plugin *plugin)
{
    *table = (ssp_native_module){
        .abi_version = SSP_ABI_MODULE, .bytes = sizeof *table, .context = plugin, .instance_bytes = instance_bytes, .construct = construct,
        .destroy = destroy, .reset = reset, .process = process, .save_state = save_state, .load_state = load_state, .work = work,
    };
}
