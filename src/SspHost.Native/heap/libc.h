/* The C library's allocator, which ours stands in front of. */
#ifndef SSPHOST_HEAP_LIBC_H
#define SSPHOST_HEAP_LIBC_H

#include <stddef.h>

struct libc_heap {
    void *(*malloc)(size_t bytes);
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *p, size_t bytes);
    void *(*memalign)(size_t alignment, size_t bytes);
    void (*free)(void *p);
    size_t (*usable)(void *p);
};

extern struct libc_heap libc_heap;

#endif
