/* What a drive answers, and smartctl of it: the first byte says which of the parsers gets the rest,
   and whatever they find keeps within what was there. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/device/ata_identify.h"
#include "acquire/device/drive_health.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
take_identify(const uint8_t *data, size_t n)
{
    struct ata_identify id;

    if (ata_identify_parse(data, n, &id) &&
        (strlen(id.model) > 40 || strlen(id.serial) > 20 || strlen(id.firmware) > 8 ||
         id.logical_sector_size < 512 || id.physical_sector_size < id.logical_sector_size))
        abort();
}

static void
take_facts(const uint8_t *data, size_t n)
{
    struct ata_facts facts;
    struct ata_hidden hidden;

    if (n != sizeof facts)
        return;
    memcpy(&facts, data, sizeof facts);
    ata_find_hidden(&facts, &hidden);
    if ((!hidden.hpa_known && (hidden.hpa || !hidden.hpa_note)) ||
        (!hidden.dco_known && (hidden.dco || !hidden.dco_note)) ||
        (hidden.dco && hidden.whole < hidden.native))
        abort();
}

static void
take_registers(const uint8_t *data, size_t n)
{
    struct ata_registers r;

    if (ata_registers_parse(data, n, &r) && r.lba >> 48 != 0)
        abort();
}

static void
take_health(const uint8_t *data, size_t n)
{
    json_t *v = drive_health_parse((const char *)data, n);
    char *text = v ? drive_health_text(v) : NULL;

    if (v && !text)
        abort();
    free(text);
    json_decref(v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static void (*const takers[])(const uint8_t *, size_t) = {take_identify, take_facts,
                                                              take_registers, take_health};

    if (n > 0)
        takers[data[0] % 4](data + 1, n - 1);
    return 0;
}
