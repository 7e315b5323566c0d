/* MyModule: says here what it is, in one line. */
#include "ssp_module.h"

#include <string.h>

enum { IN, INPUTS };
enum { OUT, OUTPUTS };
enum { LEVEL, PARAMETERS };

/* What an instance knows from one quantum to the next; the host owns the memory. */
struct state {
    float sample_rate;
};

static int64_t instance_bytes(void *context, const ssp_instance_setup *setup)
{
    (void)context;
    (void)setup;
    return sizeof(struct state);
}

static int32_t construct(void *context, void *memory, const ssp_instance_setup *setup, ssp_module_timing *timing)
{
    (void)context;
    struct state *self = memory; /* zeroed */
    self->sample_rate = setup->sample_rate;
    timing->tail_frames = 0; /* silence in, silence out */
    return 0;
}

/* Back to what construct made. */
static void reset(void *memory)
{
    (void)memory;
}

/* [audio-thread]: no allocation, no lock, no system call; every channel of every output is filled. */
static ssp_process_result process(void *memory, const ssp_process_context *context)
{
    (void)memory;
    int silent = (context->inputs[IN].flags & SSP_SIGNAL_FLAGS_SILENT) != 0;
    for (int v = 0; v < context->outputs[OUT].channels; v++) {
        const float *in = ssp_in(context, IN, v);
        float *out = ssp_out(context, OUT, v);
        if (silent) {
            memset(out, 0, sizeof(float) * (size_t)context->frames);
            continue;
        }
        for (int segment = 0; segment < context->frames / SSP_GRID; segment++) {
            float level = ssp_param(context, LEVEL, segment);
            float step = (ssp_param(context, LEVEL, segment + 1) - level) / SSP_GRID;
            for (int i = 0; i < SSP_GRID; i++) *out++ = *in++ * (level + step * (float)i);
        }
    }
    return silent ? SSP_PROCESS_RESULT_SLEEP : SSP_PROCESS_RESULT_CONTINUE;
}

static const ssp_native_port inputs[INPUTS] = {
    [IN] = { .id = "in", .name = "In", .text = "Any voltage.", .rule = SSP_CHANNEL_RULE_FOLLOW, .channels = 1 },
};

static const ssp_native_port outputs[OUTPUTS] = {
    [OUT] = { .id = "out", .name = "Out", .text = "The same, times the level.", .rule = SSP_CHANNEL_RULE_FOLLOW, .channels = 1 },
};

static const ssp_native_parameter parameters[PARAMETERS] = {
    [LEVEL] = { .id = "level", .name = "Level", .unit = "", .text = "How much of it passes.", .min = 0, .max = 1, .default_value = 1 },
};

static const ssp_native_descriptor descriptor = {
    .id = "my-module",
    .name = "MyModule",
    .family = "Utility",
    .text = "A volume knob that goes down to nothing.",
    .help = "Say here what it is and how it is played: this page is shown to players. The first paragraph says what they hear, and what the knobs "
            "do to it.\n\n"
            "Try it between an oscillator and the outputs, and turn the level: that is how the second paragraph begins, with what to patch first.",
    .version = 1,
    .input_count = INPUTS,
    .output_count = OUTPUTS,
    .parameter_count = PARAMETERS,
    .inputs = inputs,
    .outputs = outputs,
    .parameters = parameters,
};

static const ssp_native_module module = {
    .abi_version = SSP_ABI_MODULE,
    .bytes = sizeof(ssp_native_module),
    .descriptor = &descriptor,
    .instance_bytes = instance_bytes,
    .construct = construct,
    .reset = reset,
    .process = process,
};

const ssp_native_module *ssp_module_get(uint32_t index)
{
    return index == 0 ? &module : NULL;
}
