/* The C library's own allocator: by the names glibc exports for it, elsewhere the next definition in the search order. */
#define _GNU_SOURCE
#include "libc.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static size_t first_usable(void *p)
{
    libc_heap.usable = (size_t(*)(void *))dlsym(RTLD_NEXT, "malloc_usable_size");
    return libc_heap.usable(p);
}

/* SSP_HEAP_BY_DLSYM: as where these names are missing; the tests run both ways. */
#if defined(__GLIBC__) && !defined(SSP_HEAP_BY_DLSYM)

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

struct libc_heap libc_heap = { __libc_malloc, __libc_calloc, __libc_realloc, __libc_memalign, __libc_free, first_usable };

#else

/* dlsym itself may allocate, and others did before we could ask it: such bytes come from here and are never given back. */
static _Alignas(16) unsigned char early[64 * 1024];
static size_t early_used;
static void *(*next_realloc)(void *, size_t);
static void (*next_free)(void *);

static int is_early(const void *p)
{
    return (uintptr_t)p - (uintptr_t)early < sizeof early;
}

static void *early_malloc(size_t bytes)
{
    size_t need = bytes > sizeof early ? sizeof early + 16 : ((bytes ? bytes : 1) + 15) & ~(size_t)15;
    size_t at = __atomic_fetch_add(&early_used, need, __ATOMIC_RELAXED);
    if (at <= sizeof early && need <= sizeof early - at) return early + at;
    errno = ENOMEM;
    return NULL;
}

static void *early_calloc(size_t count, size_t size)
{
    size_t bytes;
    return early_malloc(__builtin_mul_overflow(count, size, &bytes) ? SIZE_MAX : bytes); /* zero: each byte is used once */
}

static void *early_memalign(size_t alignment, size_t bytes)
{
    unsigned char *p = early_malloc(bytes > SIZE_MAX - alignment ? SIZE_MAX : bytes + alignment);
    return p ? p + (-(uintptr_t)p & (alignment - 1)) : NULL;
}

static size_t early_bytes_from(const void *p)
{
    return (size_t)(early + sizeof early - (const unsigned char *)p);
}

static void *early_realloc(void *p, size_t bytes)
{
    if (p && !is_early(p)) return next_realloc(p, bytes);
    void *q = libc_heap.malloc(bytes);
    if (p && q) memcpy(q, p, bytes < early_bytes_from(p) ? bytes : early_bytes_from(p));
    return q;
}

static void early_free(void *p)
{
    if (p && !is_early(p)) next_free(p);
}

static size_t early_usable(void *p)
{
    return is_early(p) ? 0 : first_usable(p);
}

struct libc_heap libc_heap = { early_malloc, early_calloc, early_realloc, early_memalign, early_free, early_usable };

__attribute__((constructor)) static void resolve(void)
{
    next_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
    next_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
    void *(*next_malloc)(size_t) = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    void *(*next_calloc)(size_t, size_t) = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
    void *(*next_memalign)(size_t, size_t) = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "memalign");
    if (!next_realloc || !next_free || !next_malloc || !next_calloc || !next_memalign) abort();
    libc_heap.malloc = next_malloc;
    libc_heap.calloc = next_calloc;
    libc_heap.memalign = next_memalign;
}

#endif
