/* The checks of family.c, for a host that asks them on threads of its own. */
#include <stddef.h>

/* All promises on the calling thread. `strict`: those, too, that older C libraries do not keep. */
int heap_family(int strict);

/* Threads that take, resize and give back blocks of each other; begin and end are called on each, meanwhile once beside them. Any may be NULL. */
int heap_churn(int threads, int ops, size_t largest, unsigned seed, void (*begin)(int), void (*end)(int), void (*meanwhile)(void));

/* Forks, vforks and spawns while others go on. */
void heap_children(void);
