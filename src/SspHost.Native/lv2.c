/* An LV2 plugin as a module of ours. In C, because a plugin may call its host from threads of its own, and from run: such a call must meet no
   managed runtime that would make the thread known to itself; and because the log is variadic. What the plugin is comes from the control
   process as a record (Lv2Plugin in SspHost.Abi); nothing here reads RDF. */
#define _GNU_SOURCE
#include "lv2.h"
#include "../../dsp-modules/sdk/ssp_module.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
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
    struct lv2_log log;
    struct lv2_option options[6];
};

/* ---- identifiers: one table for the process; looking up is lock-free, because run may */

#define MOST_URIDS 4096
static const char *urids[MOST_URIDS];
static uint32_t urid_count;
static char urid_text[256 * 1024];
static size_t urid_bytes;
static pthread_mutex_t urid_lock = PTHREAD_MUTEX_INITIALIZER;

static uint32_t find(const char *uri, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        if (strcmp(urids[i], uri) == 0) return i + 1;
    return 0;
}

static uint32_t map(void *handle, const char *uri)
{
    (void)handle;
    uint32_t known = __atomic_load_n(&urid_count, __ATOMIC_ACQUIRE);
    uint32_t id = find(uri, 0, known);
    if (id) return id;
    pthread_mutex_lock(&urid_lock);
    id = find(uri, known, urid_count);
    size_t length = strlen(uri) + 1;
    if (!id && urid_count < MOST_URIDS && length <= sizeof urid_text - urid_bytes) {
        memcpy(urid_text + urid_bytes, uri, length);
        urids[urid_count] = urid_text + urid_bytes;
        urid_bytes += length;
        id = urid_count + 1;
        __atomic_store_n(&urid_count, id, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&urid_lock);
    return id; /* 0: the table is full, which the extension allows */
}

static const char *unmap(void *handle, uint32_t urid)
{
    (void)handle;
    return urid > 0 && urid <= __atomic_load_n(&urid_count, __ATOMIC_ACQUIRE) ? urids[urid - 1] : NULL;
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
        if (r->read != r->written) return 1;
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

static void restore(struct instance *self)
{
    struct saving s = { self->stash, self->stash_bytes, self->stash_bytes };
    for (int v = 0; v < self->voices; v++) self->state->restore(self->voice[v].handle, retrieve, &s, 0, self->voice[v].list);
}

/* ---- the instance */

static char failure[1200]; /* not of a thread: static thread storage is scarce in a library that is loaded late */

/* Why the last construct failed. [steward, probe] */
const char *ssp_lv2_failure(void) { return failure; }

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

static const struct lv2_descriptor *open_plugin(const struct plugin *p)
{
    ssp_signals_keep();
    void *library = dlopen(p->binary, RTLD_NOW | RTLD_LOCAL); /* for good: the same one next time */
    ssp_signals_restore();
    if (library == NULL) {
        const char *why = dlerror();
        fail("its binary cannot be loaded: ", why ? why : p->binary);
        return NULL;
    }
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

static void clear_sequence(struct instance *self, void *buffer, const struct port *p)
{
    struct lv2_sequence *s = buffer;
    if (p->kind == ATOM_OUT) {
        *s = (struct lv2_sequence){ { (uint32_t)p->bytes - sizeof(struct lv2_atom), 0 }, 0, 0 }; /* room; of type 0, as the extension asks */
        return;
    }
    (void)self;
    static uint32_t type;
    if (type == 0) type = map(NULL, EXTENSION "atom#Sequence");
    *s = (struct lv2_sequence){ { sizeof(struct lv2_sequence) - sizeof(struct lv2_atom), type }, 0, 0 };
}

static void rest(struct instance *self, struct voice *v)
{
    for (int i = 0; i < self->plugin->ports; i++) {
        const struct port *p = &self->plugin->port[i];
        if (is_signal(p->kind)) memset(v->buffers[i], 0, (size_t)self->quantum * sizeof(float));
        else if (is_sequence(p->kind)) clear_sequence(self, v->buffers[i], p);
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
    uint32_t whole = map(NULL, EXTENSION "atom#Int"), real = map(NULL, EXTENSION "atom#Float");
    struct lv2_option *o = self->options;
    o[0] = (struct lv2_option){ 0, 0, map(NULL, "http://lv2plug.in/ns/ext/parameters#sampleRate"), sizeof(float), real, &self->rate };
    o[1] = (struct lv2_option){ 0, 0, map(NULL, EXTENSION "buf-size#minBlockLength"), sizeof(int32_t), whole, &self->quantum };
    o[2] = (struct lv2_option){ 0, 0, map(NULL, EXTENSION "buf-size#maxBlockLength"), sizeof(int32_t), whole, &self->quantum };
    o[3] = (struct lv2_option){ 0, 0, map(NULL, EXTENSION "buf-size#nominalBlockLength"), sizeof(int32_t), whole, &self->quantum };
    o[4] = (struct lv2_option){ 0, 0, map(NULL, EXTENSION "buf-size#sequenceSize"), sizeof(int32_t), whole, &self->sequence_bytes };
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
    if ((self->descriptor = open_plugin(p)) == NULL) return 1;
    self->rate = setup->sample_rate;
    self->voices = voices_of(p, setup);
    self->sequence_bytes = SEQUENCE_BYTES;
    self->voice = take(&at, self->voices * (int64_t)sizeof(struct voice));
    self->log = (struct lv2_log){ self, log_line, log_text };
    options_of(self);
    (void)map(NULL, "http://lv2plug.in/ns/ext/midi#MidiEvent");
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
    if (self->played && self->quanta < SOON) self->waiting = JOB_RENEW; /* what is not a number stays in many a delay line */
    self->quanta = 0;
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

static void fill_sequence(struct instance *self, const ssp_process_context *c, void *buffer, const struct port *p)
{
    static uint32_t type;
    clear_sequence(self, buffer, p);
    if (p->index < 0) return; /* takes no MIDI */
    if (type == 0) type = map(NULL, "http://lv2plug.in/ns/ext/midi#MidiEvent");
    struct lv2_sequence *s = buffer;
    unsigned char *at = (unsigned char *)(s + 1), *last = (unsigned char *)buffer + p->bytes - 24;
    int cursor = 0;
    for (const ssp_module_event *e; at <= last && (e = ssp_next_event(c, &cursor)) != NULL;) {
        unsigned char bytes[8] = { 0 };
        int length = midi(e, bytes);
        if (length == 0) continue;
        struct lv2_event head = { (int64_t)e->frame, { (uint32_t)length, type } };
        memcpy(at, &head, sizeof head);
        memcpy(at + sizeof head, bytes, 8);
        at += sizeof head + 8;
    }
    s->atom.size = (uint32_t)(at - (unsigned char *)buffer - sizeof(struct lv2_atom));
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

static void play(struct instance *self, const ssp_process_context *c, int voice, unsigned char *letter)
{
    struct voice *v = &self->voice[voice];
    const struct plugin *p = self->plugin;
    for (int i = 0; i < p->ports; i++) {
        const struct port *port = &p->port[i];
        if (port->kind == CONTROL_IN) *(float *)v->buffers[i] = port->index < 0 ? port->value : ssp_param(c, port->index, 0);
        else if (port->kind == ATOM_IN) fill_sequence(self, c, v->buffers[i], port);
        else if (port->kind == ATOM_OUT) clear_sequence(self, v->buffers[i], port);
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
    for (int v = 0; v < self->voices; v++) play(self, c, v, letter);
    __atomic_store_n(&self->in_run, 0, __ATOMIC_RELAXED);
    if (has_asked(self)) ssp_request_work(c, JOB_WORK, 0);
    return SSP_PROCESS_RESULT_CONTINUE;
}

static int32_t save_state(void *memory, void *into, int32_t bytes);

/* New handles in place of those that reset did not mend, with the state of the old ones. */
static int renew(struct instance *self)
{
    if (self->state != NULL && self->voice[0].handle != NULL) self->stash_bytes = save_state(self, self->stash, self->plugin->state_bytes);
    end(self, self->voices);
    int failed = 0;
    for (int v = 0; v < self->voices; v++) failed |= make(self, &self->voice[v]);
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
    if (self->descriptor == NULL || self->waiting == JOB_RESTORE) { /* what a missing plugin was given is kept for the day it is there */
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
    if (self->played) self->waiting = JOB_RESTORE; /* off the RT threads, and process waits */
    else restore(self);
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
