/*
 * What libtsk does not hand out about a file system: its label, its identifier as other tools write
 * it, and the unit in which files are given space.
 */
#include "common/text.h"
#include "report/bytes.h"
#include "report/parser.h"

/* ext2/3/4 superblock (Linux, Documentation/filesystems/ext4: super block): s_volume_name. */
#define EXT_LABEL_AT (1024 + 120)
#define EXT_LABEL_LEN 16
/* ISO 9660 (ECMA-119, 8.4): Volume Identifier in the primary descriptor at sector 16. */
#define ISO_LABEL_AT (16 * 2048 + 40)
#define ISO_LABEL_LEN 32
/* Microsoft FAT specification, section 3: BPB_SecPerClus; BS_VolLab of FAT12/16 and FAT32. */
#define FAT_CLUSTER_AT 13
#define FAT16_LABEL_AT 43
#define FAT32_LABEL_AT 71
#define FAT_LABEL_LEN 11
/* Microsoft exFAT specification, 3.1: BytesPerSectorShift, SectorsPerClusterShift. */
#define EXFAT_SHIFTS_AT 108

/* FreeBSD <ufs/ffs/fs.h>: fs_volname of the superblock at 8192 (UFS1) or 65536 (UFS2). */
#define UFS_LABEL_AT 680
#define UFS_LABEL_LEN 32

/* HFS+ B-tree: node descriptor, then in the header node the first leaf and the size of a node. */
#define HFS_NODE_HEAD 14
#define HFS_FIRST_LEAF (HFS_NODE_HEAD + 10)
#define HFS_NODE_SIZE (HFS_NODE_HEAD + 18)
#define HFS_HEAD 64
#define HFS_NAME_MAX 255u
#define HFS_KEY (8 + 2 * HFS_NAME_MAX) /* length, parent, units of the name, the name */

/* NTFS: the $Volume file's $VOLUME_NAME attribute, UTF-16LE. */
#define NTFS_VOLUME_INUM 3
#define NTFS_NAME_MAX 256

/* How libtsk marks the label among the names of a FAT root directory. */
#define FAT_LABEL_MARK " (Volume Label Entry)"

static char *
trimmed(const char *s, size_t n)
{
    while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\0'))
        n--;
    return n > 0 ? xstrndup(s, n) : NULL;
}

static char *
label_at(struct parser_image *p, uint64_t offset, size_t n)
{
    char buf[EXT_LABEL_LEN + ISO_LABEL_LEN + 1];

    if (parser_image_read(p, buf, n, offset) != (ssize_t)n)
        return NULL;
    return trimmed(buf, strnlen(buf, n));
}

static char *
ntfs_label(TSK_FS_INFO *fs)
{
    TSK_FS_FILE *file = tsk_fs_file_open_meta(fs, NULL, NTFS_VOLUME_INUM);
    const TSK_FS_ATTR *attr;
    uint8_t buf[2 * NTFS_NAME_MAX];
    char *label = NULL;
    ssize_t n;

    if (!file)
        return NULL;
    attr = tsk_fs_file_attr_get_type(file, TSK_FS_ATTR_TYPE_NTFS_VNAME, 0, 0);
    if (attr && attr->size > 0) {
        n = tsk_fs_attr_read(attr, 0, (char *)buf, sizeof buf, TSK_FS_FILE_READ_FLAG_NONE);
        if (n > 1)
            label = utf16le_text(buf, (size_t)n / 2);
    }
    tsk_fs_file_close(file);
    return label;
}

static char *
fat_label(struct parser_image *p, TSK_FS_INFO *fs)
{
    TSK_FS_DIR *root = tsk_fs_dir_open_meta(fs, fs->root_inum);
    char *label = NULL;

    for (size_t i = 0; root && !label && i < tsk_fs_dir_getsize(root); i++) {
        const TSK_FS_NAME *name = tsk_fs_dir_get_name(root, i);
        const char *mark = name && name->name ? strstr(name->name, FAT_LABEL_MARK) : NULL;

        if (mark && mark > name->name && (name->flags & TSK_FS_NAME_FLAG_ALLOC))
            label = trimmed(name->name, (size_t)(mark - name->name));
    }
    tsk_fs_dir_close(root);
    if (label || fs->ftype == TSK_FS_TYPE_EXFAT)
        return label;
    label = label_at(p, fs->ftype == TSK_FS_TYPE_FAT32 ? FAT32_LABEL_AT : FAT16_LABEL_AT,
                     FAT_LABEL_LEN);
    if (label && strcmp(label, "NO NAME") == 0) { /* what formatters write where there is none */
        free(label);
        label = NULL;
    }
    return label;
}

/* The name of an HFS+ volume is that of its root folder, which is the first record of the first
   leaf of the catalog: the only one whose parent is 1 (Apple TN1150, B-trees and catalog file). */
static char *
hfs_label(TSK_FS_INFO *fs)
{
    static const TSK_INUM_T catalog = 4;
    TSK_FS_FILE *file = tsk_fs_file_open_meta(fs, NULL, catalog);
    uint8_t head[HFS_HEAD];
    uint8_t key[HFS_KEY];
    char *label = NULL;
    uint64_t leaf;
    size_t units;

    if (!file)
        return NULL;
    if (tsk_fs_file_read(file, 0, (char *)head, sizeof head, TSK_FS_FILE_READ_FLAG_NONE) ==
        (ssize_t)sizeof head) {
        leaf = (uint64_t)be32(head + HFS_FIRST_LEAF) * be16(head + HFS_NODE_SIZE) + HFS_NODE_HEAD;
        if (tsk_fs_file_read(file, (TSK_OFF_T)leaf, (char *)key, sizeof key,
                             TSK_FS_FILE_READ_FLAG_NONE) == (ssize_t)sizeof key &&
            be32(key + 2) == 1) {
            units = be16(key + 6) < HFS_NAME_MAX ? be16(key + 6) : HFS_NAME_MAX;
            for (size_t i = 0; i < units; i++) {
                uint8_t high = key[8 + 2 * i];

                key[8 + 2 * i] = key[9 + 2 * i];
                key[9 + 2 * i] = high;
            }
            label = utf16le_text(key + 8, units);
        }
    }
    tsk_error_reset();
    tsk_fs_file_close(file);
    return label;
}

char *
parser_label(struct parser_image *p, TSK_FS_INFO *fs)
{
    if (TSK_FS_TYPE_ISNTFS(fs->ftype))
        return ntfs_label(fs);
    if (TSK_FS_TYPE_ISFAT(fs->ftype))
        return fat_label(p, fs);
    if (TSK_FS_TYPE_ISEXT(fs->ftype))
        return label_at(p, EXT_LABEL_AT, EXT_LABEL_LEN);
    if (TSK_FS_TYPE_ISISO9660(fs->ftype))
        return label_at(p, ISO_LABEL_AT, ISO_LABEL_LEN);
    if (TSK_FS_TYPE_ISHFS(fs->ftype))
        return hfs_label(fs);
    if (TSK_FS_TYPE_ISFFS(fs->ftype))
        return label_at(p, UFS_LABEL_AT + (fs->ftype == TSK_FS_TYPE_FFS2 ? 65536 : 8192),
                        UFS_LABEL_LEN);
    return NULL;
}

static char *
uuid_text(const uint8_t *id)
{
    char hex[33];

    hex_encode(id, 16, hex);
    return xasprintf("%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

char *
parser_volume_id(const TSK_FS_INFO *fs)
{
    const uint8_t *id = fs->fs_id;
    char hex[2 * TSK_FS_INFO_FS_ID_LEN + 1];
    size_t n = fs->fs_id_used;

    if (n == 0 || n > sizeof fs->fs_id || TSK_FS_TYPE_ISISO9660(fs->ftype)) /* there it is text */
        return NULL;
    if (TSK_FS_TYPE_ISEXT(fs->ftype) && n == 16)
        return uuid_text(id);
    if (TSK_FS_TYPE_ISFAT(fs->ftype) && n == 4)
        return xasprintf("%02X%02X-%02X%02X", id[3], id[2], id[1], id[0]);
    if (TSK_FS_TYPE_ISNTFS(fs->ftype) && n == 8)
        return xasprintf("%02X%02X%02X%02X%02X%02X%02X%02X", id[7], id[6], id[5], id[4], id[3],
                         id[2], id[1], id[0]);
    hex_encode(id, n, hex);
    return xstrdup(hex);
}

uint64_t
parser_cluster_size(struct parser_image *p, const TSK_FS_INFO *fs)
{
    uint8_t boot[512];
    uint64_t size = fs->block_size;

    /* libtsk's block is the cluster, but for FAT, where it is the sector. */
    if (!TSK_FS_TYPE_ISFAT(fs->ftype) ||
        parser_image_read(p, boot, sizeof boot, 0) != (ssize_t)sizeof boot)
        return size;
    if (fs->ftype != TSK_FS_TYPE_EXFAT)
        return boot[FAT_CLUSTER_AT] > 0 ? size * boot[FAT_CLUSTER_AT] : size;
    /* The specification bounds both shifts by 25 together. */
    if (boot[EXFAT_SHIFTS_AT] <= 12 && boot[EXFAT_SHIFTS_AT + 1] <= 25)
        return UINT64_C(1) << (boot[EXFAT_SHIFTS_AT] + boot[EXFAT_SHIFTS_AT + 1]);
    return size;
}
