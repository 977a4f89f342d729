/*
 * The guard: refuses what would write to a protected disk, by whatever way a process takes. Each
 * program asks first whether the file is a device node at all, and then whether it is in the map.
 */
#include "acquire/supervisor/bpf/guard_commands.h"
#include "acquire/supervisor/bpf/guard_devices.h"
#include "acquire/supervisor/bpf/guard_maps.h"

char LICENSE[] SEC("license") = "GPL";

/* include/linux/fs.h, include/linux/mm.h and uapi. */
#define FMODE_WRITE 2u
#define FMODE_EXCL 0x80u
#define O_ACCMODE 3u
#define MAY_WRITE 2
#define PROT_WRITE 2u
#define MAP_TYPE 0x0fu
#define MAP_PRIVATE 2u
#define VM_SHARED 8u
#define CAP_SYS_RAWIO 17
#define PTRACE_MODE_ATTACH 2u

/* A task in the middle of something, by the address of its task_struct. */
#define TASKS_MAX 4096

/* It opens a node that it may open: the number. What the kernel opens by itself is not here. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, TASKS_MAX);
    __type(key, u64);
    __type(value, u32);
} exhibit_opening SEC(".maps");

/* The kernel opens a block device on its behalf, to keep it or to write to it. */
struct claim {
    u32 number;  /* 0: known by its path only */
    u32 refused; /* the number that was refused */
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, TASKS_MAX);
    __type(key, u64);
    __type(value, struct claim);
} exhibit_claims SEC(".maps");

/* It sends a SCSI command to a protected disk. */
struct sending {
    struct guard_node node;
    u32 disk;
    u32 judging; /* the kernel looks at the command right now */
    u32 permitted;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, TASKS_MAX);
    __type(key, u64);
    __type(value, struct sending);
} exhibit_sending SEC(".maps");

/* --- files --- */

SEC("lsm/file_open")
int
BPF_PROG(exhibit_open, struct file *file, int ret)
{
    struct guard_node node;
    u32 *disk = find_node(file->f_inode, &node);
    u64 task;

    if (ret || !disk)
        return ret;
    if ((file->f_mode & FMODE_WRITE) || (file->f_flags & O_ACCMODE))
        return refuse(&node, *disk, GUARD_OPEN, file->f_flags);
    task = bpf_get_current_task();
    if (node.kind == GUARD_BLOCK)
        (void)bpf_map_update_elem(&exhibit_opening, &task, &node.number, BPF_ANY);
    return 0;
}

SEC("lsm/file_permission")
int
BPF_PROG(exhibit_perm, struct file *file, int mask, int ret)
{
    struct guard_node node;
    u32 *disk;

    if (ret || !(mask & MAY_WRITE))
        return ret;
    disk = find_node(file->f_inode, &node);
    return disk ? refuse(&node, *disk, GUARD_WRITE, 0) : 0;
}

SEC("lsm/mmap_file")
int
BPF_PROG(exhibit_mmap, struct file *file, unsigned long asked, unsigned long prot,
         unsigned long flags, int ret)
{
    struct guard_node node;
    u32 *disk;

    if (ret || !file || !(prot & PROT_WRITE) || (flags & MAP_TYPE) == MAP_PRIVATE)
        return ret;
    disk = find_node(file->f_inode, &node);
    return disk ? refuse(&node, *disk, GUARD_MAP, 0) : 0;
}

SEC("lsm/file_mprotect")
int
BPF_PROG(exhibit_mprot, struct vm_area_struct *vma, unsigned long asked, unsigned long prot,
         int ret)
{
    struct guard_node node;
    struct file *file = vma->vm_file;
    u32 *disk;

    if (ret || !file || !(prot & PROT_WRITE) || !(vma->vm_flags & VM_SHARED))
        return ret;
    disk = find_node(file->f_inode, &node);
    return disk ? refuse(&node, *disk, GUARD_MAP, 0) : 0;
}

/* --- commands --- */

/* The kernel judges the command, which it has copied by then, in scsi_cmd_allowed(); it lets
   through what cannot write where the file is open for reading and the process may not do raw I/O.
 */
static __always_inline int
send_scsi(struct file *file, const struct guard_node *node, u32 disk, u32 cmd)
{
    u32 index = disk & (GUARD_DISKS_MAX - 1);
    struct guard_disk *d = bpf_map_lookup_elem(&exhibit_disks, &index);
    struct guard_config *config = the_config();
    struct sending s = {.node = *node, .disk = disk};
    u64 task = bpf_get_current_task();

    if (!d || !d->scsi || !config || !config->judge || (file->f_mode & FMODE_WRITE) ||
        (file->f_flags & O_ACCMODE) ||
        bpf_map_update_elem(&exhibit_sending, &task, &s, BPF_ANY) != 0)
        return refuse(node, disk, GUARD_IOCTL, cmd);
    return 0;
}

/* What is sent to other disks is none of the guard's business. */
static __always_inline void
forget_sending(u32 cmd)
{
    u64 task = bpf_get_current_task();

    if (cmd == SG_IO && bpf_map_lookup_elem(&exhibit_sending, &task))
        (void)bpf_map_delete_elem(&exhibit_sending, &task);
}

static long
look_at_area(struct task_struct *task, struct vm_area_struct *vma, void *context)
{
    *(u32 *)context = !vma->vm_file && !(vma->vm_flags & VM_SHARED);
    return 0;
}

/* The kernel copies the command after it was looked at here. So that it stays what it was, nobody
   else may share the memory. */
static __always_inline int
send_nvme(const struct guard_node *node, u32 disk, u32 cmd, unsigned long arg)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct nvme_admin command = {0};
    u32 own = 0;

    if (task->mm->mm_users.counter != 1 || bpf_find_vma(task, arg, look_at_area, &own, 0) != 0 ||
        !own || bpf_copy_from_user(&command, sizeof command, (void *)arg) != 0)
        return refuse(node, disk, GUARD_IOCTL, cmd);
    if (!nvme_reads(&command))
        return refuse(node, disk, GUARD_NVME, command.opcode);
    return 0;
}

/* The supervisor names a disk. */
static __always_inline int
enrol(struct file *file, unsigned long arg)
{
    u32 index = (u32)arg;
    struct guard_config *config = the_config();
    struct guard_disk *d;
    struct inode *host = file->f_mapping->host;
    struct block_device *bdev = (void *)host - bpf_core_field_offset(struct bdev_inode, vfs_inode);
    struct block_device *part0;
    struct device *disk;
    struct device *above;
    struct guard_identity id = {0};
    struct guard_identity place = {0};

    if (arg >= GUARD_DISKS_MAX || !config)
        return -EINVAL;
    d = bpf_map_lookup_elem(&exhibit_disks, &index);
    part0 = BPF_CORE_READ(bdev, bd_disk, part0);
    if (!d || !part0)
        return -EINVAL;
    disk = (void *)part0 + bpf_core_field_offset(struct block_device, bd_device);
    add_parent(disk, index);
    note_arrival(disk, index);
    add_node(disk, index);
    above = BPF_CORE_READ(disk, parent);
    if (!above)
        return -ECANCELED;
    add_parent(above, index);
    d->scsi = is_scsi(above);
    if (d->scsi) {
        if (scsi_identity(&config->layout, above, &id))
            remember(&id, index);
        return -ECANCELED;
    }
    add_node(above, index);
    if (nvme_identity(&config->layout, above, &id)) {
        remember(&id, index);
        above = BPF_CORE_READ(above, parent);
    }
    if (place_identity(above, &place))
        remember(&place, index);
    return -ECANCELED;
}

SEC("lsm.s/file_ioctl")
int
BPF_PROG(exhibit_ioctl, struct file *file, unsigned int cmd, unsigned long arg, int ret)
{
    struct guard_node node;
    u32 *disk = find_node(file->f_inode, &node);

    if (cmd == GUARD_ENROL && i_am_supervisor())
        return (file->f_inode->i_mode & S_IFMT) == S_IFBLK ? enrol(file, arg) : -EINVAL;
    if (ret || !disk) {
        forget_sending(cmd);
        return ret;
    }
    if (ioctl_reads(cmd) || (ioctl_of_supervisor(cmd) && i_am_supervisor()))
        return 0;
    if (cmd == SG_IO)
        return send_scsi(file, &node, *disk, cmd);
    if (cmd == NVME_IOCTL_ADMIN_CMD || cmd == NVME_IOCTL_ADMIN64_CMD)
        return send_nvme(&node, *disk, cmd, arg);
    return refuse(&node, *disk, GUARD_IOCTL, cmd);
}

/* 32-bit programs. Not sleepable in Linux 6.1, so that no command can be looked at. */
SEC("lsm/file_ioctl_compat")
int
BPF_PROG(exhibit_compat, struct file *file, unsigned int cmd, unsigned long arg, int ret)
{
    struct guard_node node;
    u32 *disk = find_node(file->f_inode, &node);

    if (ret || !disk) {
        forget_sending(cmd);
        return ret;
    }
    return ioctl_reads(cmd) ? 0 : refuse(&node, *disk, GUARD_IOCTL, cmd);
}

SEC("lsm/uring_cmd")
int
BPF_PROG(exhibit_uring, struct io_uring_cmd *command, int ret)
{
    struct guard_node node;
    u32 *disk;

    if (ret)
        return ret;
    disk = find_node(command->file->f_inode, &node);
    return disk ? refuse(&node, *disk, GUARD_URING, command->cmd_op) : 0;
}

SEC("fentry/scsi_cmd_allowed")
int
BPF_PROG(exhibit_judge, unsigned char *cdb, unsigned int mode)
{
    u64 task = bpf_get_current_task();
    struct sending *s = bpf_map_lookup_elem(&exhibit_sending, &task);
    u8 bytes[16] = {0};

    if (!s)
        return 0;
    (void)bpf_probe_read_kernel(bytes, sizeof bytes, cdb);
    s->permitted = scsi_reads(bytes);
    s->judging = 1;
    return 0;
}

/* With this capability every command would be let through. */
SEC("lsm/capable")
int
BPF_PROG(exhibit_capable, const struct cred *cred, struct user_namespace *ns, int cap,
         unsigned int options, int ret)
{
    u64 task;
    struct sending *s;

    if (ret || cap != CAP_SYS_RAWIO)
        return ret;
    task = bpf_get_current_task();
    s = bpf_map_lookup_elem(&exhibit_sending, &task);
    return s && s->judging && !s->permitted ? -EPERM : 0;
}

SEC("fexit/scsi_cmd_allowed")
int
BPF_PROG(exhibit_judged, unsigned char *cdb, unsigned int mode, _Bool allowed)
{
    u64 task = bpf_get_current_task();
    struct sending *s = bpf_map_lookup_elem(&exhibit_sending, &task);
    u8 bytes[16] = {0};

    if (!s)
        return 0;
    (void)bpf_probe_read_kernel(bytes, sizeof bytes, cdb);
    if (!allowed)
        (void)refuse(&s->node, s->disk, GUARD_SCSI, scsi_detail(bytes));
    (void)bpf_map_delete_elem(&exhibit_sending, &task);
    return 0;
}

/* --- what the kernel opens by itself: mount, device-mapper, md, bcache --- */

/* Reading the partition table does neither. */
static __always_inline void
begin_claim(u32 number, u32 mode)
{
    struct claim c = {.number = number};
    u64 task = bpf_get_current_task();

    if (mode & (FMODE_WRITE | FMODE_EXCL))
        (void)bpf_map_update_elem(&exhibit_claims, &task, &c, BPF_ANY);
}

static __always_inline void
end_claim(void)
{
    u64 task = bpf_get_current_task();
    struct claim *c = bpf_map_lookup_elem(&exhibit_claims, &task);
    struct guard_node node = {GUARD_BLOCK, 0};
    u32 *disk;

    if (!c)
        return;
    node.number = c->refused;
    disk = node.number ? bpf_map_lookup_elem(&exhibit_nodes, &node) : 0;
    if (disk)
        (void)refuse(&node, *disk, GUARD_CLAIM, 0);
    (void)bpf_map_delete_elem(&exhibit_claims, &task);
}

/* The one place in there that can say no. */
SEC("cgroup/dev")
int
exhibit_claim(struct bpf_cgroup_dev_ctx *ctx)
{
    u64 task = bpf_get_current_task();
    struct claim *c = bpf_map_lookup_elem(&exhibit_claims, &task);
    struct guard_node node = {GUARD_BLOCK, ctx->major << 20 | ctx->minor};

    if (!c || (c->number && c->number != node.number) ||
        !bpf_map_lookup_elem(&exhibit_nodes, &node))
        return 1;
    c->refused = node.number;
    return 0;
}

SEC("fentry/blkdev_get_by_dev")
int
BPF_PROG(exhibit_get, unsigned int dev, unsigned int mode, void *holder)
{
    struct guard_node node = {GUARD_BLOCK, dev};
    u64 task = bpf_get_current_task();
    u32 *opening;

    if (!bpf_map_lookup_elem(&exhibit_nodes, &node))
        return 0;
    opening = bpf_map_lookup_elem(&exhibit_opening, &task);
    if (opening && *opening == dev)
        (void)bpf_map_delete_elem(&exhibit_opening, &task);
    else
        begin_claim(dev, mode);
    return 0;
}

SEC("fexit/blkdev_get_by_dev")
int
BPF_PROG(exhibit_got, unsigned int dev, unsigned int mode, void *holder)
{
    end_claim();
    return 0;
}

/* The compiler may have put the one above into this one, where nobody sees it called. */
SEC("fentry/blkdev_get_by_path")
int
BPF_PROG(exhibit_get_by, const char *path, unsigned int mode, void *holder)
{
    struct guard_config *config = the_config();

    if (config && config->disks)
        begin_claim(0, mode);
    return 0;
}

SEC("fexit/blkdev_get_by_path")
int
BPF_PROG(exhibit_got_by, const char *path, unsigned int mode, void *holder)
{
    end_claim();
    return 0;
}

/* --- devices that come and go --- */

/* Known by its controller's place until the serial number could be read: is it the same drive? */
static __always_inline u32 *
settle_nvme(const struct guard_config *config, struct device *dev, struct device *above)
{
    struct guard_identity id = {0};
    u64 key = (u64)above;
    u32 *disk;

    if (!above || !nvme_identity(&config->layout, above, &id))
        return bpf_map_lookup_elem(&exhibit_parents, &key);
    disk = recall(&id);
    if (disk) {
        add_parent(above, *disk);
        add_node(above, *disk);
    } else if (bpf_map_lookup_elem(&exhibit_parents, &key)) {
        struct guard_node node = {GUARD_CHAR, BPF_CORE_READ(above, devt)};

        (void)bpf_map_delete_elem(&exhibit_parents, &key);
        (void)bpf_map_delete_elem(&exhibit_nodes, &node);
    }
    return disk;
}

/* It hangs on nothing that is known: has it been here before? */
static __always_inline u32 *
recognise(const struct guard_config *config, struct device *dev, struct device *above)
{
    struct guard_identity id = {0};
    u64 class;

    if (is_scsi(dev))
        return scsi_identity(&config->layout, dev, &id) ? recall(&id) : 0;
    class = class_of(dev);
    if (class == NAME_NVME ||
        (class == NAME_BLOCK && type_of(dev) == NAME_DISK && above && !is_scsi(above)))
        return place_identity(above, &id) ? recall(&id) : 0;
    return 0;
}

SEC("fentry/device_add")
int
BPF_PROG(exhibit_add, struct device *dev)
{
    struct guard_config *config = the_config();
    struct device *above = plain(dev->parent);
    _Bool is_disk;
    u64 key = (u64)above;
    u32 *disk;

    if (!config || !config->disks)
        return 0;
    dev = plain(dev);
    is_disk = class_of(dev) == NAME_BLOCK && type_of(dev) == NAME_DISK;
    if (is_disk && above && class_of(above) == NAME_NVME)
        disk = settle_nvme(config, dev, above);
    else
        disk = bpf_map_lookup_elem(&exhibit_parents, &key);
    if (!disk) {
        disk = recognise(config, dev, above);
        if (!disk)
            return 0;
        add_parent(dev, *disk);
    }
    if (is_disk) {
        add_parent(dev, *disk);
        note_arrival(dev, *disk);
    }
    add_node(dev, *disk);
    return 0;
}

static __always_inline void
note_leaving(const struct guard_node *node)
{
    u32 *index = bpf_map_lookup_elem(&exhibit_nodes, node);
    struct guard_disk *disk = index ? bpf_map_lookup_elem(&exhibit_disks, index) : 0;

    if (disk && disk->number == node->number)
        disk->left_ns = bpf_ktime_get_boot_ns();
}

SEC("fentry/device_del")
int
BPF_PROG(exhibit_del, struct device *dev)
{
    u64 key = (u64)dev;
    u64 above = (u64)dev->parent;
    struct guard_node node = {GUARD_CHAR, dev->devt};

    if (!bpf_map_lookup_elem(&exhibit_parents, &key) &&
        !bpf_map_lookup_elem(&exhibit_parents, &above))
        return 0;
    (void)bpf_map_delete_elem(&exhibit_parents, &key);
    if (class_of(dev) == NAME_BLOCK) {
        node.kind = GUARD_BLOCK;
        note_leaving(&node);
    }
    (void)bpf_map_delete_elem(&exhibit_nodes, &node);
    return 0;
}

/* --- the guard itself --- */

static __always_inline _Bool
is_pins(struct dentry *dentry)
{
    return short_name((const char *)BPF_CORE_READ(dentry, d_name.name)) ==
           NAME8('e', 'x', 'h', 'i', 'b', 'i', 't', 0);
}

/* The directory with the pins, or something in it. */
static __always_inline int
touch_pins(struct inode *dir, struct dentry *dentry)
{
    struct guard_config *config = the_config();

    if (!config || dir->i_sb->s_dev != config->pins ||
        (!is_pins(dentry) && !is_pins(BPF_CORE_READ(dentry, d_parent))) || i_am_supervisor())
        return 0;
    return refuse_touching(GUARD_SELF_PINS);
}

SEC("lsm/inode_unlink")
int
BPF_PROG(exhibit_unlink, struct inode *dir, struct dentry *dentry, int ret)
{
    return ret ? ret : touch_pins(dir, dentry);
}

SEC("lsm/inode_rmdir")
int
BPF_PROG(exhibit_rmdir, struct inode *dir, struct dentry *dentry, int ret)
{
    return ret ? ret : touch_pins(dir, dentry);
}

SEC("lsm/inode_rename")
int
BPF_PROG(exhibit_rename, struct inode *dir, struct dentry *dentry, struct inode *to_dir,
         struct dentry *to, int ret)
{
    if (!ret)
        ret = touch_pins(dir, dentry);
    return ret ? ret : touch_pins(to_dir, to);
}

SEC("lsm/sb_umount")
int
BPF_PROG(exhibit_umount, struct vfsmount *mount, int flags, int ret)
{
    struct guard_config *config = the_config();

    if (ret || !config || mount->mnt_sb->s_dev != config->pins || i_am_supervisor())
        return ret;
    return refuse_touching(GUARD_SELF_UMOUNT);
}

static __always_inline _Bool
is_exhibit(const char *name)
{
    return short_name(name) == NAME8('e', 'x', 'h', 'i', 'b', 'i', 't', '_');
}

SEC("lsm/bpf_map")
int
BPF_PROG(exhibit_bpf_map, struct bpf_map *map, unsigned int mode, int ret)
{
    if (ret || !is_exhibit(map->name) || i_am_supervisor())
        return ret;
    return refuse_touching(GUARD_SELF_MAP);
}

/* Of the links, those of control groups alone can be taken off without their pin. Both requests
   begin with the link's descriptor. */
SEC("lsm/bpf")
int
BPF_PROG(exhibit_bpf, int cmd, void *attr, unsigned int size, int ret)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct file **fds;
    struct file *file = 0;
    u32 fd = 0;
    struct bpf_link *link;
    struct bpf_prog_aux *aux;

    if (ret || (cmd != BPF_LINK_DETACH && cmd != BPF_LINK_UPDATE) || i_am_supervisor())
        return ret;
    if (bpf_probe_read_kernel(&fd, sizeof fd, attr) != 0 ||
        fd >= BPF_CORE_READ(task, files, fdt, max_fds))
        return 0;
    fds = BPF_CORE_READ(task, files, fdt, fd);
    (void)bpf_probe_read_kernel(&file, sizeof file, fds + fd);
    link = BPF_CORE_READ(file, private_data);
    aux = BPF_CORE_READ(link, prog, aux);
    return aux && is_exhibit((const char *)aux + bpf_core_field_offset(struct bpf_prog_aux, name))
               ? refuse_touching(GUARD_SELF_DETACH)
               : 0;
}

SEC("lsm/ptrace_access_check")
int
BPF_PROG(exhibit_ptrace, struct task_struct *child, unsigned int mode, int ret)
{
    if (ret || !(mode & PTRACE_MODE_ATTACH) || !is_supervisor(child))
        return ret;
    return refuse_touching(GUARD_SELF_TRACE);
}

/* All programs but those of control groups hang on the kernel's function tracing, which has one
   switch. It is asked about at each write, also by who opened the file before. */
SEC("cgroup/sysctl")
int
exhibit_sysctl(struct bpf_sysctl *ctx)
{
    const char is[] = "kernel/ftrace_enabled";
    struct guard_config *config = the_config();
    char name[sizeof is] = {0};

    if (!ctx->write || !config || !config->disks ||
        bpf_sysctl_get_name(ctx, name, sizeof name, 0) < 0)
        return 1;
    for (u32 i = 0; i < sizeof is; i++) {
        if (name[i] != is[i])
            return 1;
    }
    (void)refuse_touching(GUARD_SELF_SWITCH);
    return 0;
}
