/* Tone: a complete module in C, to be read and copied. A low-pass of 6 dB per octave for up to sixteen voices.
 * Build: cc -std=c11 -O3 -fPIC -shared -I.. tone.c -lm -o tone.so      or: ssp module build
 */
#include "ssp_module.h"

#include <math.h>
#include <string.h>

enum { IN, INPUTS };
enum { OUT, OUTPUTS };
enum { CUTOFF, PARAMETERS };
enum { LEVEL, TELEMETRY };

/* What an instance knows from one quantum to the next. It lies in memory of the host's: nothing here is ever freed. */
struct tone {
    float voice[SSP_MAX_CHANNELS];
    float sample_rate;
};

/* One pole, exact at any cutoff: what is left of a step after one frame. Taken at the grid only, and a straight line in between, so that a
   patch sounds the same at every quantum and a turned knob makes no steps. */
static float leak(const struct tone *self, float hertz)
{
    return 1.0f - expf(-6.2831853f * hertz / self->sample_rate);
}

static int64_t instance_bytes(void *context, const ssp_instance_setup *setup)
{
    (void)context;
    (void)setup;
    return sizeof(struct tone);
}

static int32_t construct(void *context, void *memory, const ssp_instance_setup *setup, ssp_module_timing *timing)
{
    (void)context;
    struct tone *self = memory; /* zeroed */
    self->sample_rate = setup->sample_rate;
    timing->tail_frames = -1; /* how long it rings depends on the knob: it says by SLEEP when it is over */
    return 0;
}

static void reset(void *memory)
{
    struct tone *self = memory;
    memset(self->voice, 0, sizeof self->voice);
}

/* [audio-thread]: no allocation, no lock, no system call; every channel of every output is filled. */
static ssp_process_result process(void *memory, const ssp_process_context *context)
{
    struct tone *self = memory;
    int channels = context->outputs[OUT].channels;
    int asleep = (context->inputs[IN].flags & SSP_SIGNAL_FLAGS_SILENT) != 0;
    float loudest = 0;
    for (int segment = 0; segment < context->frames / SSP_GRID; segment++) {
        float first = leak(self, ssp_param(context, CUTOFF, segment));
        float last = leak(self, ssp_param(context, CUTOFF, segment + 1));
        float step = (last - first) / SSP_GRID;
        for (int v = 0; v < channels; v++) {
            const float *in = ssp_in(context, IN, v) + segment * SSP_GRID;
            float *out = ssp_out(context, OUT, v) + segment * SSP_GRID;
            float y = self->voice[v], fed = 0;
            for (int i = 0; i < SSP_GRID; i++) {
                fed = fmaxf(fed, fabsf(in[i]));
                y += (first + step * (float)i) * (in[i] - y);
                out[i] = y;
                loudest = fmaxf(loudest, fabsf(y));
            }
            /* What is inaudible is nothing (1 uV, 134 dB below 5 V): so it falls asleep, and never computes with denormal numbers. */
            if (fed == 0 && fabsf(y) < 1e-6f) y = 0;
            self->voice[v] = y;
            asleep &= y == 0;
        }
    }
    context->telemetry[LEVEL] = loudest;

    /* Asleep only after zeros: this quantum may still hold what was left. */
    return asleep && loudest == 0 ? SSP_PROCESS_RESULT_SLEEP : SSP_PROCESS_RESULT_CONTINUE;
}

/* What is not in the knobs: the voices. With it a rebuilt library goes on where this one was. */
static int32_t save_state(void *memory, void *state, int32_t bytes)
{
    struct tone *self = memory;
    if (bytes < (int32_t)sizeof self->voice) return 0;
    memcpy(state, self->voice, sizeof self->voice);
    return sizeof self->voice;
}

/* Bytes from a file: anything may be in them. Refused, they change nothing. */
static int32_t load_state(void *memory, uint32_t version, const void *state, int32_t bytes)
{
    struct tone *self = memory;
    float voice[SSP_MAX_CHANNELS];
    if (version != 1 || bytes != (int32_t)sizeof voice) return 0;
    memcpy(voice, state, sizeof voice);
    for (int v = 0; v < SSP_MAX_CHANNELS; v++)
        if (!(fabsf(voice[v]) <= 1000)) return 0; /* NaN, too */
    memcpy(self->voice, voice, sizeof voice);
    return 1;
}

static const ssp_native_port inputs[INPUTS] = {
    [IN] = { .id = "in", .name = "In", .text = "Sound to be darkened.", .rule = SSP_CHANNEL_RULE_FOLLOW, .channels = 1 },
};

static const ssp_native_port outputs[OUTPUTS] = {
    [OUT] = { .id = "out", .name = "Out", .text = "What is left below the cutoff.", .rule = SSP_CHANNEL_RULE_FOLLOW, .channels = 1 },
};

static const ssp_native_parameter parameters[PARAMETERS] = {
    [CUTOFF] = { .id = "cutoff", .name = "Cutoff", .unit = "Hz", .text = "From here up it gets quieter, 6 dB an octave.",
                 .min = 20, .max = 20000, .default_value = 1000, .curve = SSP_PARAMETER_CURVE_EXPONENTIAL },
};

static const ssp_native_telemetry telemetry[TELEMETRY] = {
    [LEVEL] = { .id = "level", .unit = "V", .text = "The loudest voltage of the last quantum.", .length = 1, .kind = SSP_TELEMETRY_KIND_METER },
};

static const ssp_native_descriptor descriptor = {
    .id = "example-tone",
    .name = "Tone",
    .family = "Filters",
    .text = "The tone knob of a guitar: a gentle low-pass for every voice of a cable.",
    .help = "One resistor and one capacitor, as in the tone control of an electric guitar. It takes off 6 dB an octave above the cutoff and adds "
            "nothing of its own: no resonance, no colour.\n\n"
            "Try it behind a saw oscillator at 1 kHz, then turn the cutoff down until only the fundamental is left. Each voice of a polyphonic "
            "cable has a filter of its own.",
    .version = 1,
    .flags = SSP_MODULE_FLAGS_HAS_TAIL,
    .state_bytes = sizeof(float) * SSP_MAX_CHANNELS,
    .input_count = INPUTS,
    .output_count = OUTPUTS,
    .parameter_count = PARAMETERS,
    .telemetry_count = TELEMETRY,
    .inputs = inputs,
    .outputs = outputs,
    .parameters = parameters,
    .telemetry = telemetry,
};

static const ssp_native_module module = {
    .abi_version = SSP_ABI_MODULE,
    .bytes = sizeof(ssp_native_module),
    .descriptor = &descriptor,
    .instance_bytes = instance_bytes,
    .construct = construct,
    .reset = reset,
    .process = process,
    .save_state = save_state,
    .load_state = load_state,
};

const ssp_native_module *ssp_module_get(uint32_t index)
{
    return index == 0 ? &module : NULL;
}
