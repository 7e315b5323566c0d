/* What the engine tells the interposer, and what it asks of it. The same struct as HeapService in the engine. */
#ifndef SSPHOST_HEAP_H
#define SSPHOST_HEAP_H

#include <stdint.h>

/* The region's pool as malloc sees it. The functions are managed code without a transition: they run in whatever mode the thread is in. */
struct ssp_heap_service {
    /* Addresses of the pool's blocks: [start, start + bytes). */
    uintptr_t start;
    uint64_t bytes;

    /* Futex mutex of arena 0 (0 free, 1 taken, 2 taken and waited for); no thread with an arena of its own takes it. */
    uint32_t *lock;

    /* A block, or NULL where the arena has no room. Arena 0: with the lock held, as for the two below. */
    void *(*allocate)(struct ssp_heap_service *self, int32_t arena, int64_t bytes, int64_t alignment, uint32_t owner);

    /* Gives a block back from the caller's arena; what is no block of malloc's is counted as a fault and left alone. */
    void (*release)(struct ssp_heap_service *self, int32_t arena, void *block);

    /* 1 where the block now holds so many bytes in its place; 0 where it has to move. */
    int32_t (*resize)(struct ssp_heap_service *self, int32_t arena, void *block, int64_t bytes);

    /* Bytes that may be used from this address on, and whose they are; -1 for what is no block of malloc's. Needs no lock. */
    int64_t (*usable)(struct ssp_heap_service *self, void *block, uint32_t *owner);

    /* InstanceRecord.HeapCalls of slot 0, bytes from one slot to the next, and slots. */
    uint64_t *calls;
    uint64_t calls_stride;
    uint64_t slots;

    /* Calls on RT threads outside any module. */
    uint64_t *calls_outside;
};

/* From now on (for good: the region outlives every thread) the pool serves scopes and RT threads. NULL: no more. [start-up] */
void ssp_heap_serve(struct ssp_heap_service *service);

/* The calling thread is an RT thread with an arena of its own (1 and up). `current` holds slot + 1 of the module it is in, or NULL;
   `ghost` is not 0 once it was replaced: `current` is then its successor's. */
void ssp_heap_enter_rt(int32_t arena, const volatile int32_t *current, const volatile int32_t *ghost);
void ssp_heap_leave_rt(void);

/* The C library serves the calling RT thread, up to resume: between quanta, for what is to outlive its arena. Nothing elsewhere. */
void ssp_heap_pause_rt(void);
void ssp_heap_resume_rt(void);

/* What the calling thread takes from now on is taken from the pool for this owner (instance slot + 1). Nothing on an RT thread. */
void ssp_heap_enter_scope(uint32_t owner);
void ssp_heap_leave_scope(void);

/* Frees what RT threads freed of the C library's memory; how many blocks. [steward] */
int64_t ssp_heap_reap(void);

/* Called first by each call of the family on an RT thread, with the function's name; NULL: none. free(NULL) is no call. */
void ssp_heap_set_trap(void (*trap)(const char *function));

#endif
