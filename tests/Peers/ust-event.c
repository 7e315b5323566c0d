/* What an event of LTTng-UST takes: batches of tracepoints, least and median of their ns an event. Usage: ust-event BATCHES. To be run while a
   session records `ssp_peer:*` (SspHost.Peers starts one); without one it says how little a tracepoint that is off takes. */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "ust-event.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 1000, MOST_BATCHES = 100000 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int count, char **arguments)
{
    static double batch[MOST_BATCHES];
    int batches = count == 2 ? atoi(arguments[1]) : 0;
    if (batches < 1 || batches > MOST_BATCHES) {
        fprintf(stderr, "usage: ust-event BATCHES (1 to %d)\n", MOST_BATCHES);
        return 2;
    }
    usleep(500000); /* the session daemon makes itself known to a program that started */
    for (int b = 0; b < batches; b++) {
        double start = now();
        for (int i = 0; i < EVENTS; i++) lttng_ust_tracepoint(ssp_peer, zone, (uint64_t)i, 100, i, (uint64_t)b);
        batch[b] = (now() - start) / EVENTS;
        usleep(1000); /* the consumer keeps up */
    }
    qsort(batch, (size_t)batches, sizeof *batch, by_size);
    printf("enabled %d\nleast %.2f\nmedian %.2f\n", lttng_ust_tracepoint_enabled(ssp_peer, zone) != 0, batch[0], batch[batches / 2]);
    return 0;
}
