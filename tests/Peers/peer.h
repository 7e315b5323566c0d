/* What `ssp-engine bench modules --peers` asks of a library: algorithms, each with its voices, as plain functions over blocks. */
#ifndef SSP_PEER_H
#define SSP_PEER_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ssp_peer {
    const char *maker;     /* who made it, and how it was compiled */
    const char *algorithm; /* name of a case of PeerBench.cs */
    int voices;            /* how many times the algorithm runs at once */
    int inputs, outputs;   /* of all voices, voice by voice */

    /* An instance at a rate (Hz) for blocks of so many frames; oscillators play at so many volts, 0 V = 261.6256 Hz. */
    void *(*make)(double rate, int frames, float volts);
    void (*run)(void *self, int frames, float **inputs, float **outputs);
    void (*free)(void *self);
} ssp_peer;

/* The algorithms of a library by number, NULL behind the last one. */
const ssp_peer *ssp_peer_get(int index);

#ifdef __cplusplus
}
#endif
#endif
