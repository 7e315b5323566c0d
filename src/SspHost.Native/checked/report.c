/* The report of a violation: what, by whom, in which module, and the way there. Then the process aborts, or the thread goes on. */
#define _GNU_SOURCE
#include "guard.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MOST_FRAMES 64
#define MOST_SITES 64

/* Built in one piece, so that the lines of two threads do not mix. */
static __thread char text[16384];
static __thread size_t length;

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void add(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int wrote = vsnprintf(text + length, sizeof text - length, format, arguments);
    va_end(arguments);
    if (wrote > 0) length += (size_t)wrote;
    if (length >= sizeof text) length = sizeof text - 1;
}

static void write_out(void)
{
    for (size_t at = 0; at < length;) {
        ssize_t wrote = write(STDERR_FILENO, text + at, length - at);
        if (wrote <= 0) break;
        at += (size_t)wrote;
    }
    length = 0;
}

/* The record of the module the thread is in, or NULL; its type, or -1. */
static const uint8_t *module_record(int32_t *type)
{
    int slot = guard_module();
    *type = -1;
    if (slot < 0 || slot >= guard_names.instance_count) return NULL;
    const uint8_t *record = guard_names.instances + (size_t)slot * (size_t)guard_names.stride;
    *type = *(const volatile int32_t *)(record + guard_names.module_offset);
    if (*type < 0 || *type >= guard_names.type_count) *type = -1;
    return record;
}

/* The library the module came with, or NULL. */
static const char *module_file(void)
{
    int32_t type;
    (void)module_record(&type);
    return type < 0 ? NULL : guard_names.files[type];
}

static void add_module(void)
{
    int32_t type;
    const uint8_t *record = module_record(&type);
    if (record) {
        const char *id = type < 0 ? NULL : guard_names.types[type], *file = module_file();
        add(" in module '%.31s' (%s%s%s)", (const char *)record + guard_names.name_offset, id ? id : "?", file ? " from " : "", file ? file : "");
    } else {
        add(guard_module() == -1 ? " outside of any module" : " in a module it was replaced in");
    }
}

/* Code of the framework: what the module's author cannot mend is not what the report is about. */
static int is_framework(const struct guard_symbol *s)
{
    static const char *const prefixes[] = { "System.", "Internal.", "Interop.", "Interop/", "Microsoft." };
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(s->name, prefixes[i], strlen(prefixes[i])) == 0) return 1;
    return !s->file || strncmp(s->file, "src/libraries/", 14) == 0 || strncmp(s->file, "src/coreclr/", 12) == 0 || strncmp(s->file, "src/runtime/", 12) == 0;
}

static void add_symbol(const struct guard_symbol *s)
{
    add("%s", s->name);
    if (s->file) add(" (%s:%u)", s->file, s->line);
}

static const char *name_in(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Whether code of that address is of a library of modules: the engine has loaded a copy of the file, under a name that ends as the file's. */
static int is_of(uintptr_t address, const char *file)
{
    Dl_info library;
    if (!file || !dladdr((void *)address, &library) || !library.dli_fname) return 0;
    size_t whole = strlen(library.dli_fname), end = strlen(name_in(file));
    return whole >= end && strcmp(library.dli_fname + whole - end, name_in(file)) == 0;
}

static void add_place(uintptr_t address, int exact)
{
    struct guard_symbol symbol;
    Dl_info library;
    uintptr_t within = exact ? address : address - 1; /* a return address may lie behind the function's last line */
    if (guard_symbol_find(within, &symbol)) {
        add_symbol(&symbol);
    } else if (dladdr((void *)within, &library) && library.dli_fname) {
        const char *file = name_in(library.dli_fname);
        if (library.dli_sname) add("%s+0x%lx (%s)", library.dli_sname, (unsigned long)(address - (uintptr_t)library.dli_saddr), file);
        else add("0x%lx (%s)", (unsigned long)(address - (uintptr_t)library.dli_fbase), file);
    } else {
        add("0x%lx", (unsigned long)address);
    }
}

/* 1 if it is to be written: each place once in full, and of those that come again one line a second. */
static int is_news(uint64_t place, uint64_t *again)
{
    static struct {
        uint64_t place, times;
    } sites[MOST_SITES];
    static uint64_t last;
    *again = 0;
    for (int i = 0; i < MOST_SITES; i++) {
        uint64_t none = 0;
        if (__atomic_compare_exchange_n(&sites[i].place, &none, place, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return 1;
        if (none != place) continue;
        *again = __atomic_add_fetch(&sites[i].times, 1, __ATOMIC_RELAXED);
        break;
    }
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t before = __atomic_load_n(&last, __ATOMIC_RELAXED), now = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    return now - before >= 1000000000u && __atomic_compare_exchange_n(&last, &before, now, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* The handlers of the runtime and of faults.c would hold a thread that aborts inside a module. */
static void __attribute__((noreturn)) end(void)
{
    struct sigaction action;
    sigset_t set;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    sigaction(SIGABRT, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGABRT);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    ssp_guard_stub(SYS_tgkill, getpid(), (long)syscall(SYS_gettid), SIGABRT, 0, 0, 0);
    _exit(134);
}

/* What lies between the malloc that was called and the guards is the heap library's own business. */
static int leave_library(void *const *frames, int count, int first)
{
    Dl_info own, next;
    if (!dladdr(frames[first], &own)) return first;
    if (!own.dli_fname || !strstr(own.dli_fname, "libssphost_heap")) return first;
    while (first + 1 < count && dladdr(frames[first + 1], &next) && next.dli_fbase == own.dli_fbase) first++;
    return first;
}

void guard_violation(const char *what, const char *detail, struct guard_site site)
{
    guard_self.reporting++;
    guard_rearm();

    void *all[MOST_FRAMES + 16];
    int count = backtrace(all, (int)(sizeof all / sizeof *all)), first = 0;
    while (first < count && (uintptr_t)all[first] != site.address) first++;
    if (first == count) first = 0; /* better the guard's own frames than none */
    else if (!site.exact) first = leave_library(all, count, first);
    void *const *frames = all + first;
    count -= first;

    /* The innermost frame that is neither the framework's nor a library's, or is of the module's own library: what it calls is one violation,
       however many calls that takes. */
    struct guard_symbol own;
    const char *file = module_file();
    int at = 0;
    for (; at < count; at++) {
        uintptr_t within = (uintptr_t)frames[at] - (at > 0 || !site.exact);
        if (is_of(within, file) || (guard_symbol_find(within, &own) && !is_framework(&own))) break;
    }

    uint64_t again = 0;
    if (!guard_warns || is_news(at < count ? (uintptr_t)frames[at] : (uint64_t)(guard_module() + 3), &again)) {
        char thread[16] = "?";
        prctl(PR_GET_NAME, thread, 0, 0, 0);
        add("ssp-engine: violation: %s (%s) by thread %s", what, detail, thread);
        add_module();
        if (again) add(", %llu more in this place", (unsigned long long)again);
        add("\n");
        if (at < count) {
            add("  at  ");
            add_place((uintptr_t)frames[at], at == 0 && site.exact);
            add("\n");
        }
        for (int i = 0; i < count && !again; i++) {
            add("  #%-2d ", i);
            add_place((uintptr_t)frames[i], i == 0 && site.exact);
            add("\n");
        }
        if (!again && guard_symbols_problem()) add("  names of managed methods are missing: %s\n", guard_symbols_problem());
        if (!guard_warns) { /* the last line of the log, which is what others quote */
            add("ssp-engine: aborts for a violation: %s", what);
            add_module();
            if (at < count) {
                add(", ");
                add_place((uintptr_t)frames[at], at == 0 && site.exact);
            }
            add("\n");
        }
        write_out();
    }
    if (!guard_warns) end();
    guard_self.reporting--;
    guard_rearm();
}
