/* Names and lines of the image's addresses, from the compact file beside it (`ssp symbols make`). */
#define _GNU_SOURCE
#include "guard.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct header {
    char magic[8];
    uint32_t functions, lines, string_bytes, id_bytes;
    uint8_t id[32];
};

struct function {
    uint32_t address, size, name;
};

struct line {
    uint32_t address, file, line;
};

static const struct header *head;
static const struct function *functions;
static const struct line *lines;
static const char *strings;
static uintptr_t image; /* where address 0 of the file lies: the image's lowest segment */
static const char *problem = "not opened";

static const uint8_t *build_id;
static uint32_t build_id_bytes;

/* The first object is the image itself. */
static int look_at_image(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    uintptr_t low = UINTPTR_MAX;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_LOAD && p->p_vaddr < low) low = p->p_vaddr;
        if (p->p_type != PT_NOTE) continue;
        const uint8_t *at = (const uint8_t *)(info->dlpi_addr + p->p_vaddr), *end = at + p->p_memsz;
        while (at + sizeof(ElfW(Nhdr)) <= end) {
            const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)at;
            const uint8_t *name = at + sizeof *note, *value = name + ((note->n_namesz + 3) & ~3u);
            if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp(name, "GNU", 4) == 0) {
                build_id = value;
                build_id_bytes = note->n_descsz;
            }
            at = value + ((note->n_descsz + 3) & ~3u);
        }
    }
    image = info->dlpi_addr + low;
    return 1;
}

/* Once, at start-up. What goes wrong is kept for the report that would need it. */
void guard_symbols_open(void)
{
    char path[PATH_MAX];
    struct stat status;
    dl_iterate_phdr(look_at_image, NULL);
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 5);
    if (length <= 0) return;
    strcpy(path + length, ".sym");
    problem = "no symbol file beside the image (ssp-engine.sym)";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    problem = "the symbol file beside the image is not one, or is cut off";
    const void *map = MAP_FAILED;
    if (fstat(fd, &status) == 0 && (size_t)status.st_size >= sizeof *head)
        map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    close(fd);
    if (map == MAP_FAILED) return;
    const struct header *h = map;
    uint64_t bytes = sizeof *h + h->functions * (uint64_t)sizeof(struct function) + h->lines * (uint64_t)sizeof(struct line) + h->string_bytes;
    if (memcmp(h->magic, "SSPSYM1", 8) != 0 || bytes > (uint64_t)status.st_size || h->string_bytes == 0) return;
    functions = (const struct function *)(h + 1);
    lines = (const struct line *)(functions + h->functions);
    strings = (const char *)(lines + h->lines);
    if (strings[h->string_bytes - 1] != 0) return;
    problem = "the symbol file beside the image belongs to another build";
    if (h->id_bytes != build_id_bytes || h->id_bytes > sizeof h->id || memcmp(h->id, build_id, build_id_bytes) != 0) return;
    problem = NULL;
    head = h;
}

const char *guard_symbols_problem(void)
{
    return problem;
}

static const char *string_at(uint32_t offset)
{
    return offset < head->string_bytes ? strings + offset : "";
}

int guard_symbol_find(uintptr_t address, struct guard_symbol *symbol)
{
    if (!head || address < image || address - image > UINT32_MAX) return 0;
    uint32_t at = (uint32_t)(address - image);
    uint32_t low = 0, high = head->functions;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (functions[middle].address <= at) low = middle + 1;
        else high = middle;
    }
    if (low == 0) return 0;
    const struct function *f = &functions[low - 1];
    if (at - f->address >= f->size) return 0;
    *symbol = (struct guard_symbol) { .name = string_at(f->name) };

    low = 0, high = head->lines;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (lines[middle].address <= at) low = middle + 1;
        else high = middle;
    }
    const struct line *l = low > 0 && lines[low - 1].address >= f->address ? &lines[low - 1] : NULL;
    if (!l || l->line == 0) { /* code of no line, such as the making of a closure: that of the statement it leads to */
        for (l = NULL; low < head->lines && lines[low].address < f->address + f->size && !l; low++)
            if (lines[low].line != 0) l = &lines[low];
        if (!l) return 1;
    }
    symbol->file = string_at(l->file);
    symbol->line = l->line;
    if (strncmp(symbol->file, "/_/", 3) == 0) symbol->file += 3; /* what the compiler calls the repository's root */
    return 1;
}
