/* Sixteen steady pitches on one cable, a sixteenth of an octave apart: what a chord of sixteen keys would send to the voices of a polyphonic
   patch. A library for `ssp render --module-dir`. */
#include "ssp_module.h"

enum { FIRST, PARAMETERS };

static int64_t instance_bytes(void *context, const ssp_instance_setup *setup)
{
    (void)context;
    (void)setup;
    return 64;
}

static int32_t construct(void *context, void *memory, const ssp_instance_setup *setup, ssp_module_timing *timing)
{
    (void)context;
    (void)memory;
    (void)setup;
    (void)timing;
    return 0;
}

static void reset(void *memory) { (void)memory; }

static ssp_process_result pitches(void *memory, const ssp_process_context *context)
{
    (void)memory;
    float first = ssp_param(context, FIRST, 0);
    for (int v = 0; v < SSP_MAX_CHANNELS; v++) {
        float *out = ssp_out(context, 0, v);
        for (int i = 0; i < context->frames; i++) out[i] = first + (float)v / SSP_MAX_CHANNELS;
    }
    return SSP_PROCESS_RESULT_CONTINUE;
}

static const ssp_native_port outputs[] = {
    { .id = "out", .name = "Out", .text = "Sixteen pitches.", .rule = SSP_CHANNEL_RULE_FIXED, .channels = SSP_MAX_CHANNELS },
};
static const ssp_native_parameter parameters[PARAMETERS] = {
    [FIRST] = { .id = "first", .name = "First", .unit = "V", .text = "The lowest of them.", .min = -5, .max = 5, .curve = SSP_PARAMETER_CURVE_LINEAR },
};
static const ssp_native_descriptor descriptor = {
    .id = "peer-pitches", .name = "Pitches", .family = "Utility", .text = "Sixteen pitches on one cable.", .version = 1,
    .output_count = 1, .parameter_count = PARAMETERS, .outputs = outputs, .parameters = parameters,
};
static const ssp_native_module module = {
    .abi_version = SSP_ABI_MODULE, .bytes = sizeof(ssp_native_module), .descriptor = &descriptor, .instance_bytes = instance_bytes,
    .construct = construct, .reset = reset, .process = pitches,
};

const ssp_native_module *ssp_module_get(uint32_t index) { return index == 0 ? &module : NULL; }
