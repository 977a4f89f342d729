/*
 * MFT-entry slack: an NTFS file record has a fixed size, and its header says how much of it is
 * used. Layout as in the NTFS documentation of the Linux kernel's and libntfs's headers
 * (MFT_RECORD): signature "FILE", update sequence at 4 (offset) and 6 (count), flags at 22 (1: in
 * use), bytes in use at 24. The last two bytes of each 512 are replaced on disk by the update
 * sequence number; the true ones stand in the array, and are put back before anything is counted.
 */
#include <stdlib.h>

#include "common/text.h"
#include "report/bytes.h"
#include "report/parser.h"
#include "report/parser_emit.h"
#include "report/slack.h"

#define BOOT_RECORD_SIZE 64 /* boot sector: clusters a record, or -log2 of its bytes */
#define RECORD_MIN 512u
#define RECORD_MAX 65536u
#define STRIDE 512u

static uint32_t
record_size(struct parser_image *p, const TSK_FS_INFO *fs)
{
    uint8_t boot[512];
    uint64_t size;
    int8_t raw;

    if (parser_image_read(p, boot, sizeof boot, 0) != (ssize_t)sizeof boot)
        return 0;
    raw = (int8_t)boot[BOOT_RECORD_SIZE];
    if (raw > 0)
        size = (uint64_t)raw * fs->block_size;
    else
        size = raw >= -16 && raw < 0 ? UINT64_C(1) << -raw : 0;
    return size >= RECORD_MIN && size <= RECORD_MAX && size % STRIDE == 0 ? (uint32_t)size : 0;
}

/* Puts the replaced bytes back; false if the record's own numbers do not fit. */
static bool
undo_fixups(uint8_t *record, uint32_t size)
{
    uint32_t at = le16(record + 4);
    uint32_t count = le16(record + 6);

    if (count != size / STRIDE + 1 || at < 42 || at + 2 * count > STRIDE - 2)
        return false;
    for (uint32_t i = 1; i < count; i++)
        memcpy(record + i * STRIDE - 2, record + at + 2 * i, 2);
    return true;
}

static void
measure_record(uint8_t *record, uint32_t size, struct slack *s)
{
    struct tally *t;
    uint32_t used;

    if (memcmp(record, "FILE", 4) != 0 || !undo_fixups(record, size))
        return;
    used = le32(record + 24);
    if (used < 48 || used > size)
        return;
    t = &s->of[le16(record + 22) & 1 ? FILE_ALLOCATED : FILE_DELETED].kinds[SLACK_MFT];
    tally_area(t, size - used);
    tally_look(t, record + used, size - used);
}

void
parser_mft_slack(struct parser_image *p, TSK_FS_INFO *fs, struct slack *s)
{
    uint32_t size = record_size(p, fs);
    TSK_FS_FILE *mft = tsk_fs_file_open_meta(fs, NULL, 0);
    const TSK_FS_ATTR *data = mft ? tsk_fs_file_attr_get(mft) : NULL;
    static uint8_t buf[RECORD_MAX];

    if (!data || size == 0) {
        emit_finding("metadata", "the MFT cannot be read: no MFT-entry slack is counted");
        tsk_fs_file_close(mft);
        return;
    }
    for (TSK_OFF_T at = 0; at + (TSK_OFF_T)size <= data->size;) {
        size_t want = RECORD_MAX / size * size;
        ssize_t n = tsk_fs_attr_read(data, at, (char *)buf, want, TSK_FS_FILE_READ_FLAG_NONE);

        if (n < (ssize_t)size)
            break;
        for (size_t i = 0; i + size <= (size_t)n; i += size)
            measure_record(buf + i, size, s);
        at += n - n % (ssize_t)size;
        emit_progress((uint64_t)at / size, fs->last_inum);
    }
    tsk_fs_file_close(mft);
}
