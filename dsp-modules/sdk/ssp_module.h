/* ssp_module.h: what a module written in C, C++, Rust or anything that speaks the C ABI includes.
 * Generated from src/SspHost.Abi; do not edit. Values are volts in float32: audio +-5 V, CV 0..10 or +-5 V,
 * 1 V/oct with 0 V = C4 = 261.6256 Hz, gates 10 V, triggers 1 ms.
 * Tags name the only thread and state a function is called in: [steward] off the real-time threads; [audio-thread] a
 * real-time thread, where a module may neither allocate, lock, block, fault nor make a system call.
 */
#ifndef SSP_MODULE_H
#define SSP_MODULE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SSP_ABI_MODULE 1u
/* Frames between two coefficient updates, at any quantum: what makes a patch sound the same at every block size. */
#define SSP_GRID 16
/* Smallest quantum in frames. */
#define SSP_MIN_QUANTUM 16
/* Largest quantum in frames. */
#define SSP_MAX_QUANTUM 256
/* Grid points of the largest quantum, both ends included: a parameter has a value at each. */
#define SSP_GRID_POINTS 17
/* Channels a cable carries at most. */
#define SSP_MAX_CHANNELS 16
/* Parameters of one module: moving ones are a 64-bit mask. */
#define SSP_MAX_PARAMETERS 64
/* Input or output ports of one module. */
#define SSP_MAX_PORTS 64
/* Asset slots of one module. */
#define SSP_MAX_ASSETS 8
/* Modules of one library. */
#define SSP_MAX_LIBRARY_MODULES 256

/* Facts about a ssp_signal in the quantum at hand. */
typedef uint32_t ssp_signal_flags;
enum {
    /* Nothing is known. */
    SSP_SIGNAL_FLAGS_NONE = 0,
    /* A cable is plugged in (for an output: somebody reads it). */
    SSP_SIGNAL_FLAGS_CONNECTED = 1,
    /* Every sample of this quantum is exactly zero. */
    SSP_SIGNAL_FLAGS_SILENT = 2,
    /* Set by process on an output that nobody reads, in place of filling it: its samples mean nothing and count as
     * silence. */
    SSP_SIGNAL_FLAGS_UNWRITTEN = 4,
};

/* What a ssp_module_event says. */
typedef uint8_t ssp_event_kind;
enum {
    /* Nothing; skipped. */
    SSP_EVENT_KIND_NONE = 0,
    /* Note on: Index = key 0..127, Value = velocity 0..1. */
    SSP_EVENT_KIND_NOTE_ON = 1,
    /* Note off: Index = key 0..127, Value = release velocity 0..1. */
    SSP_EVENT_KIND_NOTE_OFF = 2,
    /* Controller: Index = number 0..127, Value 0..1. */
    SSP_EVENT_KIND_CONTROLLER = 3,
    /* Pitch bend: Value -1..1. */
    SSP_EVENT_KIND_PITCH_BEND = 4,
    /* Channel pressure: Value 0..1. */
    SSP_EVENT_KIND_PRESSURE = 5,
    /* Polyphonic pressure: Index = key, Value 0..1. */
    SSP_EVENT_KIND_KEY_PRESSURE = 6,
    /* Clock tick, 24 per quarter note. */
    SSP_EVENT_KIND_CLOCK = 7,
    /* Start from the beginning. */
    SSP_EVENT_KIND_START = 8,
    /* Continue from where it stopped. */
    SSP_EVENT_KIND_CONTINUE = 9,
    /* Stop. */
    SSP_EVENT_KIND_STOP = 10,
    /* A parameter moves: Index = parameter, Value = new value in its own unit. Handled by the engine, which ramps
     * smooth parameters; the module never sees this event. */
    SSP_EVENT_KIND_PARAMETER = 11,
    /* Module-defined: Index and Value mean what the module's help says (a step toggled, a button pressed). */
    SSP_EVENT_KIND_CUSTOM = 32,
};

/* What a module answers after a quantum. */
typedef int32_t ssp_process_result;
enum {
    /* Call again next quantum. */
    SSP_PROCESS_RESULT_CONTINUE = 0,
    /* Silent inputs will give silent outputs until an input sounds, a parameter moves or an event comes: the engine
     * may stop calling. Only answer this after outputs of exact zeros (the tail is over). */
    SSP_PROCESS_RESULT_SLEEP = 1,
    /* The module found itself broken: the engine plays silence for it, counts, and calls reset. */
    SSP_PROCESS_RESULT_ERROR = 2,
};

/* State of the one job an instance may have under way off the RT threads. */
typedef int32_t ssp_work_state;
enum {
    /* No job. */
    SSP_WORK_STATE_IDLE = 0,
    /* Asked for by process. */
    SSP_WORK_STATE_REQUESTED = 1,
    /* Being done by a worker off the RT threads. */
    SSP_WORK_STATE_RUNNING = 2,
    /* Done; the reply waits for process to take it. */
    SSP_WORK_STATE_REPLIED = 3,
};

/* How a port's channels are decided when a patch is compiled. */
typedef uint8_t ssp_channel_rule;
enum {
    /* Always channels channels (inputs: takes at most that many). */
    SSP_CHANNEL_RULE_FIXED = 0,
    /* As many as the widest connected input of the module whose rule is follow; at least 1. Inputs with this rule are
     * polyphonic; outputs with this rule all have the same number. */
    SSP_CHANNEL_RULE_FOLLOW = 1,
    /* The value of setting number channels, 1..16. */
    SSP_CHANNEL_RULE_SETTING = 2,
};

/* Where a port leads. */
typedef uint8_t ssp_port_kind;
enum {
    /* A cable. */
    SSP_PORT_KIND_CABLE = 0,
    /* The device: the n-th port of this kind is the device's jack n (plus setting 0, if the module has a setting
     * "first"). An input of this kind reads a jack; an output of this kind is summed into one. Never patched by a
     * cable. */
    SSP_PORT_KIND_DEVICE = 1,
};

/* How a parameter's travel maps to its values, and how it ramps. */
typedef uint8_t ssp_parameter_curve;
enum {
    /* Even steps; ramps linearly. */
    SSP_PARAMETER_CURVE_LINEAR = 0,
    /* Even ratios (times, frequencies), both ends positive; ramps geometrically. */
    SSP_PARAMETER_CURVE_EXPONENTIAL = 1,
    /* Whole numbers or named choices; jumps. */
    SSP_PARAMETER_CURVE_STEPPED = 2,
};

/* What a telemetry entry shows. */
typedef uint8_t ssp_telemetry_kind;
enum {
    /* A level in volts, the peak of the last quantum. */
    SSP_TELEMETRY_KIND_METER = 0,
    /* A position: the current step, 0-based. */
    SSP_TELEMETRY_KIND_STEP = 1,
    /* A scope: Length floats, of which the first is the write position and the rest a ring of samples. */
    SSP_TELEMETRY_KIND_SCOPE = 2,
    /* A spectrum: Length levels in dB of 5 V, at even ratios of frequency from 20 Hz (first) to 20 kHz (last). */
    SSP_TELEMETRY_KIND_SPECTRUM = 3,
    /* Numbers in the entry's unit: a pitch that a tuner hears, a gain reduction, voices that sound. */
    SSP_TELEMETRY_KIND_VALUE = 4,
    /* A ssp_record_ring that the module fills while it records; ssp run writes it to a file. It comes first in the
     * module's telemetry, which is 64-byte aligned. The module lays it out (Channels, then Capacity) and waits for
     * nobody: Head is the number of blocks begun, Tail of those finished; a reader that copied a block which is now
     * more than Capacity behind Head has lost it. */
    SSP_TELEMETRY_KIND_RECORDING = 5,
};

/* Properties of a module. */
typedef uint32_t ssp_module_flags;
enum {
    SSP_MODULE_FLAGS_NONE = 0,
    /* Reads notes, controllers or clock. */
    SSP_MODULE_FLAGS_ACCEPTS_EVENTS = 1,
    /* Declares a tail: may ring out when it leaves the patch. */
    SSP_MODULE_FLAGS_HAS_TAIL = 2,
    /* Must never be switched off by overload. */
    SSP_MODULE_FLAGS_ESSENTIAL = 4,
};
typedef struct ssp_signal ssp_signal;
typedef struct ssp_module_event ssp_module_event;
typedef struct ssp_asset ssp_asset;
typedef struct ssp_work_job ssp_work_job;
typedef struct ssp_process_context ssp_process_context;
typedef struct ssp_instance_setup ssp_instance_setup;
typedef struct ssp_module_timing ssp_module_timing;
typedef struct ssp_native_port ssp_native_port;
typedef struct ssp_native_parameter ssp_native_parameter;
typedef struct ssp_native_setting ssp_native_setting;
typedef struct ssp_native_asset_slot ssp_native_asset_slot;
typedef struct ssp_native_telemetry ssp_native_telemetry;
typedef struct ssp_native_descriptor ssp_native_descriptor;
typedef struct ssp_native_module ssp_native_module;

/* The samples at a port: channels channels of one quantum each, channel c at Data + c * Stride, float32 volts, 64-byte
 * aligned. An unpatched input points at the read-only silence pages: one channel that may be read and never written. */
struct ssp_signal {
    /* First sample of channel 0. */
    float *data;
    /* Channels carried, 1..16. */
    int32_t channels;
    /* Floats from one channel to the next. */
    int32_t stride;
    /* What is known of the samples. */
    ssp_signal_flags flags;
    uint32_t reserved;
};

/* One event, 24 bytes. In a ring frame is absolute; in ssp_process_context it is the offset in the quantum. */
struct ssp_module_event {
    /* Absolute frame of the engine's counter (0 = as soon as possible), or offset 0..Frames-1 when delivered. */
    uint64_t frame;
    /* Key of the instance this is for (key), low 32 bits; 0 = every module that accepts events. */
    uint32_t target;
    /* Slot of that instance; ignored when Target is 0. */
    uint16_t slot;
    /* What it says. */
    ssp_event_kind kind;
    /* MIDI channel 0..15. */
    uint8_t channel;
    /* Key, controller or parameter number. */
    int32_t index;
    /* Value in the unit the kind gives. */
    float value;
};

/* Header of decoded audio in the region; the samples follow at data_offset bytes from this header, planar float32:
 * channel c at data + c * Stride. */
struct ssp_asset {
    /* Bytes from this header to the first sample; at least sizeof(Asset), 64-byte aligned. */
    int64_t data_offset;
    /* Frames per channel. */
    int64_t frames;
    /* Floats from one channel to the next. */
    int64_t stride;
    /* Channels, 1..16. */
    int32_t channels;
    /* Sample rate of the recording in Hz. */
    float rate;
    /* First frame of the loop the file names (WAV's smpl), and the one after its last; both 0: none. */
    int64_t loop_start;
    /* First frame of the loop the file names (WAV's smpl), and the one after its last; both 0: none. */
    int64_t loop_end;
    /* Pitch of the recording as the file names it, in V/oct (0 = C4); NaN: it does not say. */
    float root;
    /* Frames of one wave where the file is a table of waves (WAV's clm ); 0: it does not say. */
    int32_t cycle_frames;
};

/* A job off the RT threads: what process asked, and what came back. */
struct ssp_work_job {
    /* A ssp_work_state, changed by volatile writes only. */
    int32_t state;
    /* Module-defined. */
    int32_t kind;
    /* Module-defined argument. */
    int64_t argument;
    /* Module-defined result. */
    int64_t result;
};

/* One call of process: everything a module may read or write, valid for that call only. [audio-thread or worker; one
 * thread at a time per instance] */
struct ssp_process_context {
    /* Inputs in the order of the descriptor. */
    ssp_signal *inputs;
    /* Outputs in the order of the descriptor. Channels are decided by the plan; process fills every channel, or says
     * unwritten. */
    ssp_signal *outputs;
    /* Parameter i at grid point g is Params[i * GridPoints + g]; points 0..Frames/Grid, so that a segment has both
     * ends. */
    float *params;
    /* The events of this quantum for all modules, in order of time. Use next_event. */
    ssp_module_event *events;
    /* Telemetry floats, laid out as the descriptor lists them; plain stores, read by the control process at any time. */
    float *telemetry;
    /* Asset slots; null where nothing is loaded. Swapped between quanta only. */
    const ssp_asset **assets;
    /* The job slot of this instance. */
    ssp_work_job *job;
    /* A quantum of zeros, read-only. */
    float *silence;
    /* Where the host hears of a requested job; see request_work. */
    uint64_t *work_pending;
    /* Frame number of the first frame of this quantum. */
    uint64_t time;
    /* Low 32 bits of this instance's key: which events are mine. */
    uint32_t key;
    /* Events in events. */
    int32_t event_count;
    /* Frames in this quantum, a power of two, 16..256. */
    int32_t frames;
    /* Sample rate in Hz. */
    float sample_rate;
    /* Slot of this instance: its bit in work_pending. */
    int32_t slot;
    /* Bit i is set while parameter i moves within this quantum. */
    uint64_t moving;
};

/* What an instance is made for. The same for its whole life; a change of rate makes a new instance. */
struct ssp_instance_setup {
    /* Sample rate in Hz. */
    float sample_rate;
    /* Frames of a quantum. */
    int32_t quantum;
    /* Values of the descriptor's settings, in its order. */
    int32_t *settings;
    /* Seed of everything random in this instance: derived from its key, so that a render repeats. */
    uint64_t seed;
    /* Shared data of the module type (see BuildShared), null where it has none. */
    void *shared;
};

/* What an instance declares about time, after prepare. */
struct ssp_module_timing {
    /* Frames by which the output lags the input. */
    int32_t latency_frames;
    /* Frames the output may sound on after the inputs fell silent; -1: forever. The engine lets a leaving module ring
     * this long. */
    int64_t tail_frames;
};

/* A port of a native module. Strings are UTF-8, zero-terminated and live as long as the library. */
struct ssp_native_port {
    /* Stable name used in patch files, lower case. */
    const char *id;
    /* What the panel shows. */
    const char *name;
    /* One line for the player, or NULL. */
    const char *text;
    /* How many channels it carries. */
    ssp_channel_rule rule;
    /* Channels (FIXED) or number of the setting that gives them (SETTING). */
    uint8_t channels;
    /* A cable, or a jack of the device. */
    ssp_port_kind kind;
};

/* A parameter of a native module. */
struct ssp_native_parameter {
    /* Stable name used in patch files, lower case. */
    const char *id;
    /* What the panel shows. */
    const char *name;
    /* "Hz", "s", "V", "dB" or empty. */
    const char *unit;
    /* One line for the player, or NULL. */
    const char *text;
    /* Names of the values 0, 1, 2 ... of a stepped parameter, or NULL. */
    const char *const *choices;
    /* How many names. */
    int32_t choice_count;
    /* Lowest value, highest value and the value when placed, in the unit. */
    float min;
    /* Lowest value, highest value and the value when placed, in the unit. */
    float max;
    /* Lowest value, highest value and the value when placed, in the unit. */
    float default_value;
    /* How travel maps to values, and how it ramps. */
    ssp_parameter_curve curve;
};

/* A whole number fixed when the instance is made. */
struct ssp_native_setting {
    /* Stable name used in patch files, lower case. */
    const char *id;
    /* What the panel shows. */
    const char *name;
    /* One line for the player, or NULL. */
    const char *text;
    /* Names of the values Min, Min + 1 ..., or NULL. */
    const char *const *choices;
    /* How many names. */
    int32_t choice_count;
    /* Range and default. */
    int32_t min;
    /* Range and default. */
    int32_t max;
    /* Range and default. */
    int32_t default_value;
};

/* A slot for sample data. */
struct ssp_native_asset_slot {
    /* Stable name used in patch files, lower case. */
    const char *id;
    /* What the panel shows. */
    const char *name;
    /* One line for the player, or NULL. */
    const char *text;
};

/* Floats that process writes and everybody may read. */
struct ssp_native_telemetry {
    /* Stable name, lower case. */
    const char *id;
    /* Unit of the values, or NULL. */
    const char *unit;
    /* One line for the player, or NULL. */
    const char *text;
    /* Floats. */
    int32_t length;
    /* What they show. */
    ssp_telemetry_kind kind;
};

/* Everything that is known of a native module type. */
struct ssp_native_descriptor {
    /* Stable name used in patch files, lower case. */
    const char *id;
    /* What the panel shows. */
    const char *name;
    /* The family it is listed under. */
    const char *family;
    /* One line a player understands. */
    const char *text;
    /* The help page: paragraphs separated by an empty line, lines that begin with "- " are a list; or NULL. */
    const char *help;
    /* Version of the module's saved state. */
    uint32_t version;
    /* Properties. */
    ssp_module_flags flags;
    /* Most bytes save_state writes. */
    int32_t state_bytes;
    /* How many inputs, at most SSP_MAX_PORTS. */
    int32_t input_count;
    /* How many outputs, at most SSP_MAX_PORTS. */
    int32_t output_count;
    /* How many parameters, at most SSP_MAX_PARAMETERS. */
    int32_t parameter_count;
    /* How many settings, at most SSP_MAX_PARAMETERS. */
    int32_t setting_count;
    /* How many asset slots, at most SSP_MAX_ASSETS. */
    int32_t asset_count;
    /* How many telemetry entries, at most SSP_MAX_PARAMETERS. */
    int32_t telemetry_count;
    /* The inputs, in the order of the context's; NULL only where there is none. */
    const ssp_native_port *inputs;
    /* The outputs, in the order of the context's; NULL only where there is none. */
    const ssp_native_port *outputs;
    /* The parameters, in the order of the context's; NULL only where there is none. */
    const ssp_native_parameter *parameters;
    /* The settings, in the order of the setup's; NULL only where there is none. */
    const ssp_native_setting *settings;
    /* The asset slots, in the order of the context's; NULL only where there is none. */
    const ssp_native_asset_slot *assets;
    /* The telemetry, in the order of its floats; NULL only where there is none. */
    const ssp_native_telemetry *telemetry;
};

/* The table of a native module: what a library's const ssp_native_module *ssp_module_get(uint32_t index) returns for
 * 0, 1, 2 ... until NULL. Functions marked [audio-thread] may neither allocate, lock, block, fault nor make a system
 * call. NULL is allowed where it says so. The table and what it points at are read when the library is loaded, and
 * must stay as they are. */
struct ssp_native_module {
    /* SSP_ABI_MODULE of the header it was compiled with. */
    uint32_t abi_version;
    /* sizeof(ssp_native_module). */
    uint32_t bytes;
    /* What is known of the module without running it; lives as long as the library. */
    const ssp_native_descriptor *descriptor;
    /* The module's own, or NULL: handed to the four functions that have no instance yet, so that several modules can
     * share them. */
    void *context;
    /* Bytes of data all instances share at this rate (0: none), or NULL: none. [steward] */
    int64_t (*shared_bytes)(void *context, float sample_rate);
    /* Fills the shared data, which is zeroed, once for each rate, before the first instance; NULL only together with
     * shared_bytes. [steward] */
    void (*build_shared)(void *context, void *shared, float sample_rate);
    /* Bytes one instance needs with these settings, all of it: the host owns every byte. The same for the same setup;
     * quick. [steward] */
    int64_t (*instance_bytes)(void *context, const ssp_instance_setup *setup);
    /* Makes an instance in zeroed, 64-byte aligned memory and declares its timing; 0, or not 0 if it cannot. [steward,
     * not yet playing] */
    int32_t (*construct)(void *context, void *self, const ssp_instance_setup *setup, ssp_module_timing *timing);
    /* Gives back what the instance holds beside its memory, or NULL: nothing. Called once for each construct that
     * returned 0. [steward, no longer playing] */
    void (*destroy)(void *self);
    /* Back to the state after construct, parameters and assets apart. [steward or audio-thread, not processing] */
    void (*reset)(void *self);
    /* Renders one quantum: reads inputs, fills every channel of every output, or leaves one that nobody reads
     * unwritten and says so by its flags. One thread at a time for an instance, not always the same. [audio-thread] */
    ssp_process_result (*process)(void *self, const ssp_process_context *context);
    /* Writes what is not in parameters, at most the descriptor's state_bytes, and returns how many; NULL: there is
     * none. What it writes load_state of a rebuilt library must be able to read, for the module to be replaced while
     * it plays. [audio-thread, between quanta] */
    int32_t (*save_state)(void *self, void *state, int32_t bytes);
    /* Reads state of this or an older version; 0 = the bytes mean nothing and nothing changed; NULL only together with
     * save_state. [steward before playing, or audio-thread between quanta] */
    int32_t (*load_state)(void *self, uint32_t version, const void *state, int32_t bytes);
    /* An asset slot got a new asset, or was emptied (asset is NULL); NULL: it looks at the context's. The old one is
     * valid until this returns. [audio-thread, between quanta] */
    void (*asset_changed)(void *self, int32_t slot, const ssp_asset *asset);
    /* Does the job process asked for (ssp_request_work), while process goes on; NULL: it never asks. [steward,
     * concurrent with process] */
    void (*work)(void *self, ssp_work_job *job);
};

/* Parameter `index` at grid point `point` of this quantum: 0 is its start, frames / SSP_GRID its end. */
static inline float ssp_param(const ssp_process_context *context, int index, int point)
{
    return context->params[index * SSP_GRID_POINTS + point];
}

/* Samples of an input's channel as a polyphonic module hears it: a one-channel cable is heard by every voice. */
static inline const float *ssp_in(const ssp_process_context *context, int port, int channel)
{
    const ssp_signal *s = &context->inputs[port];
    return channel < s->channels ? s->data + (ptrdiff_t)channel * s->stride : s->channels == 1 ? s->data : context->silence;
}

/* Samples of an output's channel, to be filled. */
static inline float *ssp_out(const ssp_process_context *context, int port, int channel)
{
    const ssp_signal *s = &context->outputs[port];
    return s->data + (ptrdiff_t)channel * s->stride;
}

/* Next event for this module at or after position *cursor (start with 0), or NULL. frame is the offset in this quantum.
 * [audio-thread] */
static inline const ssp_module_event *ssp_next_event(const ssp_process_context *context, int *cursor)
{
    while (*cursor < context->event_count) {
        const ssp_module_event *e = &context->events[(*cursor)++];
        if (e->target == 0 || e->target == context->key) return e;
    }
    return NULL;
}

/* Asks for work to be called off the real-time threads; 0 while an earlier job is under way or its reply was not taken.
 * [audio-thread] */
static inline int ssp_request_work(const ssp_process_context *context, int32_t kind, int64_t argument)
{
    if (__atomic_load_n(&context->job->state, __ATOMIC_ACQUIRE) != SSP_WORK_STATE_IDLE) return 0;
    context->job->kind = kind;
    context->job->argument = argument;
    __atomic_store_n(&context->job->state, SSP_WORK_STATE_REQUESTED, __ATOMIC_RELEASE);
    __atomic_fetch_or(&context->work_pending[context->slot >> 6], UINT64_C(1) << (context->slot & 63), __ATOMIC_SEQ_CST);
    return 1;
}

/* Takes the reply of a finished job, once; 0: there is none. [audio-thread] */
static inline int ssp_take_reply(const ssp_process_context *context, int32_t *kind, int64_t *result)
{
    if (__atomic_load_n(&context->job->state, __ATOMIC_ACQUIRE) != SSP_WORK_STATE_REPLIED) return 0;
    *kind = context->job->kind;
    *result = context->job->result;
    __atomic_store_n(&context->job->state, SSP_WORK_STATE_IDLE, __ATOMIC_RELEASE);
    return 1;
}

/* What marks a function as exported, whatever the compiler hides. */
#define SSP_EXPORT __attribute__((visibility("default")))

/* What a library of modules exports: the table of module 0, 1, 2 ... until NULL; at most SSP_MAX_LIBRARY_MODULES. The same
 * tables at every call. [steward] */
SSP_EXPORT const ssp_native_module *ssp_module_get(uint32_t index);

/* The next two are for a library that brings a runtime of its own (C#: the template in this folder does it); C and C++
 * leave them out. ssp_thread_attach does nothing, so that the runtime knows the calling thread before it plays: the engine
 * calls it on every real-time thread. [any thread of the engine, between quanta] */
SSP_EXPORT void ssp_thread_attach(void);

/* Collections the runtime has made: each may have stopped a real-time thread, so the engine watches it and tells.
 * [steward] */
SSP_EXPORT uint64_t ssp_runtime_collections(void);

#ifdef __cplusplus
}
#endif
#endif
