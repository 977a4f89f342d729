/*
 * The parsers of our own for partition tables, headers and superblocks, on disks of any content.
 * libtsk is left out: what it does with such disks is contained, not cured. The first byte says
 * which table libtsk is taken to have found, the second one how large sectors are.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/json.h"
#include "report/parser.h"
#include "report/parser_emit.h"
#include "report/parser_gpt.h"

/* Larger disks say nothing more, slower. */
#define DISK_MAX ((size_t)70000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct image *
memory_image(const uint8_t *data, size_t n)
{
    int fd = memfd_create("disk", MFD_CLOEXEC);
    struct err err = ERR_INIT;
    struct image *image;
    char path[64];

    if (fd < 0 || write(fd, data, n) != (ssize_t)n)
        abort();
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    image = image_open(path, NULL, &err);
    (void)close(fd);
    return image;
}

/* Rows as libtsk would hand them out, whether or not the table has them. */
static void
look_at_table(struct parser_image *p, TSK_VS_TYPE_ENUM type, uint32_t sector_size)
{
    TSK_VS_PART_INFO rows[3] = {
        {.start = 0, .len = 1, .slot_num = -1, .table_num = 1, .flags = TSK_VS_PART_FLAG_META},
        {.start = 1, .len = 8, .slot_num = 1, .flags = TSK_VS_PART_FLAG_ALLOC},
        {.start = 2, .len = 8, .slot_num = 3, .table_num = 1, .flags = TSK_VS_PART_FLAG_ALLOC},
    };
    TSK_VS_INFO vs = {
        .vstype = type, .block_size = sector_size, .endian = TSK_LIT_ENDIAN, .part_list = rows};
    struct gpt *primary = gpt_load(p, sector_size, GPT_PRIMARY, NULL);
    struct gpt *backup = gpt_load(p, sector_size, GPT_BACKUP, primary);
    char text[] = "Linux (0x83)";

    gpt_check(p, &vs, primary, backup);
    gpt_free(primary);
    gpt_free(backup);
    parser_table_check(p, &vs);
    for (size_t i = 0; i < 3; i++) {
        json_t *message = emit_new("part");

        rows[i].desc = text;
        rows[i].next = i < 2 ? &rows[i + 1] : NULL;
        parser_entry(p, &vs, &rows[i], message);
        json_decref(message);
    }
}

static void
look_at_volume(struct parser_image *p, TSK_FS_TYPE_ENUM type)
{
    TSK_FS_INFO fs = {.ftype = type, .block_size = 512, .endian = TSK_BIG_ENDIAN};
    json_t *message = emit_new("fs");
    struct signature_found found;

    (void)parser_signature(p, &found);
    free(found.detail);
    (void)parser_cluster_size(p, &fs);
    parser_state(p, &fs, message);
    json_decref(message);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const TSK_VS_TYPE_ENUM tables[] = {TSK_VS_TYPE_GPT, TSK_VS_TYPE_DOS, TSK_VS_TYPE_BSD,
                                              TSK_VS_TYPE_SUN, TSK_VS_TYPE_MAC};
    static const TSK_FS_TYPE_ENUM systems[] = {
        TSK_FS_TYPE_EXT4, TSK_FS_TYPE_FAT16, TSK_FS_TYPE_FAT32,  TSK_FS_TYPE_EXFAT,
        TSK_FS_TYPE_HFS,  TSK_FS_TYPE_FFS1,  TSK_FS_TYPE_ISO9660};
    static FILE *quiet;
    struct parser_image p = {.examine_max = 1 << 20};

    if (!quiet) /* what the parser sends goes to stdout */
        quiet = freopen("/dev/null", "w", stdout);
    if (n < 2 + 512 || n > DISK_MAX)
        return 0;
    p.image = memory_image(data + 2, n - 2);
    if (!p.image)
        return 0;
    p.length = image_info(p.image)->media_size;
    p.tsk.sector_size = 512;
    look_at_table(&p, tables[data[0] % 5], data[1] & 1 ? 4096 : 512);
    for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++)
        look_at_volume(&p, systems[i]);
    image_free(p.image);
    return 0;
}
