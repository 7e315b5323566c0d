/* Two modules of ours for the patches that the peers play too. One costs next to nothing (it copies its input to its output), so that a patch of many
   of them costs what the engine does around modules; the other plays sixteen steady pitches on one cable, a sixteenth of an octave apart: what a
   chord of sixteen keys would send to the voices of a polyphonic patch. A library for `ssp render --module-dir`. */
#include "ssp_module.h"

#include <string.h>

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
    timing->tail_frames = -1;
    return 0;
}

static void reset(void *memory) { (void)memory; }

static ssp_process_result pass(void *memory, const ssp_process_context *context)
{
    (void)memory;
    memcpy(ssp_out(context, 0, 0), ssp_in(context, 0, 0), (size_t)context->frames * sizeof(float));
    return SSP_PROCESS_RESULT_CONTINUE;
}

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

static const ssp_native_port pass_inputs[] = { { .id = "in", .name = "In", .text = "Passed on.", .rule = SSP_CHANNEL_RULE_FIXED, .channels = 1 } };
static const ssp_native_port pass_outputs[] = { { .id = "out", .name = "Out", .text = "What came in.", .rule = SSP_CHANNEL_RULE_FIXED, .channels = 1 } };
static const ssp_native_descriptor pass_descriptor = {
    .id = "peer-pass", .name = "Pass", .family = "Utility", .text = "Passes its input on.", .version = 1,
    .input_count = 1, .output_count = 1, .inputs = pass_inputs, .outputs = pass_outputs,
};

static const ssp_native_port pitch_outputs[] = {
    { .id = "out", .name = "Out", .text = "Sixteen pitches.", .rule = SSP_CHANNEL_RULE_FIXED, .channels = SSP_MAX_CHANNELS },
};
static const ssp_native_parameter pitch_parameters[PARAMETERS] = {
    [FIRST] = { .id = "first", .name = "First", .unit = "V", .text = "The lowest of them.", .min = -5, .max = 5, .curve = SSP_PARAMETER_CURVE_LINEAR },
};
static const ssp_native_descriptor pitch_descriptor = {
    .id = "peer-pitches", .name = "Pitches", .family = "Utility", .text = "Sixteen pitches on one cable.", .version = 1,
    .output_count = 1, .parameter_count = PARAMETERS, .outputs = pitch_outputs, .parameters = pitch_parameters,
};

#define MODULE(of, how) { .abi_version = SSP_ABI_MODULE, .bytes = sizeof(ssp_native_module), .descriptor = &of, .instance_bytes = instance_bytes, \
    .construct = construct, .reset = reset, .process = how }

static const ssp_native_module modules[] = { MODULE(pass_descriptor, pass), MODULE(pitch_descriptor, pitches) };

const ssp_native_module *ssp_module_get(uint32_t index) { return index < sizeof modules / sizeof *modules ? &modules[index] : NULL; }
