/* A third-party module as they come: it mallocs where it is built, which it may, and where it plays, which it may not. And the allocator asked
   everything of family.c in each of the ways it serves. Loaded by `ssp-engine bench heap --check`. */
#define _GNU_SOURCE
#include "family.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/SspHost.Native/heap/heap.h"

#define BLOCKS 6

struct plugin {
    unsigned char *blocks[BLOCKS];
    size_t bytes[BLOCKS];
    char *name;
    void *from_outside; /* of the C library: taken before there was a scope */
    unsigned quanta;
};

/* Builds one; how many bytes it asked for. `from_outside`: a block it is to free while it plays. */
int64_t plugin_construct(struct plugin **made, void *from_outside)
{
    static const size_t sizes[BLOCKS] = { 100000, 16, 4000, 333, 70, 12345 };
    struct plugin *p = calloc(1, sizeof *p);
    int64_t asked = (int64_t)sizeof *p;
    if (!p) return -1;
    for (int i = 0; i < BLOCKS; i++) {
        if (i == 3) {
            void *aligned = NULL;
            if (posix_memalign(&aligned, 4096, sizes[i]) != 0) return -1;
            p->blocks[i] = aligned;
        } else {
            p->blocks[i] = realloc(malloc(sizes[i] / 2 + 1), sizes[i]);
        }
        if (!p->blocks[i]) return -1;
        memset(p->blocks[i], i + 1, p->bytes[i] = sizes[i]);
        asked += (int64_t)sizes[i];
    }
    p->name = strdup("third party"); /* through the C library */
    asked += (int64_t)strlen(p->name) + 1;
    p->from_outside = from_outside;
    *made = p;
    return asked;
}

/* Whether everything it was given lies between two addresses. */
int plugin_lies_within(const struct plugin *p, uintptr_t start, uintptr_t end)
{
    int within = (uintptr_t)p >= start && (uintptr_t)p < end && (uintptr_t)p->name >= start && (uintptr_t)p->name < end;
    for (int i = 0; i < BLOCKS; i++) within &= (uintptr_t)p->blocks[i] >= start && (uintptr_t)p->blocks[i] + p->bytes[i] <= end;
    return within;
}

/* A quantum: 8 calls of the family (9 in the first). 0, or what went wrong. */
int plugin_process(struct plugin *p)
{
    for (int i = 0; i < BLOCKS; i++)
        for (size_t b = 0; b < p->bytes[i]; b += 61)
            if (p->blocks[i][b] != i + 1) return 1;
    if (p->from_outside) free(p->from_outside);
    p->from_outside = NULL;

    unsigned char *scratch = malloc(500), *more = calloc(30, 10);
    if (!scratch || !more) return 2;
    memset(scratch, 0xEE, 500);
    scratch = realloc(scratch, 3000);
    if (!scratch || scratch[499] != 0xEE) return 3;
    free(scratch);
    free(more);

    int i = (int)(p->quanta++ % 2) + 1; /* what the steward made is resized and given back here: to the steward's arena, from this thread's */
    size_t bytes = p->bytes[i] == 16 ? 4000 : 16;
    unsigned char *moved = realloc(p->blocks[i], bytes);
    if (!moved) return 4;
    memset(moved, i + 1, bytes);
    p->blocks[i] = moved;
    p->bytes[i] = bytes;
    free(malloc(0));
    return 0;
}

void plugin_destroy(struct plugin *p)
{
    for (int i = 0; i < BLOCKS; i++) free(p->blocks[i]);
    free(p->name);
    free(p);
}

/* ---- the family, in each way it is served ---- */

#define FIRST_ARENA 5 /* the host opens two from here, of 8 MiB each */

static const volatile int32_t modules[2] = { 31, 0 }; /* one RT thread is inside slot 30, the other inside none */
static const volatile int32_t not_replaced;

static void begin(int index)
{
    if (index < 2) ssp_heap_enter_rt(FIRST_ARENA + index, &modules[index], &not_replaced);
    else if (index == 2) ssp_heap_enter_scope(51);
}

static void end(int index)
{
    if (index < 2) ssp_heap_leave_rt();
    else if (index == 2) ssp_heap_leave_scope();
}

static void *family_on_thread(void *how)
{
    int index = *(int *)how;
    begin(index);
    int broken = heap_family(1);
    end(index);
    return (void *)(intptr_t)broken;
}

/* Broken promises elsewhere, in a scope and on an RT thread. */
int heap_three_ways(void)
{
    int broken = 0;
    for (int index = 0; index < 4; index++) {
        pthread_t thread;
        void *result;
        if (pthread_create(&thread, NULL, family_on_thread, &index) != 0) return -1;
        pthread_join(thread, &result);
        if (result) fprintf(stderr, "way %d: %d\n", index, (int)(intptr_t)result);
        broken += (int)(intptr_t)result;
    }
    return broken;
}

/* RT threads, a scope and two others churn each other's blocks while children are made. */
int heap_all_at_once(int ops, unsigned seed)
{
    return heap_churn(5, ops, 20000, seed, begin, end, heap_children);
}

/* Takes until there is no more, on an RT thread; how many blocks there were, or what went wrong. */
static void *exhaust(void *unused)
{
    (void)unused;
    intptr_t count = 0;
    void **list = NULL;
    begin(0);
    errno = 0;
    for (void **p; (p = malloc(1000)) != NULL; list = p, count++) *p = list;
    int why = errno;
    errno = 0;
    int calloc_too = !calloc(1, 1000) && errno == ENOMEM;
    int realloc_too = !realloc(list, 1 << 20) && errno == ENOMEM && malloc_usable_size(list) >= 1000;
    void *out = &calloc_too;
    int memalign_too = posix_memalign(&out, 64, 1000) == ENOMEM && out == &calloc_too;
    while (list) {
        void *next = *list;
        free(list);
        list = next;
    }
    void *again = malloc(100000);
    free(again);
    end(0);
    return (void *)(why == ENOMEM && calloc_too && realloc_too && memalign_too && again ? count : (intptr_t)-1);
}

int64_t heap_exhausted(void)
{
    pthread_t thread;
    void *result;
    if (pthread_create(&thread, NULL, exhaust, NULL) != 0) return -1;
    pthread_join(thread, &result);
    return (int64_t)(intptr_t)result;
}

static char trapped[512];

static void trap(const char *function)
{
    strncat(trapped, function, sizeof trapped - strlen(trapped) - 2);
    strcat(trapped, " ");
}

static void *call_all(void *how)
{
    void *p = NULL;
    begin(*(int *)how);
    free(malloc(1));
    p = calloc(1, 1);
    p = realloc(p, 2000);
    p = reallocarray(p, 2, 3000);
    free(p);
    if (posix_memalign(&p, 64, 1) == 0) free(p);
    free(memalign(64, 1));
    free(aligned_alloc(64, 64));
    free(valloc(1));
    free(pvalloc(1));
    p = malloc(1);
    (void)malloc_usable_size(p);
    free(p);
    free(NULL); /* no call */
    end(*(int *)how);
    return NULL;
}

/* The names a trap heard: on an RT thread each call of the family, elsewhere and in a scope none. */
const char *heap_trapped(void)
{
    trapped[0] = 0;
    ssp_heap_set_trap(trap);
    for (int index = 0; index < 4; index += 2) {
        pthread_t thread;
        if (index == 2) strcat(trapped, "| ");
        if (pthread_create(&thread, NULL, call_all, &index) == 0) pthread_join(thread, NULL);
    }
    ssp_heap_set_trap(NULL);
    return trapped;
}
