/* The images a process runs from, its own and its libraries': locked in memory, so that no code that plays is ever read from a disk. */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The same as ImageLockTotals in the engine. */
struct image_lock_totals {
    uint64_t wanted, locked; /* bytes of whole pages */
    int32_t images;
    int32_t error; /* errno of the first refusal, 0 = none */
};

struct walk {
    struct image_lock_totals *totals;
    uintptr_t page;
};

static int lock_image(struct dl_phdr_info *info, size_t size, void *context)
{
    struct walk *walk = context;
    (void)size;
    if (info->dlpi_name && strncmp(info->dlpi_name, "linux-vdso", 10) == 0) return 0; /* the kernel's own page never leaves */
    walk->totals->images++;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || segment->p_memsz == 0) continue;
        uintptr_t start = (info->dlpi_addr + segment->p_vaddr) & ~(walk->page - 1);
        uintptr_t end = (info->dlpi_addr + segment->p_vaddr + segment->p_memsz + walk->page - 1) & ~(walk->page - 1);
        walk->totals->wanted += end - start;
        /* mlock reads every page in, and copies private writable ones now: a later write does not fault either. */
        if (mlock((void *)start, end - start) == 0) walk->totals->locked += end - start;
        else if (walk->totals->error == 0) walk->totals->error = errno;
    }
    return 0;
}

static int count_images(struct dl_phdr_info *info, size_t size, void *context)
{
    *(unsigned long long *)context = size >= sizeof *info ? info->dlpi_adds : 0;
    return 1;
}

/* Libraries ever loaded: what it was when the images were locked tells whether there is something new. */
uint64_t ssp_images_loaded(void)
{
    unsigned long long adds = 0;
    dl_iterate_phdr(count_images, &adds);
    return adds;
}

/* Locks what is loaded by now; again is harmless. [steward] */
void ssp_images_lock(struct image_lock_totals *totals)
{
    struct walk walk = { totals, (uintptr_t)sysconf(_SC_PAGESIZE) };
    memset(totals, 0, sizeof *totals);
    dl_iterate_phdr(lock_image, &walk);
}

/* Whatever else the process maps, now and later, stays once it was touched; 0 or an errno. Untouched pages are not brought in: the heap of the
   runtime reserves far more than it uses. [start-up] */
int32_t ssp_lock_on_fault(void)
{
    return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0 ? 0 : errno;
}
