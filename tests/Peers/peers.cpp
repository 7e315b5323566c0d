// Faust's C++ behind the plain functions of peer.h. Built by tools/peers.sh, which names the maker and says which voices there are.
#include <cstring>

#include "peer.h"

#define FAUSTFLOAT float

// What Faust's generated code wants to see declared; only sliders matter here.
struct Meta {
    virtual ~Meta() = default;
    virtual void declare(const char *, const char *) {}
};

struct UI {
    float volts = 0;
    int voices = 0;
    virtual ~UI() = default;
    void openVerticalBox(const char *) {}
    void openHorizontalBox(const char *) {}
    void closeBox() {}
    void declare(float *, const char *, const char *) {}
    void addHorizontalSlider(const char *label, float *zone, float, float, float, float) {
        if (!std::strncmp(label, "volts", 5)) *zone = volts + 0.1f * static_cast<float>(voices++); // or they would be one
    }
};

struct dsp {
    virtual ~dsp() = default;
};

#include "generated.h" // Svf1, Svf4 ...: one class an algorithm and number of voices

namespace {

template <class T> void *make(double rate, int, float volts) {
    auto *self = new T;
    self->init(static_cast<int>(rate));
    UI ui;
    ui.volts = volts;
    self->buildUserInterface(&ui);
    return self;
}

template <class T> void run(void *self, int frames, float **inputs, float **outputs) {
    // Not through the vtable: the class is known.
    static_cast<T *>(self)->T::compute(frames, inputs, outputs);
}

template <class T> void drop(void *self) { delete static_cast<T *>(self); }

#define PEER(type, label, name, voices, ins, outs) {PEER_MAKER label, name, voices, ins, outs, make<type>, run<type>, drop<type>}

const ssp_peer peers[] = {
    PEER(Svf1, "", "svf", 1, 1, 5),
    PEER(Svf4, "", "svf", 4, 4, 20),
    PEER(SvfMoving1, "", "svf, cutoff modulated", 1, 2, 5),
    PEER(SvfMoving4, "", "svf, cutoff modulated", 4, 8, 20),
    PEER(Ladder1, "", "ladder", 1, 1, 1),
    PEER(Ladder4, "", "ladder", 4, 4, 4),
    PEER(LadderMoving1, "", "ladder, cutoff modulated", 1, 2, 1),
    PEER(LadderMoving4, "", "ladder, cutoff modulated", 4, 8, 4),
    PEER(Saw1, ", os.sawN(4)", "saw", 1, 0, 1),
    PEER(Saw4, ", os.sawN(4)", "saw", 4, 0, 4),
    PEER(SawMoving1, ", os.sawN(4)", "saw, pitch modulated", 1, 1, 1),
    PEER(SawMoving4, ", os.sawN(4)", "saw, pitch modulated", 4, 4, 4),
    PEER(SawClean1, ", oversampled", "saw", 1, 0, 1),
    PEER(SawClean4, ", oversampled", "saw", 4, 0, 4),
    PEER(SawCleanMoving1, ", oversampled", "saw, pitch modulated", 1, 1, 1),
    PEER(SawCleanMoving4, ", oversampled", "saw, pitch modulated", 4, 4, 4),
    PEER(Fdn1, "", "fdn reverb", 1, 2, 2),
    PEER(Delay1, "", "delay", 1, 1, 1),
    PEER(Delay4, "", "delay", 4, 4, 4),
    PEER(Compressor1, "", "compressor", 1, 2, 3),
    PEER(Compressor4, "", "compressor", 4, 8, 12),
};

} // namespace

extern "C" __attribute__((visibility("default"))) const ssp_peer *ssp_peer_get(int index) {
    return index >= 0 && index < static_cast<int>(sizeof peers / sizeof *peers) ? peers + index : nullptr;
}
