/* Clients of a JACK server, measured. Numbers on standard output, one line each: a name and ns.
   jack-peer chain CLIENTS SECONDS   clients in a row, each a process that copies its input to its output: from the start of the first callback to
                                     the end of the last, per cycle
   jack-peer wake SECONDS            how late the callback runs: against a grid of periods that the earliest of each second is on. After an xrun
                                     the driver begins a new grid, and so do we. Periods of whole us only: the driver counts in them */
#include <jack/jack.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CLIENTS = 64, SLOTS = 1024, MOST_SAMPLES = 4000000 };

/* What the processes share. Slots are by cycle, so that a late reader does not take another cycle's time. */
struct board {
    atomic_int ready[MOST_CLIENTS];
    atomic_int failed;
    _Atomic uint64_t started[SLOTS];
    _Atomic uint32_t cycle[SLOTS];
    _Atomic uint32_t count;
    uint64_t samples[MOST_SAMPLES];
};

static struct board *board;
static jack_client_t *client;
static jack_port_t *in, *out;
static int number, clients;
static uint64_t period_ns;
static uint32_t grids[MOST_SAMPLES]; /* which grid a sample is on */
static _Atomic uint32_t xruns;

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void keep(uint64_t value)
{
    uint32_t at = atomic_load_explicit(&board->count, memory_order_relaxed);
    if (at >= MOST_SAMPLES) return;
    board->samples[at] = value;
    atomic_store_explicit(&board->count, at + 1, memory_order_release);
}

static int chained(jack_nframes_t frames, void *unused)
{
    (void)unused;
    uint64_t start = now();
    uint32_t cycle = jack_last_frame_time(client) / frames, slot = cycle % SLOTS;
    if (number == 0) {
        atomic_store_explicit(&board->started[slot], start, memory_order_relaxed);
        atomic_store_explicit(&board->cycle[slot], cycle, memory_order_release);
    }
    memcpy(jack_port_get_buffer(out, frames), jack_port_get_buffer(in, frames), frames * sizeof(float));
    if (number == clients - 1 && atomic_load_explicit(&board->cycle[slot], memory_order_acquire) == cycle)
        keep(now() - atomic_load_explicit(&board->started[slot], memory_order_relaxed));
    return 0;
}

static int woken(jack_nframes_t frames, void *unused)
{
    (void)frames;
    (void)unused;
    uint32_t at = atomic_load_explicit(&board->count, memory_order_relaxed);
    if (at < MOST_SAMPLES) grids[at] = atomic_load_explicit(&xruns, memory_order_relaxed);
    keep(now());
    return 0;
}

static int xrun(void *unused)
{
    (void)unused;
    atomic_fetch_add_explicit(&xruns, 1, memory_order_relaxed);
    return 0;
}

static int open_client(int which, JackProcessCallback callback)
{
    char name[32];
    snprintf(name, sizeof name, "peer%d", which);
    jack_status_t status;
    client = jack_client_open(name, JackNoStartServer, &status);
    if (!client) {
        fprintf(stderr, "jack-peer: no client can be opened (status 0x%x)\n", (unsigned)status);
        return 0;
    }
    in = jack_port_register(client, "in", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
    out = jack_port_register(client, "out", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
    period_ns = (uint64_t)jack_get_buffer_size(client) * 1000000000u / jack_get_sample_rate(client);
    if (!in || !out || jack_set_process_callback(client, callback, NULL) || jack_set_xrun_callback(client, xrun, NULL) || jack_activate(client)) {
        fprintf(stderr, "jack-peer: client %d cannot be activated\n", which);
        return 0;
    }
    return 1;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void print(uint64_t *samples, uint32_t count)
{
    qsort(samples, count, sizeof *samples, by_size);
    static const struct { const char *name; double part; } points[] = { { "p50", 0.5 }, { "p99", 0.99 }, { "p99.9", 0.999 }, { "max", 1 } };
    printf("count %u\n", count);
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        uint32_t rank = (uint32_t)(points[i].part * count + 0.999999);
        printf("%s %llu\n", points[i].name, (unsigned long long)samples[rank == 0 ? 0 : rank > count ? count - 1 : rank - 1]);
    }
}

static int be_client(int which)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    number = which;
    if (!open_client(which, chained)) {
        atomic_store(&board->failed, 1);
        return 1;
    }
    if (which > 0) {
        char from[32], to[32];
        snprintf(from, sizeof from, "peer%d:out", which - 1);
        snprintf(to, sizeof to, "peer%d:in", which);
        if (jack_connect(client, from, to)) {
            fprintf(stderr, "jack-peer: %s cannot be connected with %s\n", from, to);
            atomic_store(&board->failed, 1);
            return 1;
        }
    }
    atomic_store(&board->ready[which], 1);
    for (;;) pause();
}

static int chain(int seconds)
{
    pid_t children[MOST_CLIENTS];
    int begun = 0, failed = 0;
    for (; begun < clients && !failed; begun++) {
        children[begun] = fork();
        if (children[begun] == 0) _exit(be_client(begun));
        for (int wait = 0; children[begun] > 0 && !atomic_load(&board->ready[begun]) && !failed; wait++) {
            usleep(1000);
            failed = atomic_load(&board->failed) || wait > 5000;
        }
    }
    if (!failed) {
        usleep(300000); /* the order of the graph settles */
        atomic_store(&board->count, 0);
        sleep((unsigned)seconds);
    }
    uint32_t count = atomic_load_explicit(&board->count, memory_order_acquire);
    static uint64_t samples[MOST_SAMPLES];
    memcpy(samples, board->samples, count * sizeof *samples);
    for (int i = begun - 1; i >= 0; i--) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    if (failed || count == 0) {
        fprintf(stderr, "jack-peer: no cycle was measured\n");
        return 1;
    }
    print(samples, count);
    return 0;
}

static int wake(int seconds)
{
    if (!open_client(0, woken)) return 1;
    usleep(300000);
    atomic_store(&board->count, 0);
    sleep((unsigned)seconds);
    jack_deactivate(client);
    uint32_t count = atomic_load_explicit(&board->count, memory_order_acquire);
    uint64_t period = period_ns, window = 1000000000u / period;
    jack_client_close(client);
    if (count < 2) {
        fprintf(stderr, "jack-peer: no cycle was measured\n");
        return 1;
    }
    static uint64_t late[MOST_SAMPLES];
    for (uint32_t from = 0, to; from < count; from = to) {
        int64_t least = 0;
        for (to = from; to < count && to - from < window && grids[to] == grids[from]; to++) {
            int64_t phase = (int64_t)(board->samples[to] - board->samples[from]) - (int64_t)((to - from) * period);
            if (phase < least) least = phase;
        }
        for (uint32_t i = from; i < to; i++) late[i] = (uint64_t)((int64_t)(board->samples[i] - board->samples[from]) - (int64_t)((i - from) * period) - least);
    }
    print(late, count);
    printf("xruns %u\n", atomic_load(&xruns));
    return 0;
}

int main(int count, char **arguments)
{
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (board == MAP_FAILED) {
        perror("jack-peer: mmap");
        return 1;
    }
    if (count == 4 && !strcmp(arguments[1], "chain")) {
        clients = atoi(arguments[2]);
        int seconds = atoi(arguments[3]);
        if (clients >= 1 && clients <= MOST_CLIENTS && seconds >= 1) return chain(seconds);
    }
    if (count == 3 && !strcmp(arguments[1], "wake") && atoi(arguments[2]) >= 1) return wake(atoi(arguments[2]));
    fprintf(stderr, "usage: jack-peer chain CLIENTS SECONDS | jack-peer wake SECONDS\n");
    return 2;
}
