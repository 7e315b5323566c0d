// What C# cannot express: the floating-point control register, the cycle counter, the raw thread id. Nothing else is C.
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#elif !defined(__aarch64__)
#error "SspHost runs on x86-64 and arm64"
#endif

// Denormals cost 100 cycles and more on x86 and on in-order ARM cores: a decaying filter would become slower than a loud one.
#if defined(__x86_64__)
#define FLUSH_BITS 0x8040u // MXCSR: FTZ (results, bit 15) and DAZ (operands, bit 6)
#else
#define FLUSH_BITS (1u << 24) // FPCR.FZ: operands and results of float32 and float64
#endif

/// The control register of the calling thread: MXCSR or FPCR.
uint64_t ssp_float_control(void)
{
#if defined(__x86_64__)
    return _mm_getcsr();
#else
    uint64_t value;
    __asm__ volatile("mrs %0, fpcr" : "=r"(value));
    return value;
#endif
}

/// Sets it back to what ssp_float_control gave before code of others ran, where that left it otherwise.
void ssp_keep_float_control(uint64_t before)
{
#if defined(__x86_64__)
    const uint64_t happened = 0x3F; // exceptions so far: no setting
    if (((ssp_float_control() ^ before) & ~happened) != 0) _mm_setcsr((uint32_t)(before & ~happened));
#else
    if (ssp_float_control() != before) __asm__ volatile("msr fpcr, %0\n\tisb" : : "r"(before));
#endif
}

/// Switches flush-to-zero of the calling thread on or off; the rounding mode stays. Returns 1 if it reads back as asked.
int32_t ssp_set_flush_to_zero(int32_t on)
{
    uint64_t value = ssp_float_control();
    value = on ? value | FLUSH_BITS : value & ~(uint64_t)FLUSH_BITS;
#if defined(__x86_64__)
    _mm_setcsr((uint32_t)value);
#else
    __asm__ volatile("msr fpcr, %0\n\tisb" : : "r"(value));
#endif
    return (ssp_float_control() & FLUSH_BITS) == (on ? FLUSH_BITS : 0);
}

/// 1 where the calling thread flushes denormals to zero.
int32_t ssp_flush_to_zero(void)
{
    return (ssp_float_control() & FLUSH_BITS) == FLUSH_BITS;
}

/// The cycle counter. Not serialised: it may move by a few instructions, which is less than what it is used to measure.
uint64_t ssp_cycles(void)
{
#if defined(__x86_64__)
    return __rdtsc();
#else
    uint64_t value;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
#endif
}

/// 1 where the counter runs at one constant rate on all cores, whatever their clock does.
int32_t ssp_cycles_constant(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & (1u << 8)); // invariant TSC
#else
    return 1;
#endif
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// The counter and CLOCK_MONOTONIC at the same moment: the closest of several pairs, so that a preemption in between does not count.
static void pair(uint64_t *cycles, uint64_t *ns)
{
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 16; i++)
    {
        uint64_t before = ssp_cycles();
        uint64_t t = now();
        uint64_t after = ssp_cycles();
        if (after - before >= best) continue;
        best = after - before;
        *cycles = before + (after - before) / 2;
        *ns = t;
    }
}

/// Counter ticks per second, measured against CLOCK_MONOTONIC over the given time, which it spends sleeping. [start-up]
double ssp_measure_frequency(uint64_t ns)
{
    uint64_t c0 = 0, t0 = 0, c1 = 0, t1 = 0;
    struct timespec pause = { (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };
    pair(&c0, &t0);
    clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, 0);
    pair(&c1, &t1);
    return t1 > t0 ? (double)(c1 - c0) * 1e9 / (double)(t1 - t0) : 0;
}

/// Ticks per second as the architecture states them (CNTFRQ_EL0), or 0 where it does not.
uint64_t ssp_stated_frequency(void)
{
#if defined(__aarch64__)
    uint64_t value;
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(value));
    return value;
#else
    return 0;
#endif
}

/// The kernel's id of the calling thread.
int32_t ssp_gettid(void)
{
    return (int32_t)syscall(SYS_gettid);
}
