// SuperCollider's unit generators without its server: a world of one rate, one unit a voice, wires that are buffers.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <map>
#include <string>
#include <vector>

#include "SC_PlugIn.h"
#include "peer.h"

#ifndef SC_PLUGINS
#define SC_PLUGINS "/usr/lib/SuperCollider/plugins"
#endif

namespace {

struct Definition {
    size_t bytes;
    UnitCtorFunc make;
    UnitDtorFunc drop;
};

std::map<std::string, Definition> definitions;
InterfaceTable table;

// One period of a sine and of its reciprocal, as Saw and Blip read them. Near its poles the reciprocal is marked by a value that they test.
constexpr int SineSize = 8192;
constexpr float Pole = 1e20f;
float sine[SineSize + 1], cosecant[SineSize + 1], wavetable[2 * SineSize];

void fillTables() {
    for (int i = 0; i <= SineSize; i++) {
        const double value = std::sin(2 * M_PI * i / SineSize);
        const int toPole = i % (SineSize / 2);
        sine[i] = static_cast<float>(value);
        cosecant[i] = toPole <= 8 || toPole >= SineSize / 2 - 8 ? Pole : static_cast<float>(1 / value);
    }
    // Pairs of (2 a - b, b - a), the form in which wavetables are interpolated.
    for (int i = 0; i < SineSize; i++) {
        wavetable[2 * i] = 2 * sine[i] - sine[i + 1];
        wavetable[2 * i + 1] = sine[i + 1] - sine[i];
    }
}

bool define(const char *name, size_t bytes, UnitCtorFunc make, UnitDtorFunc drop, uint32) {
    definitions[name] = {bytes, make, drop};
    return true;
}

void *allocate(World *, size_t bytes) { return std::calloc(1, bytes); }
void *reallocate(World *, void *block, size_t bytes) { return std::realloc(block, bytes); }
void release(World *, void *block) { std::free(block); }
void clearOutputs(Unit *unit, int frames) {
    for (uint32 i = 0; i < unit->mNumOutputs; i++) std::memset(unit->mOutBuf[i], 0, sizeof(float) * static_cast<size_t>(frames));
}
void done(int, Unit *) {}

bool loadPlugins() {
    fillTables();
    table.mSineSize = SineSize;
    table.mSine = sine;
    table.mSineWavetable = wavetable;
    table.mCosecant = cosecant;
    table.fPrint = &std::printf;
    table.fRanSeed = [] { return int32(1234); };
    table.fDefineUnit = define;
    table.fDefinePlugInCmd = [](const char *, PlugInCmdFunc, void *) { return true; };
    table.fDefineUnitCmd = [](const char *, const char *, UnitCmdFunc) { return true; };
    table.fDefineBufGen = [](const char *, BufGenFunc) { return true; };
    table.fClearUnitOutputs = clearOutputs;
    table.fNRTAlloc = [](size_t bytes) { return std::calloc(1, bytes); };
    table.fNRTFree = &std::free;
    table.fRTAlloc = allocate;
    table.fRTRealloc = reallocate;
    table.fRTFree = release;
    table.fDoneAction = done;
    bool all = true;
    for (const char *file : {"OscUGens", "FilterUGens", "DelayUGens", "ReverbUGens", "LFUGens"}) {
        void *library = dlopen((std::string(SC_PLUGINS "/") + file + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
        auto load = library ? reinterpret_cast<void (*)(InterfaceTable *)>(dlsym(library, "load")) : nullptr;
        if (load) load(&table);
        else all = false;
    }
    return all;
}

// A unit's input: the n-th audio input of the voice, or a number.
struct In {
    int audio;
    float value;
};

constexpr In sound(int number) { return {number, 0}; }
constexpr In number(float value) { return {-1, value}; }

struct Spec {
    const char *unit;
    std::vector<In> inputs;
    int outputs;
    bool pitched; // the first number is a frequency, given in volts
};

struct Rates {
    World world;
    Rate full, buffer;
    Graph graph;
    RGen random;
};

struct Voice {
    Unit *unit;
    Definition definition;
    std::vector<Wire> wires;
    std::vector<Wire *> wirePointers;
    std::vector<float *> in, out;
    std::vector<float> numbers;
    Unit source;
};

struct Host {
    Rates rates;
    Spec spec;
    int audioInputs;
    std::vector<Voice *> voices;
};

Rate rateOf(double rate, int frames) {
    Rate r{};
    r.mSampleRate = rate;
    r.mSampleDur = 1 / rate;
    r.mBufLength = frames;
    r.mBufDuration = frames / rate;
    r.mBufRate = rate / frames;
    r.mSlopeFactor = 1.0 / frames;
    r.mRadiansPerSample = 2 * M_PI / rate;
    r.mFilterLoops = frames / 3;
    r.mFilterRemain = frames % 3;
    r.mFilterSlope = r.mFilterLoops == 0 ? 0 : 1.0 / r.mFilterLoops;
    return r;
}

Host *makeHost(const Spec &spec, int voices, double rate, int frames, float volts) {
    auto *host = new Host{};
    host->spec = spec;
    Rates &r = host->rates;
    r.full = rateOf(rate, frames);
    r.buffer = rateOf(rate / frames, 1);
    r.world.ft = &table;
    r.world.mSampleRate = rate;
    r.world.mBufLength = frames;
    r.world.mFullRate = r.full;
    r.world.mBufRate = r.buffer;
    r.world.mRGen = &r.random;
    r.world.mNumRGens = 1;
    r.world.mRealTime = false;
    r.world.mRunning = true;
    r.random.init(1234);
    r.graph.mRGen = &r.random;
    for (int v = 0; v < voices; v++) {
        auto *voice = new Voice{};
        voice->definition = definitions.at(spec.unit);
        voice->unit = static_cast<Unit *>(std::calloc(1, voice->definition.bytes + 64));
        voice->source.mBufLength = frames;
        const size_t count = spec.inputs.size();
        voice->wires.resize(count);
        voice->numbers.resize(count);
        voice->in.resize(count);
        static float silence[4096];
        for (size_t i = 0; i < count; i++) {
            const In &in = spec.inputs[i];
            voice->numbers[i] = spec.pitched && i == 0 ? 261.6256f * std::exp2(volts) : in.value;
            voice->in[i] = in.audio >= 0 ? silence : &voice->numbers[i];
            voice->wires[i] = {&voice->source, in.audio >= 0 ? calc_FullRate : calc_ScalarRate, voice->in[i], voice->numbers[i]};
            if (in.audio >= host->audioInputs) host->audioInputs = in.audio + 1;
        }
        for (auto &wire : voice->wires) voice->wirePointers.push_back(&wire);
        voice->out.assign(static_cast<size_t>(spec.outputs), nullptr);
        std::vector<float> first(static_cast<size_t>(frames) * static_cast<size_t>(spec.outputs));
        for (int o = 0; o < spec.outputs; o++) voice->out[static_cast<size_t>(o)] = first.data() + o * frames;
        Unit *unit = voice->unit;
        unit->mWorld = &r.world;
        unit->mParent = &r.graph;
        unit->mNumInputs = static_cast<uint32>(count);
        unit->mNumOutputs = static_cast<uint32>(spec.outputs);
        unit->mCalcRate = calc_FullRate;
        unit->mInput = voice->wirePointers.data();
        unit->mRate = &r.full;
        unit->mInBuf = voice->in.data();
        unit->mOutBuf = voice->out.data();
        unit->mBufLength = frames;
        voice->definition.make(unit);
        host->voices.push_back(voice);
    }
    return host;
}

void runHost(void *self, int frames, float **inputs, float **outputs) {
    auto *host = static_cast<Host *>(self);
    for (Voice *voice : host->voices) {
        for (size_t i = 0; i < host->spec.inputs.size(); i++) {
            const int audio = host->spec.inputs[i].audio;
            if (audio >= 0) voice->in[i] = voice->wires[i].mBuffer = inputs[audio];
        }
        for (auto &out : voice->out) out = *outputs++;
        voice->unit->mCalcFunc(voice->unit, frames);
        inputs += host->audioInputs;
    }
}

void dropHost(void *self) {
    auto *host = static_cast<Host *>(self);
    for (Voice *voice : host->voices) {
        if (voice->definition.drop) voice->definition.drop(voice->unit);
        std::free(voice->unit);
        delete voice;
    }
    delete host;
}

// The settings are those of our modules as placed, as far as a unit has them.
const Spec saw{"Saw", {number(0)}, 1, true};
const Spec ladder{"MoogFF", {sound(0), number(1000), number(1.5f), number(0)}, 1, false};
const Spec ladderMoving{"MoogFF", {sound(0), sound(1), number(1.5f), number(0)}, 1, false};
const Spec echo{"CombC", {sound(0), number(2), number(0.35f), number(3)}, 1, false};
const Spec echoLinear{"CombL", {sound(0), number(2), number(0.35f), number(3)}, 1, false};
const Spec freeVerb{"FreeVerb2", {sound(0), sound(1), number(0.35f), number(0.5f), number(0.5f)}, 2, false};
const Spec gVerb{"GVerb",
    {sound(0), number(10), number(2), number(0.5f), number(0.5f), number(15), number(1), number(0.7f), number(0.5f), number(300)}, 2, false};
const Spec compander{"Compander", {sound(0), sound(0), number(0.6f), number(1), number(0.25f), number(0.01f), number(0.15f)}, 1, false};

template <const Spec &spec, int voices> void *make(double rate, int frames, float volts) { return makeHost(spec, voices, rate, frames, volts); }

#define PEER(spec, label, name, voices, ins, outs) {"SuperCollider " label, name, voices, (voices) * (ins), (voices) * (outs), make<spec, voices>, runHost, dropHost}

const ssp_peer peers[] = {
    PEER(saw, "Saw", "saw", 1, 0, 1),
    PEER(saw, "Saw", "saw", 4, 0, 1),
    PEER(ladder, "MoogFF", "ladder", 1, 1, 1),
    PEER(ladder, "MoogFF", "ladder", 4, 1, 1),
    PEER(ladderMoving, "MoogFF", "ladder, cutoff modulated", 1, 2, 1),
    PEER(ladderMoving, "MoogFF", "ladder, cutoff modulated", 4, 2, 1),
    PEER(echo, "CombC", "delay", 1, 1, 1),
    PEER(echo, "CombC", "delay", 4, 1, 1),
    PEER(echoLinear, "CombL", "delay", 1, 1, 1),
    PEER(echoLinear, "CombL", "delay", 4, 1, 1),
    PEER(freeVerb, "FreeVerb2", "fdn reverb", 1, 2, 2),
    PEER(gVerb, "GVerb", "fdn reverb", 1, 1, 2),
    PEER(compander, "Compander (one side)", "compressor", 1, 1, 1),
    PEER(compander, "Compander (one side)", "compressor", 4, 1, 1),
};

} // namespace

extern "C" __attribute__((visibility("default"))) const ssp_peer *ssp_peer_get(int index) {
    static const bool loaded = loadPlugins();
    return loaded && index >= 0 && index < static_cast<int>(sizeof peers / sizeof *peers) ? peers + index : nullptr;
}
