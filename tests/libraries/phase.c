/* A slow sine whose phase is its state, and a number that only its state can hand on: what a hot replacement is heard and seen by. */
#include "ssp_module.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifndef ID
#define ID "test-phase"
#endif
#ifndef OUTPUT_ID
#define OUTPUT_ID "out"
#endif
#ifndef LEVEL
#define LEVEL 5.0f
#endif

struct phase {
    double turns;
    int32_t number; /* from the seed of the very first instance; 24 bits, so that a float holds it */
    float per_frame;
};

static int64_t instance_bytes(void *context, const ssp_instance_setup *setup)
{
    (void)context;
    (void)setup;
    return sizeof(struct phase);
}

static int32_t construct(void *context, void *memory, const ssp_instance_setup *setup, ssp_module_timing *timing)
{
    (void)context;
    struct phase *self = memory;
    self->number = (int32_t)(setup->seed & 0xFFFFFF);
    self->per_frame = 50.0f / setup->sample_rate;
    timing->tail_frames = -1;
#ifdef DIE_AT_CONSTRUCT
    __builtin_trap();
#endif
    return 0;
}

static void reset(void *memory) { ((struct phase *)memory)->turns = 0; }

#ifdef RUNTIME
/* As a library with a runtime of its own: it must know each thread before that plays. */
static __thread int known;
static int threads;
void ssp_thread_attach(void)
{
    if (!known) __atomic_fetch_add(&threads, 1, __ATOMIC_RELAXED);
    known = 1;
}
uint64_t ssp_runtime_collections(void)
{
    static uint64_t asked;
    return asked++;
}
#endif

#ifdef DIE_AFTER
#include <unistd.h>
static int quanta;
#endif

static ssp_process_result process(void *memory, const ssp_process_context *context)
{
    struct phase *self = memory;
    float *out = ssp_out(context, 0, 0);
    for (int i = 0; i < context->frames; i++) {
        out[i] = LEVEL * (float)sin(6.283185307179586 * self->turns);
        self->turns += self->per_frame;
        if (self->turns >= 1) self->turns -= 1;
    }
    context->telemetry[0] = (float)self->number;
#ifdef MALLOCS
    volatile char *block = malloc(3000); // what no module may do where it plays
    if (block) block[2999] = 1;
    free((void *)block);
#endif
#ifdef RUNTIME
    context->telemetry[0] = known ? (float)self->number : -1.0f;
    context->telemetry[1] = (float)threads;
#endif
#ifdef DIE_AFTER
    if (++quanta > DIE_AFTER) _exit(3);
#endif
    return SSP_PROCESS_RESULT_CONTINUE;
}

static int32_t save_state(void *memory, void *state, int32_t bytes)
{
    struct phase *self = memory;
    (void)bytes;
    memcpy(state, &self->turns, 8);
    memcpy((char *)state + 8, &self->number, 4);
    return 12;
}

static int32_t load_state(void *memory, uint32_t version, const void *state, int32_t bytes)
{
    struct phase *self = memory;
    if (version > 1 || bytes != 12) return 0;
    memcpy(&self->turns, state, 8);
    memcpy(&self->number, (const char *)state + 8, 4);
    return 1;
}

static const ssp_native_port outputs[] = { { .id = OUTPUT_ID, .name = "Out", .text = "A sine of 50 Hz.", .rule = SSP_CHANNEL_RULE_FIXED, .channels = 1 } };
static const ssp_native_telemetry telemetry[] = {
    { .id = "number", .length = 1, .kind = SSP_TELEMETRY_KIND_VALUE }, { .id = "threads", .length = 1, .kind = SSP_TELEMETRY_KIND_VALUE },
};
static const ssp_native_descriptor descriptor = {
    .id = ID, .name = "Phase", .family = "Sources", .text = "For a test.", .version = 1, .state_bytes = 12,
    .output_count = 1, .telemetry_count = 2, .outputs = outputs, .telemetry = telemetry,
};
static const ssp_native_module module = {
    .abi_version = SSP_ABI_MODULE, .bytes = sizeof(ssp_native_module), .descriptor = &descriptor, .instance_bytes = instance_bytes,
    .construct = construct, .reset = reset, .process = process, .save_state = save_state, .load_state = load_state,
};

#ifdef VERSION
static ssp_native_module other;
#endif
#ifdef CRASH
__attribute__((constructor)) static void crash(void) { __builtin_trap(); }
#endif
#ifdef HANG
__attribute__((constructor)) static void hang(void) { for (;;) ; }
#endif

#ifndef NO_SYMBOL
const ssp_native_module *ssp_module_get(uint32_t index)
{
#ifdef VERSION
    other = module;
    other.abi_version = VERSION;
    return index == 0 ? &other : NULL;
#else
    return index == 0 ? &module : NULL;
#endif
}
#endif
