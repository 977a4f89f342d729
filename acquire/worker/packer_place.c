#include "acquire/worker/packer_place.h"

#include <isa-l.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#define STEP ((size_t)1 << 16)   /* what the hash does not see of an address */
#define SEARCH ((size_t)4 << 30) /* has 8 places, wherever it begins on a step */
#define HASH_MASK 0x1fff

static bool
hashes_to_zero(const uint8_t *at)
{
    uint32_t seen = (uint32_t)((uintptr_t)at / STEP);

    return (crc32_iscsi((unsigned char *)&seen, sizeof seen, 0) & HASH_MASK) == 0;
}

static void *
reserve(size_t size)
{
    void *got = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return got == MAP_FAILED ? NULL : got;
}

static void
give_back(uint8_t *from, const uint8_t *to)
{
    if (to > from)
        (void)munmap(from, (size_t)(to - from));
}

/* The reservation costs nothing but addresses, and all but the place itself is given back. */
static uint8_t *
find_place(size_t size)
{
    size_t whole = SEARCH + STEP + size;
    uint8_t *base = reserve(whole);
    uint8_t *at;

    if (!base)
        return NULL;
    at = base + (STEP - (uintptr_t)base % STEP) % STEP;
    while (!hashes_to_zero(at) && at + size < base + whole - STEP)
        at += STEP;
    give_back(base, at);
    give_back(at + size, base + whole);
    return at;
}

static size_t
in_pages(size_t size)
{
    return (size + STEP - 1) / STEP * STEP;
}

void *
packer_place_new(size_t size)
{
    size_t whole = in_pages(size);
    void *place = find_place(whole);

    if (!place)
        place = reserve(whole);
    if (place && mprotect(place, whole, PROT_READ | PROT_WRITE) != 0) {
        packer_place_free(place, size);
        place = NULL;
    }
    return place;
}

void
packer_place_free(void *place, size_t size)
{
    if (place)
        (void)munmap(place, in_pages(size));
}
