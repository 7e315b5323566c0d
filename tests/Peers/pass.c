/* A module that costs next to nothing (it copies its input to its output), so that a patch of many of them costs what the engine does around
   modules. A library for `ssp render --module-dir`. */
#include "ssp_module.h"

#include <string.h>

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

static const ssp_native_port inputs[] = { { .id = "in", .name = "In", .text = "Passed on.", .rule = SSP_CHANNEL_RULE_FIXED, .channels = 1 } };
static const ssp_native_port outputs[] = { { .id = "out", .name = "Out", .text = "What came in.", .rule = SSP_CHANNEL_RULE_FIXED, .channels = 1 } };
static const ssp_native_descriptor descriptor = {
    .id = "peer-pass", .name = "Pass", .family = "Utility", .text = "Passes its input on.", .version = 1,
    .input_count = 1, .output_count = 1, .inputs = inputs, .outputs = outputs,
};
static const ssp_native_module module = {
    .abi_version = SSP_ABI_MODULE, .bytes = sizeof(ssp_native_module), .descriptor = &descriptor, .instance_bytes = instance_bytes,
    .construct = construct, .reset = reset, .process = pass,
};

const ssp_native_module *ssp_module_get(uint32_t index) { return index == 0 ? &module : NULL; }
