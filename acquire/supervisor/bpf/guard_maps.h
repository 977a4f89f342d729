/*
 * The guard's maps, all pinned, and what every program of it asks them.
 */
#ifndef EXHIBIT_ACQUIRE_BPF_GUARD_MAPS_H
#define EXHIBIT_ACQUIRE_BPF_GUARD_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "acquire/supervisor/bpf/guard_shared.h"
#include "acquire/supervisor/bpf/kernel.h"
#include "acquire/supervisor/guard_attempt.h"

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define EPERM 1
#define EINVAL 22
#define ECANCELED 125

/* include/uapi/linux/stat.h */
#define S_IFMT 0170000
#define S_IFBLK 0060000
#define S_IFCHR 0020000

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct guard_config);
} exhibit_config SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, GUARD_DISKS_MAX);
    __type(key, u32);
    __type(value, struct guard_disk);
} exhibit_disks SEC(".maps");

/* The protected nodes; the value is their disk's index. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, GUARD_NODES_MAX);
    __type(key, struct guard_node);
    __type(value, u32);
} exhibit_nodes SEC(".maps");

/* The kernel's devices whose children belong to a disk: the disk itself, and what it hangs on. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1024);
    __type(key, u64);
    __type(value, u32);
} exhibit_parents SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 256);
    __type(key, struct guard_identity);
    __type(value, u32);
} exhibit_known SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, GUARD_DISKS_MAX *GUARD_EVENTS_KEPT);
    __type(key, u32);
    __type(value, struct guard_record);
} exhibit_events SEC(".maps");

/* How many of a disk's attempts supervisors have read: theirs alone. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, GUARD_DISKS_MAX);
    __type(key, u32);
    __type(value, u64);
} exhibit_read SEC(".maps");

static __always_inline struct guard_config *
the_config(void)
{
    u32 zero = 0;

    return bpf_map_lookup_elem(&exhibit_config, &zero);
}

/* What is asked on every file operation of the machine: most are of neither kind. */
static __always_inline u32 *
find_node(const struct inode *inode, struct guard_node *node)
{
    u32 type = inode->i_mode & S_IFMT;

    if (type == S_IFBLK)
        node->kind = GUARD_BLOCK;
    else if (type == S_IFCHR)
        node->kind = GUARD_CHAR;
    else
        return 0;
    node->number = inode->i_rdev;
    return bpf_map_lookup_elem(&exhibit_nodes, node);
}

/* Keeps what was tried; always -EPERM. */
static __always_inline int
refuse(const struct guard_node *node, u32 disk_index, u32 what, u32 detail)
{
    u32 index = disk_index & (GUARD_DISKS_MAX - 1);
    struct guard_disk *disk = bpf_map_lookup_elem(&exhibit_disks, &index);
    struct guard_record *r;
    u64 before;
    u32 slot;

    if (!disk)
        return -EPERM;
    before = __sync_fetch_and_add(&disk->refused, 1);
    slot = index * GUARD_EVENTS_KEPT + (u32)(before & (GUARD_EVENTS_KEPT - 1));
    r = bpf_map_lookup_elem(&exhibit_events, &slot);
    if (!r)
        return -EPERM;
    r->number = 0;
    r->boot_ns = bpf_ktime_get_boot_ns();
    r->pid = (u32)(bpf_get_current_pid_tgid() >> 32);
    r->uid = (u32)bpf_get_current_uid_gid();
    r->kind = node->kind;
    r->device = node->number;
    r->what = what;
    r->detail = detail;
    (void)bpf_get_current_comm(r->comm, sizeof r->comm);
    __sync_fetch_and_add(&r->number, before + 1);
    return -EPERM;
}

/* What was tried on the guard itself is tried on every disk; always -EPERM. */
static __noinline int
refuse_touching(u32 how)
{
    for (u32 i = 0; i < GUARD_DISKS_MAX; i++) {
        u32 index = i;
        struct guard_disk *disk = bpf_map_lookup_elem(&exhibit_disks, &index);
        struct guard_node node = {GUARD_BLOCK, 0};

        if (!disk || !disk->used)
            continue;
        node.number = disk->number;
        (void)refuse(&node, index, GUARD_SELF, how);
    }
    return -EPERM;
}

/* A supervisor: root's process, from the file that loaded the programs, or from one of its name
   that root alone can write. */
static __always_inline _Bool
is_supervisor(struct task_struct *task)
{
    const char name[] = "exhibit-supervisor";
    char is[sizeof name] = {0};
    struct guard_config *config = the_config();
    struct file *exe = BPF_CORE_READ(task, mm, exe_file);
    struct inode *inode = BPF_CORE_READ(exe, f_inode);

    if (!config || !inode)
        return 0;
    if (BPF_CORE_READ(inode, i_ino) == config->exe_ino &&
        BPF_CORE_READ(inode, i_sb, s_dev) == config->exe_dev)
        return 1;
    if (BPF_CORE_READ(inode, i_uid.val) != 0 || (BPF_CORE_READ(inode, i_mode) & 022) != 0)
        return 0;
    (void)bpf_probe_read_kernel_str(is, sizeof is, BPF_CORE_READ(exe, f_path.dentry, d_name.name));
    for (u32 i = 0; i < sizeof name; i++) {
        if (is[i] != name[i])
            return 0;
    }
    return 1;
}

static __always_inline _Bool
i_am_supervisor(void)
{
    return (u32)bpf_get_current_uid_gid() == 0 && is_supervisor(bpf_get_current_task_btf());
}

/* A pointer as a mere number: the verifier lets nobody reckon with one whose type it knows. */
static __always_inline void *
plain(const void *typed)
{
    void *p = 0;

    (void)bpf_probe_read_kernel(&p, sizeof p, &typed);
    return p;
}

/* Up to eight characters, as one number: cheap to compare. */
static __always_inline u64
short_name(const char *from)
{
    char name[9] = {0};
    u64 as_number = 0;

    (void)bpf_probe_read_kernel_str(name, sizeof name, from);
    for (int i = 0; i < 8; i++)
        as_number |= (u64)(u8)name[i] << (8 * i);
    return as_number;
}

#define NAME4(a, b, c, d) ((u64)(a) | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24)
#define NAME8(a, b, c, d, e, f, g, h) (NAME4(a, b, c, d) | NAME4(e, f, g, h) << 32)
#define NAME_BLOCK NAME8('b', 'l', 'o', 'c', 'k', 0, 0, 0)
#define NAME_DISK NAME8('d', 'i', 's', 'k', 0, 0, 0, 0)
#define NAME_SCSI NAME8('s', 'c', 's', 'i', 0, 0, 0, 0)
#define NAME_SCSI_DEVICE NAME8('s', 'c', 's', 'i', '_', 'd', 'e', 'v')
#define NAME_NVME NAME8('n', 'v', 'm', 'e', 0, 0, 0, 0)
#define NAME_NVME_SUBSYSTEM NAME8('n', 'v', 'm', 'e', '-', 's', 'u', 'b')
#define NAME_USB_DEVICE NAME8('u', 's', 'b', '_', 'd', 'e', 'v', 'i')

#endif
