/* The malloc family of the engine process: who asks decides who serves, and an address says where it came from. */
#define _GNU_SOURCE
#include "heap.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libc.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define EXPORT __attribute__((visibility("default")))
#define SMALLEST 16 /* alignment that malloc promises: max_align_t */

enum { ELSEWHERE = 0, IN_SCOPE = 1, REAL_TIME = 2 };

/* initial-exec: reading it must not allocate, which a dynamic one does at a thread's first look. */
static __thread struct {
    int32_t mode;
    int32_t paused;
    int32_t arena;
    uint32_t owner;
    const volatile int32_t *current;
    const volatile int32_t *ghost;
} here __attribute__((tls_model("initial-exec")));

static struct ssp_heap_service *service;
static uintptr_t pool_start;
static uint64_t pool_bytes; /* 0: nothing is the pool's */
static int forked;          /* in a child: the pool is the parent's, and shared */
static void (*trap)(const char *function);
static void *put_off; /* stack of what RT threads freed of the C library's; the link is the first word of each */

static int is_pools(const void *p)
{
    return (uintptr_t)p - pool_start < __atomic_load_n(&pool_bytes, __ATOMIC_RELAXED);
}

/* ---- the pool ---- */

/* U. Drepper, "Futexes Are Tricky" (2011), mutex 2, as PoolLock in the engine: the word may be shared with it. */
static void lock(uint32_t *word)
{
    uint32_t seen = 0;
    if (__atomic_compare_exchange_n(word, &seen, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return;
    if (seen != 2) seen = __atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE);
    while (seen != 0) {
        struct timespec most = { 0, 100000000 };
        syscall(SYS_futex, word, FUTEX_WAIT, 2, &most, NULL, 0);
        seen = __atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE);
    }
}

static void unlock(uint32_t *word)
{
    if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2) syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* The caller's arena: an RT thread has one of its own, everybody else shares the steward's. */
static int32_t own_arena(void)
{
    return here.mode == REAL_TIME ? here.arena : 0;
}

static void *pool_allocate(size_t bytes, size_t alignment, uint32_t owner)
{
    void *p = NULL;
    if (bytes <= INT64_MAX / 2 && alignment <= INT64_MAX / 2) {
        int32_t arena = own_arena();
        if (arena == 0) lock(service->lock);
        p = service->allocate(service, arena, (int64_t)bytes, (int64_t)alignment, owner);
        if (arena == 0) unlock(service->lock);
    }
    if (!p) errno = ENOMEM;
    return p;
}

static void pool_release(void *p)
{
    if (forked) return;
    int keep = errno;
    int32_t arena = own_arena();
    if (arena == 0) lock(service->lock);
    service->release(service, arena, p);
    if (arena == 0) unlock(service->lock);
    errno = keep;
}

static int pool_resize(void *p, size_t bytes)
{
    if (bytes > INT64_MAX / 2) return 0;
    int32_t arena = own_arena();
    if (arena == 0) lock(service->lock);
    int done = service->resize(service, arena, p, (int64_t)bytes);
    if (arena == 0) unlock(service->lock);
    return done;
}

/* ---- who asks ---- */

/* A call on an RT thread: trapped, counted and blamed on the module it came from. Returns whose the memory is to be. */
static uint32_t note(const char *function)
{
    void (*report)(const char *) = __atomic_load_n(&trap, __ATOMIC_ACQUIRE);
    if (report) report(function);
    if (here.ghost && *here.ghost) return 0; /* its module was named when the thread was replaced, and `current` is not its own any more */
    int32_t current = here.current ? *here.current : 0;
    if (current <= 0 || (uint64_t)current > service->slots) {
        __atomic_fetch_add(service->calls_outside, 1, __ATOMIC_RELAXED);
        return 0;
    }
    uint64_t *calls = (uint64_t *)((char *)service->calls + (uint64_t)(current - 1) * service->calls_stride);
    __atomic_fetch_add(calls, 1, __ATOMIC_RELAXED);
    return (uint32_t)current;
}

/* Everything but the ordinary case: an RT thread, or the building of a module. */
__attribute__((noinline)) static void *served(const char *function, size_t bytes, size_t alignment)
{
    uint32_t owner = here.mode == REAL_TIME ? note(function) : here.owner;
    return pool_allocate(bytes, alignment, owner);
}

static void *take(const char *function, size_t bytes, size_t alignment)
{
    if (LIKELY(here.mode == ELSEWHERE)) return alignment <= SMALLEST ? libc_heap.malloc(bytes) : libc_heap.memalign(alignment, bytes);
    return served(function, bytes, alignment);
}

/* The C library's free may lock and make system calls: not on an RT thread. */
static void put_off_free(void *p)
{
    void *head = __atomic_load_n(&put_off, __ATOMIC_RELAXED);
    do *(void **)p = head;
    while (!__atomic_compare_exchange_n(&put_off, &head, p, 1, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

__attribute__((noinline)) static void free_unusual(void *p)
{
    if (!p) return;
    if (here.mode == REAL_TIME) (void)note("free");
    if (is_pools(p)) pool_release(p);
    else if (here.mode == REAL_TIME) put_off_free(p);
    else libc_heap.free(p);
}

/* Whatever is the pool's, or is asked for where the pool serves. */
__attribute__((noinline)) static void *realloc_unusual(const char *function, void *p, size_t bytes)
{
    uint32_t owner = here.owner;
    if (here.mode == REAL_TIME) owner = note(function);
    if (!p) return pool_allocate(bytes, SMALLEST, owner);
    if (bytes == 0) { /* as glibc: it is a free */
        if (is_pools(p)) pool_release(p);
        else if (here.mode == REAL_TIME) put_off_free(p);
        else libc_heap.free(p);
        return NULL;
    }
    if (!is_pools(p)) {
        if (here.mode != REAL_TIME) return libc_heap.realloc(p, bytes); /* it stays what it was */
        size_t had = libc_heap.usable(p);
        void *q = pool_allocate(bytes, SMALLEST, owner);
        if (!q) return NULL;
        memcpy(q, p, had < bytes ? had : bytes);
        put_off_free(p);
        return q;
    }

    uint32_t former = 0;
    int64_t had = service->usable(service, p, &former);
    if (had < 0) { /* no block of malloc's: nothing can be done for it, and it is not the pool's caller who may die of it */
        pool_release(p); /* counts the fault */
        errno = ENOMEM;
        return NULL;
    }
    void *q;
    if (forked) {
        q = libc_heap.malloc(bytes);
    } else {
        if (pool_resize(p, bytes)) return p;
        q = pool_allocate(bytes, SMALLEST, former); /* it stays its owner's, wherever the owner's code runs */
    }
    if (!q) {
        if (bytes > (uint64_t)had) return NULL;
        return p; /* it only shrinks: where it lies is room enough */
    }
    memcpy(q, p, (uint64_t)had < bytes ? (size_t)had : bytes);
    pool_release(p);
    return q;
}

/* ---- the family ---- */

EXPORT void *malloc(size_t bytes)
{
    if (LIKELY(here.mode == ELSEWHERE)) return libc_heap.malloc(bytes);
    return served("malloc", bytes, SMALLEST);
}

EXPORT void free(void *p)
{
    if (LIKELY(here.mode != REAL_TIME && !is_pools(p))) libc_heap.free(p);
    else free_unusual(p);
}

EXPORT void *calloc(size_t count, size_t size)
{
    if (LIKELY(here.mode == ELSEWHERE)) return libc_heap.calloc(count, size);
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) bytes = SIZE_MAX; /* refused, and counted where it is to be counted */
    void *p = served("calloc", bytes, SMALLEST);
    return p ? memset(p, 0, bytes) : NULL;
}

EXPORT void *realloc(void *p, size_t bytes)
{
    if (LIKELY(here.mode == ELSEWHERE && !is_pools(p))) return libc_heap.realloc(p, bytes);
    return realloc_unusual("realloc", p, bytes);
}

EXPORT void *reallocarray(void *p, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        if (here.mode == REAL_TIME) (void)note("reallocarray");
        errno = ENOMEM;
        return NULL;
    }
    if (LIKELY(here.mode == ELSEWHERE && !is_pools(p))) return libc_heap.realloc(p, bytes);
    return realloc_unusual("reallocarray", p, bytes);
}

static int is_power_of_two(size_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

/* As glibc: what is no power of two is rounded up to one. */
EXPORT void *memalign(size_t alignment, size_t bytes)
{
    if (alignment > SIZE_MAX / 2 + 1) {
        errno = EINVAL;
        return NULL;
    }
    size_t power = SMALLEST;
    while (power < alignment) power <<= 1;
    return take("memalign", bytes, power);
}

/* C17 (as glibc from 2.38): the alignment is a power of two, or there is no block. The size may be anything. */
EXPORT void *aligned_alloc(size_t alignment, size_t bytes)
{
    if (!is_power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return take("aligned_alloc", bytes, alignment);
}

/* POSIX: a power of two and a multiple of a pointer's size; the error is returned, errno and *out are left alone. */
EXPORT int posix_memalign(void **out, size_t alignment, size_t bytes)
{
    if (!is_power_of_two(alignment) || alignment % sizeof(void *) != 0) return EINVAL;
    int keep = errno;
    void *p = take("posix_memalign", bytes, alignment);
    errno = keep;
    if (!p) return ENOMEM;
    *out = p;
    return 0;
}

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

EXPORT void *valloc(size_t bytes)
{
    return take("valloc", bytes, page_size());
}

EXPORT void *pvalloc(size_t bytes)
{
    size_t page = page_size();
    size_t whole;
    if (__builtin_add_overflow(bytes, page - 1, &whole)) {
        errno = ENOMEM;
        return NULL;
    }
    return take("pvalloc", whole & ~(page - 1), page);
}

EXPORT size_t malloc_usable_size(void *p)
{
    if (!p) return 0;
    if (here.mode == REAL_TIME) (void)note("malloc_usable_size");
    if (LIKELY(!is_pools(p))) return libc_heap.usable(p);
    uint32_t owner;
    int64_t bytes = service->usable(service, p, &owner);
    return bytes < 0 ? 0 : (size_t)bytes;
}

/* Old programs on glibc still ask for it. */
EXPORT void cfree(void *p);

EXPORT void cfree(void *p)
{
    free(p);
}

/* ---- what the engine calls ---- */

/* The child of a fork has a copy of everything but the pool, which it shares with its parent: it must not touch it. */
static void in_child(void)
{
    forked = 1;
    here.mode = ELSEWHERE;
    put_off = NULL; /* the parent's steward frees these; here they are a leak of a process that is about to end or exec */
}

EXPORT void ssp_heap_serve(struct ssp_heap_service *with)
{
    static int asked;
    if (!asked) asked = pthread_atfork(NULL, NULL, in_child) == 0;
    if (!with) {
        __atomic_store_n(&pool_bytes, 0, __ATOMIC_RELEASE);
        return;
    }
    service = with;
    pool_start = with->start;
    __atomic_store_n(&pool_bytes, with->bytes, __ATOMIC_RELEASE);
}

EXPORT void ssp_heap_enter_rt(int32_t arena, const volatile int32_t *current, const volatile int32_t *ghost)
{
    if (arena <= 0 || !pool_bytes) return;
    here.arena = arena;
    here.current = current;
    here.ghost = ghost;
    here.mode = REAL_TIME;
}

EXPORT void ssp_heap_leave_rt(void)
{
    here.mode = ELSEWHERE;
}

EXPORT void ssp_heap_pause_rt(void)
{
    here.paused = here.mode == REAL_TIME;
    if (here.paused) here.mode = ELSEWHERE;
}

EXPORT void ssp_heap_resume_rt(void)
{
    if (here.paused) here.mode = REAL_TIME;
    here.paused = 0;
}

EXPORT void ssp_heap_enter_scope(uint32_t owner)
{
    if (here.mode == REAL_TIME || !pool_bytes || forked) return;
    here.owner = owner;
    here.mode = IN_SCOPE;
}

EXPORT void ssp_heap_leave_scope(void)
{
    if (here.mode == IN_SCOPE) here.mode = ELSEWHERE;
}

EXPORT int64_t ssp_heap_reap(void)
{
    int64_t count = 0;
    void *p = __atomic_exchange_n(&put_off, NULL, __ATOMIC_ACQUIRE);
    for (void *next; p; p = next, count++) {
        next = *(void **)p;
        libc_heap.free(p);
    }
    return count;
}

EXPORT void ssp_heap_set_trap(void (*function)(const char *))
{
    __atomic_store_n(&trap, function, __ATOMIC_RELEASE);
}
