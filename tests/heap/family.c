/* What POSIX, C11 and glibc's manual promise of the malloc family, asked of whoever serves it in this process. A program, and (LIBRARY) a
   library that a host loads to ask the same on threads of its own. Prints each broken promise; returns how many there were. */
#define _GNU_SOURCE
#include "family.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <malloc.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int broken;

#define PROMISE(condition, ...)                                        \
    do {                                                               \
        if (!(condition)) {                                            \
            __atomic_fetch_add(&broken, 1, __ATOMIC_RELAXED);          \
            fprintf(stderr, "%s:%d: broken: %s: ", __func__, __LINE__, #condition); \
            fprintf(stderr, __VA_ARGS__);                              \
            fprintf(stderr, "\n");                                     \
        }                                                              \
    } while (0)

/* Where the compiler cannot see it: it knows what malloc of a constant nonsense means, and would answer itself. */
static volatile size_t huge = (size_t)PTRDIFF_MAX + 1, most = SIZE_MAX, zero = 0;

static void fill(void *p, size_t bytes, unsigned seed)
{
    unsigned char *b = p;
    for (size_t i = 0; i < bytes; i++) b[i] = (unsigned char)(seed + i * 31 + (i >> 8));
}

static size_t damaged(const void *p, size_t bytes, unsigned seed)
{
    const unsigned char *b = p;
    for (size_t i = 0; i < bytes; i++)
        if (b[i] != (unsigned char)(seed + i * 31 + (i >> 8))) return i + 1;
    return 0;
}

static size_t misaligned(const void *p, size_t alignment)
{
    return (uintptr_t)p & (alignment - 1);
}

static void sizes_and_alignment(void)
{
    static const size_t sizes[] = { 1, 7, 8, 15, 16, 17, 24, 25, 63, 64, 65, 100, 127, 128, 129, 1000, 4095, 4096, 4097, 10000, 65536, 100001 };
    void *blocks[sizeof sizes / sizeof *sizes];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *p = blocks[i] = malloc(sizes[i]);
        PROMISE(p, "malloc(%zu)", sizes[i]);
        if (!p) return;
        PROMISE(!misaligned(p, _Alignof(max_align_t)), "malloc(%zu) = %p", sizes[i], p);
        size_t usable = malloc_usable_size(p);
        PROMISE(usable >= sizes[i], "usable %zu of %zu", usable, sizes[i]);
        fill(p, usable, (unsigned)i); /* all of it may be used: glibc's manual */
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        PROMISE(!damaged(blocks[i], malloc_usable_size(blocks[i]), (unsigned)i), "%zu bytes at %p", sizes[i], blocks[i]);
        free(blocks[i]);
    }
    PROMISE(malloc_usable_size(NULL) == 0, "NULL");
}

static void nothing_and_too_much(void)
{
    void *a = malloc(zero), *b = malloc(zero), *c = calloc(zero, 8), *d = calloc(8, zero), *e = realloc(NULL, zero);
    PROMISE(a && b && c && d && e && a != b && c != d, "size 0 gives pointers of their own: %p %p %p %p %p", a, b, c, d, e);
    free(a), free(b), free(c), free(d), free(e);
    errno = 0;
    PROMISE(!malloc(huge) && errno == ENOMEM, "malloc beyond PTRDIFF_MAX, errno %d", errno);
    errno = 0;
    PROMISE(!malloc(most) && errno == ENOMEM, "malloc(SIZE_MAX), errno %d", errno);
    errno = 0;
    PROMISE(!calloc(most / 2, 3) && errno == ENOMEM, "calloc that overflows, errno %d", errno);
    errno = 0;
    PROMISE(!calloc(most, most) && errno == ENOMEM, "calloc that overflows to 1, errno %d", errno);
    errno = 0;
    PROMISE(!calloc(huge, 1) && errno == ENOMEM, "calloc beyond PTRDIFF_MAX, errno %d", errno);

    void *volatile p = malloc(100); /* volatile: not for the compiler to reason about */
    fill(p, 100, 9);
    errno = 0;
    PROMISE(!realloc(p, huge) && errno == ENOMEM, "realloc beyond PTRDIFF_MAX, errno %d", errno);
    errno = 0;
    PROMISE(!reallocarray(p, most / 4, 5) && errno == ENOMEM, "reallocarray that overflows, errno %d", errno);
    PROMISE(!damaged(p, 100, 9), "a block whose realloc failed is untouched");
    errno = 0;
    PROMISE(!realloc(p, zero), "realloc(p, 0) frees and returns NULL (glibc)");
    p = malloc(10);
    PROMISE(!reallocarray(p, 10, zero), "reallocarray(p, n, 0) is realloc(p, 0)");

    errno = 4711;
    p = malloc(50);
    void *q = malloc(500000);
    errno = 4711;
    free(p), free(q), free(NULL);
    PROMISE(errno == 4711, "free leaves errno alone (POSIX 2024), now %d", errno);
}

static void zeroed(void)
{
    for (int round = 0; round < 3; round++)
        for (size_t bytes = 1; bytes <= 70000; bytes = bytes * 3 + 1) {
            unsigned char *dirty = malloc(bytes);
            memset(dirty, 0xA5, malloc_usable_size(dirty));
            free(dirty);
            unsigned char *p = calloc(bytes % 7 == 0 ? bytes / 7 : 1, bytes % 7 == 0 ? 7 : bytes);
            size_t i = 0;
            while (i < bytes && p[i] == 0) i++;
            PROMISE(i == bytes, "calloc of %zu: byte %zu is %02x", bytes, i, p[i]);
            free(p);
        }
}

static void resized(void)
{
    static const size_t chain[] = { 1, 2, 60, 64, 65, 20, 200, 4000, 4096, 4097, 3000, 70000, 69999, 150, 300000, 1 };
    size_t had = 0;
    unsigned char *p = NULL;
    for (size_t i = 0; i < sizeof chain / sizeof *chain; i++) {
        unsigned char *q = i % 2 ? realloc(p, chain[i]) : reallocarray(p, 1, chain[i]);
        PROMISE(q, "realloc to %zu", chain[i]);
        if (!q) break;
        size_t keeps = had < chain[i] ? had : chain[i];
        PROMISE(!damaged(q, keeps, 3), "realloc from %zu to %zu changed byte %zu", had, chain[i], damaged(q, keeps, 3) - 1);
        PROMISE(!misaligned(q, _Alignof(max_align_t)), "realloc to %zu = %p", chain[i], (void *)q);
        fill(p = q, had = chain[i], 3);
    }
    free(p);

    /* A block of another alignment is resized like any: its contents stay, its alignment need not. */
    void *aligned = NULL;
    PROMISE(posix_memalign(&aligned, 4096, 100) == 0, "posix_memalign(4096)");
    fill(aligned, 100, 5);
    for (size_t bytes = 10; bytes < 50000; bytes *= 3) {
        aligned = realloc(aligned, bytes);
        PROMISE(aligned && !damaged(aligned, bytes < 100 ? 10 : 10, 5), "realloc of an aligned block to %zu", bytes);
    }
    free(aligned);
}

static void aligned(int strict)
{
    for (size_t alignment = sizeof(void *); alignment <= 65536; alignment <<= 1)
        for (size_t bytes = 0; bytes <= 40000; bytes = bytes * 5 + 3) {
            void *p = (void *)0x5A, *q, *r;
            PROMISE(posix_memalign(&p, alignment, bytes) == 0 && !misaligned(p, alignment), "posix_memalign(%zu, %zu) = %p", alignment, bytes, p);
            PROMISE((q = aligned_alloc(alignment, bytes)) && !misaligned(q, alignment), "aligned_alloc(%zu, %zu) = %p", alignment, bytes, q);
            PROMISE((r = memalign(alignment, bytes)) && !misaligned(r, alignment), "memalign(%zu, %zu) = %p", alignment, bytes, r);
            PROMISE(malloc_usable_size(p) >= bytes && malloc_usable_size(q) >= bytes && malloc_usable_size(r) >= bytes, "usable, %zu", bytes);
            fill(p, malloc_usable_size(p), 1), fill(q, malloc_usable_size(q), 2), fill(r, malloc_usable_size(r), 3);
            PROMISE(!damaged(p, malloc_usable_size(p), 1) && !damaged(q, malloc_usable_size(q), 2), "aligned blocks of %zu overlap", bytes);
            free(p), free(q), free(r);
        }
    static const size_t wrong[] = { 0, 1, 2, 3, 4, 6, 12, 24, 100, SIZE_MAX };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        void *p = (void *)0x5A;
        PROMISE(posix_memalign(&p, wrong[i], 10) == EINVAL && p == (void *)0x5A, "posix_memalign(%zu): EINVAL, and its result untouched", wrong[i]);
    }
    void *p = (void *)0x5A;
    PROMISE(posix_memalign(&p, 64, huge) == ENOMEM && p == (void *)0x5A, "posix_memalign of too much: ENOMEM, and its result untouched");
    errno = 0;
    PROMISE(!memalign(64, most) && errno == ENOMEM, "memalign of too much, errno %d", errno);
    errno = 0;
    PROMISE(!aligned_alloc(4096, most - 100) && errno == ENOMEM, "aligned_alloc of too much, errno %d", errno);
    errno = 0;
    PROMISE(!memalign(most, 1) && errno == EINVAL, "memalign of an alignment that there is no power of two for, errno %d", errno);
    PROMISE((p = memalign(48, 10)) && !misaligned(p, 64), "memalign(48) = %p: rounded up (glibc)", p);
    free(p);
    errno = 0;
    p = aligned_alloc(48, 96);
    if (strict) PROMISE(!p && errno == EINVAL, "aligned_alloc(48): EINVAL (C17, glibc 2.38), errno %d", errno);
    free(p);

    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    PROMISE((p = valloc(100)) && !misaligned(p, page), "valloc = %p", p);
    free(p);
    PROMISE((p = pvalloc(page + 1)) && !misaligned(p, page) && malloc_usable_size(p) >= 2 * page, "pvalloc = %p", p);
    free(p);
    errno = 0;
    PROMISE(!pvalloc(most) && errno == ENOMEM, "pvalloc(SIZE_MAX), errno %d", errno);
}

/* What the C library itself takes by malloc, its caller gives back by free: both must mean the same allocator. */
static void from_within_libc(void)
{
    char *copy = strdup("a string of some length, so that it is no special case");
    PROMISE(copy && strlen(copy) == 54 && malloc_usable_size(copy) >= 55, "strdup");
    copy = realloc(copy, 4000);
    PROMISE(copy && copy[0] == 'a' && copy[53] == 'e', "realloc of what strdup took");
    free(copy);
    char *text = NULL;
    PROMISE(asprintf(&text, "%d and %s", 12, "more") == 11 && strcmp(text, "12 and more") == 0, "asprintf");
    free(text);
    FILE *file = fopen("/proc/self/status", "r");
    char *line = NULL;
    size_t room = 0;
    PROMISE(file && getline(&line, &room, file) > 0 && room > 0, "fopen and getline");
    if (file) fclose(file);
    free(line);
    char *memory = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&memory, &bytes);
    for (int i = 0; stream && i < 1000; i++) fprintf(stream, "%d ", i);
    if (stream) fclose(stream);
    PROMISE(memory && bytes == 3890, "open_memstream: %zu", bytes);
    free(memory);
    char *path = realpath("/proc/self/../..", NULL);
    PROMISE(path && strcmp(path, "/") == 0, "realpath");
    free(path);
}

int heap_family(int strict)
{
    broken = 0;
    sizes_and_alignment();
    nothing_and_too_much();
    zeroed();
    resized();
    aligned(strict);
    from_within_libc();
    return broken;
}

/* ---- blocks that come and go on several threads at once: a model of who holds what, and patterns that say when two overlap ---- */

#define SLOTS 256

static struct {
    pthread_mutex_t lock;
    void *p;
    size_t bytes, alignment;
    unsigned seed;
} slots[SLOTS];

struct churner {
    pthread_t thread;
    unsigned random;
    int ops, index;
    size_t largest;
    void (*begin)(int), (*end)(int);
};

static unsigned roll(unsigned *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5; /* G. Marsaglia, xorshift32 */
}

static void *churn(void *argument)
{
    struct churner *c = argument;
    if (c->begin) c->begin(c->index);
    for (int i = 0; i < c->ops; i++) {
        unsigned r = roll(&c->random);
        int s = (int)(r % SLOTS);
        pthread_mutex_lock(&slots[s].lock);
        size_t bytes = (roll(&c->random) % 8 == 0 ? roll(&c->random) % c->largest : roll(&c->random) % 300) + 1;
        void *p = slots[s].p, *q = NULL;
        if (p) PROMISE(!damaged(p, slots[s].bytes, slots[s].seed), "a block of %zu bytes at %p changed at byte %zu while thread %d did nothing to it",
                slots[s].bytes, p, damaged(p, slots[s].bytes, slots[s].seed) - 1, c->index);
        size_t alignment = 16;
        switch (p ? (r >> 16) % 3 : 3 + (r >> 16) % 4) {
        case 0:
        case 1:
            free(p);
            slots[s].p = NULL;
            pthread_mutex_unlock(&slots[s].lock);
            continue;
        case 2:
            q = realloc(p, bytes);
            if (!q) { /* refused: the old one stays */
                pthread_mutex_unlock(&slots[s].lock);
                continue;
            }
            size_t keeps = bytes < slots[s].bytes ? bytes : slots[s].bytes;
            PROMISE(!damaged(q, keeps, slots[s].seed), "realloc from %zu to %zu on thread %d", slots[s].bytes, bytes, c->index);
            break;
        case 3: q = malloc(bytes); break;
        case 4: {
            q = calloc(1, bytes);
            const unsigned char *b = q;
            size_t n = 0;
            while (q && n < bytes && b[n] == 0) n++;
            PROMISE(!q || n == bytes, "calloc of %zu on thread %d", bytes, c->index);
            break;
        }
        case 5:
            alignment = (size_t)16 << (r >> 20) % 9;
            if (posix_memalign(&q, alignment, bytes) != 0) q = NULL;
            break;
        default: q = reallocarray(NULL, bytes, 1); break;
        }
        PROMISE(!misaligned(q, alignment), "%p is not aligned to %zu", q, alignment);
        PROMISE(!q || malloc_usable_size(q) >= bytes, "usable %zu of %zu", malloc_usable_size(q), bytes);
        slots[s].p = q;
        slots[s].bytes = bytes;
        slots[s].seed = r;
        if (q) fill(q, bytes, r);
        pthread_mutex_unlock(&slots[s].lock);
    }
    if (c->end) c->end(c->index);
    return NULL;
}

int heap_churn(int threads, int ops, size_t largest, unsigned seed, void (*begin)(int), void (*end)(int), void (*meanwhile)(void))
{
    struct churner churners[16];
    broken = 0;
    for (int s = 0; s < SLOTS; s++) pthread_mutex_init(&slots[s].lock, NULL);
    for (int t = 0; t < threads && t < 16; t++) {
        churners[t] = (struct churner){ .random = seed * 2654435761u + (unsigned)t + 1, .ops = ops, .index = t, .largest = largest, .begin = begin, .end = end };
        if (pthread_create(&churners[t].thread, NULL, churn, &churners[t]) != 0) abort();
    }
    if (meanwhile) meanwhile();
    for (int t = 0; t < threads && t < 16; t++) pthread_join(churners[t].thread, NULL);
    for (int s = 0; s < SLOTS; s++) {
        if (slots[s].p) PROMISE(!damaged(slots[s].p, slots[s].bytes, slots[s].seed), "at the end: %zu bytes at %p", slots[s].bytes, slots[s].p);
        free(slots[s].p);
        slots[s].p = NULL;
    }
    return broken;
}

/* Children while others allocate: a copy of the process whose other threads are gone must find an allocator that works. */
void heap_children(void)
{
    for (volatile int i = 0; i < 30; i++) {
        void *volatile kept = malloc(1000);
        fill(kept, 1000, (unsigned)i);
        volatile pid_t child = fork();
        if (child == 0) {
            alarm(20); /* one that hangs is a broken promise too */
            for (int k = 0; k < 200; k++) {
                void *p = malloc((size_t)k * 37 + 1), *q = calloc(1, (size_t)k + 1);
                p = realloc(p, (size_t)k * 80 + 1);
                if (!p || !q) _exit(2);
                free(p), free(q);
            }
            if (damaged(kept, 1000, (unsigned)i)) _exit(3);
            kept = realloc(kept, 5000);
            if (!kept || damaged(kept, 1000, (unsigned)i)) _exit(4);
            free(kept);
            _exit(0);
        }
        int status = -1;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
        PROMISE(child > 0 && status == 0, "a child of fork: status %x", (unsigned)status);
        PROMISE(!damaged(kept, 1000, (unsigned)i), "what the child did with its copy shows in the parent");
        free(kept);

        char *const arguments[] = { "true", NULL };
        if (i % 2) {
            child = vfork();
            if (child == 0) {
                execv("/bin/true", arguments);
                _exit(9);
            }
        } else {
            pid_t spawned = -1;
            if (posix_spawn(&spawned, "/bin/true", NULL, NULL, arguments, environ) != 0) spawned = -1;
            child = spawned;
        }
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
        PROMISE(child > 0 && status == 0, "a child that becomes another program: status %x", (unsigned)status);
    }
}

#ifndef LIBRARY
int main(int count, char **arguments)
{
    int strict = count > 1 && strcmp(arguments[1], "strict") == 0;
    int sum = heap_family(strict);
    sum += heap_churn(4, 40000, 20000, 1, NULL, NULL, heap_children);
    printf("%d promises broken, served by %s\n", sum, strict ? "the interposer" : "the C library");
    return sum != 0;
}
#endif
