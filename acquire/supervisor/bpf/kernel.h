/*
 * What the guard reads of the kernel's structures. Only the fields that are used are declared;
 * where they lie is taken from the running kernel's own description (BTF) when the programs are
 * loaded. The names are the kernel's.
 */
#ifndef EXHIBIT_ACQUIRE_BPF_KERNEL_H
#define EXHIBIT_ACQUIRE_BPF_KERNEL_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
    unsigned int val;
} kuid_t;

typedef struct {
    int counter;
} atomic_t;

struct super_block {
    unsigned int s_dev;
};

struct inode {
    unsigned short i_mode;
    kuid_t i_uid;
    struct super_block *i_sb;
    unsigned long i_ino;
    unsigned int i_rdev;
};

struct qstr {
    const unsigned char *name;
};

struct dentry {
    struct dentry *d_parent;
    struct qstr d_name;
};

struct vfsmount {
    struct super_block *mnt_sb;
};

struct path {
    struct dentry *dentry;
};

struct address_space {
    struct inode *host;
};

struct file {
    struct path f_path;
    struct inode *f_inode;
    unsigned int f_flags;
    unsigned int f_mode;
    struct address_space *f_mapping;
    void *private_data;
};

struct vm_area_struct {
    unsigned long vm_flags;
    struct file *vm_file;
};

struct mm_struct {
    struct file *exe_file;
    atomic_t mm_users;
};

struct fdtable {
    unsigned int max_fds;
    struct file **fd;
};

struct files_struct {
    struct fdtable *fdt;
};

struct task_struct {
    struct mm_struct *mm;
    struct files_struct *files;
};

struct kobject {
    const char *name;
};

struct device_type {
    const char *name;
};

struct bus_type {
    const char *name;
};

struct class
{
    const char *name;
};

struct device {
    struct kobject kobj;
    struct device *parent;
    const struct device_type *type;
    struct bus_type *bus;
    void *driver_data;
    unsigned int devt;
    struct class *class;
};

struct gendisk;

struct block_device {
    struct device bd_device;
    struct gendisk *bd_disk;
};

struct gendisk {
    struct block_device *part0;
};

struct bdev_inode {
    struct block_device bdev;
    struct inode vfs_inode;
};

struct io_uring_cmd {
    struct file *file;
    unsigned int cmd_op;
};

struct bpf_map {
    char name[16];
};

struct bpf_prog_aux {
    char name[16];
};

struct bpf_prog {
    struct bpf_prog_aux *aux;
};

struct bpf_link {
    struct bpf_prog *prog;
};

struct cred;
struct user_namespace;

#pragma clang attribute pop

#endif
