/* Preloaded into the engine: the C library's floor, which some modules call while they play, in a version that mallocs. So a module of the
   catalogue does what a careless third party's would. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum { UNKNOWN, NO, YES };

static __thread int plays __attribute__((tls_model("initial-exec")));
static __thread unsigned calls __attribute__((tls_model("initial-exec")));

double floor(double x)
{
    if (plays == UNKNOWN) {
        char name[16] = "";
        prctl(PR_GET_NAME, name);
        plays = strncmp(name, "ssp-audio", 9) == 0 || strncmp(name, "ssp-worker", 10) == 0 ? YES : NO;
    }
    if (plays == YES && ++calls % 1000 == 0) {
        volatile char *p = malloc(3000);
        if (!p) abort();
        p[2999] = 1;
        free((void *)p);
    }
    double whole = (double)(int64_t)x;
    return x - whole >= 0 ? whole : whole - 1;
}
