/*
 * Loading the guard's programs and pinning them: one set for all disks and jobs. What is pinned
 * already is left as it is; what this kernel could not take when the others were loaded (a module
 * was not there) is added.
 */
#include "acquire/supervisor/guard_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "acquire/supervisor/bpf/objects.h"
#include "acquire/supervisor/kernel_types.h"
#include "common/cleanup.h"
#include "common/text.h"

/* What a kernel may lack without the guard being worth less: then there is nothing to refuse. */
static const struct {
    const char *program;
    const char *module; /* where the function is; NULL: in the kernel itself */
    const char *function;
} optional[] = {
    {"exhibit_compat", NULL, "bpf_lsm_file_ioctl_compat"},
    {"exhibit_uring", NULL, "bpf_lsm_uring_cmd"},
    {"exhibit_judge", "scsi_mod", "scsi_cmd_allowed"},
    {"exhibit_judged", "scsi_mod", "scsi_cmd_allowed"},
};

/* --- whether it can be had --- */

/* A file system that need not be mounted anywhere to be asked. */
static int
open_unmounted(const char *type)
{
    AUTO_FD int context = fsopen(type, FSOPEN_CLOEXEC);

    if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
        return -1;
    return fsmount(context, FSMOUNT_CLOEXEC, 0);
}

static bool
read_modules(char *out, size_t size)
{
    AUTO_FD int fd = open("/sys/kernel/security/lsm", O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0) {
        AUTO_FD int root = open_unmounted("securityfs");

        fd = root < 0 ? -1 : openat(root, "lsm", O_RDONLY | O_CLOEXEC);
    }
    n = fd < 0 ? -1 : read(fd, out, size - 1);
    if (n < 0)
        return false;
    out[n] = '\0';
    return true;
}

static bool
lists(const char *modules, const char *name)
{
    size_t length = strlen(name);

    for (const char *s = modules; s; s = strchr(s, ',')) {
        s += *s == ',';
        if (strncmp(s, name, length) == 0 && strchr(",\n", s[length]))
            return true;
    }
    return false;
}

/* What most of the programs hang on. A kernel without the switch cannot be switched off. */
static bool
traces_functions(void)
{
    AUTO_FD int fd = open("/proc/sys/kernel/ftrace_enabled", O_RDONLY | O_CLOEXEC);
    char value = '1';

    return fd < 0 || read(fd, &value, 1) != 1 || value != '0';
}

/* A kernel that takes none of this kind, whatever they do, says so of one that does nothing: before
   all of its types are read for those that do. Since this one says not where it would hang, it is
   never taken. */
static int
try_program(struct err *err)
{
    const struct bpf_insn nothing[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
        {.code = BPF_JMP | BPF_EXIT},
    };
    LIBBPF_OPTS(bpf_prog_load_opts, as, .expected_attach_type = BPF_LSM_MAC);
    AUTO_FD int fd = bpf_prog_load(BPF_PROG_TYPE_LSM, "exhibit_try", "GPL", nothing,
                                   sizeof nothing / sizeof nothing[0], &as);

    return fd < 0 && errno == EPERM
               ? err_errno(err, "the kernel does not take the guard's programs")
               : 0;
}

int
guard_check(struct err *err)
{
    char modules[512];

    if (geteuid() != 0)
        return err_set(err, OUTCOME_REFUSED, "only root can load the guard's programs");
    if (!read_modules(modules, sizeof modules))
        return err_set(err, OUTCOME_REFUSED, "the kernel does not list its security modules");
    if (!lists(modules, "bpf"))
        return err_set(err, OUTCOME_REFUSED,
                       "'bpf' is not among the kernel's security modules (%s); add it to lsm= on "
                       "the kernel's command line",
                       modules);
    if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
        return err_set(err, OUTCOME_REFUSED, "the kernel does not describe its types (BTF)");
    if (!traces_functions())
        return err_set(err, OUTCOME_REFUSED,
                       "the kernel's function tracing is switched off, and the guard's programs "
                       "with it ('sysctl kernel.ftrace_enabled=1' switches it on)");
    return try_program(err);
}

/* --- the programs --- */

static bool
is_wanted(const struct kernel_names *names, const char *program)
{
    if (guard_is_pinned(program))
        return false;
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++) {
        if (strcmp(optional[i].program, program) == 0)
            return names && kernel_names_have(names, optional[i].module, optional[i].function);
    }
    return true;
}

static struct bpf_object *
open_object(struct err *err)
{
    struct bpf_object *o =
        bpf_object__open_mem(bpf_guard, (size_t)(bpf_guard_end - bpf_guard), NULL);
    struct kernel_names *names;
    struct bpf_program *p;
    struct bpf_map *m;

    if (!o) {
        (void)err_errno(err, "cannot read the guard's programs");
        return NULL;
    }
    names = kernel_names_read();
    bpf_object__for_each_program(p, o)(void)
        bpf_program__set_autoload(p, is_wanted(names, bpf_program__name(p)));
    kernel_names_free(names);
    bpf_object__for_each_map(m, o)
    {
        char path[PATH_MAX];

        guard_pin_path(path, "", bpf_map__name(m));
        if (strncmp(bpf_map__name(m), GUARD_PREFIX, sizeof GUARD_PREFIX - 1) == 0)
            (void)bpf_map__set_pin_path(m, path);
    }
    return o;
}

/* The root of all control groups, where it is mounted (under a service manager, which may forbid
   mounting), or without. */
static int
open_cgroups(void)
{
    static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    AUTO_FD int unmounted = -1;
    struct statfs fs;

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (statfs(places[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
            return open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    unmounted = open_unmounted("cgroup2");
    return unmounted < 0 ? -1 : openat(unmounted, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool
is_of_cgroups(const struct bpf_program *p)
{
    return bpf_program__type(p) == BPF_PROG_TYPE_CGROUP_DEVICE ||
           bpf_program__type(p) == BPF_PROG_TYPE_CGROUP_SYSCTL;
}

static int
attach_one(struct bpf_program *p, struct err *err)
{
    const char *name = bpf_program__name(p);
    struct bpf_link *link;
    char path[PATH_MAX];
    int r;

    if (is_of_cgroups(p)) {
        AUTO_FD int root = open_cgroups();

        link = root < 0 ? NULL : bpf_program__attach_cgroup(p, root);
    } else {
        link = bpf_program__attach(p);
    }
    if (!link)
        return err_errno(err, "cannot attach the guard's '%s'", name);
    guard_pin_path(path, GUARD_LINK, name);
    r = bpf_link__pin(link, path);
    if (r != 0)
        (void)err_errno(err, "cannot pin the guard's '%s'", name);
    (void)bpf_link__destroy(link);
    return r != 0 ? -1 : 0;
}

static int
attach_all(struct bpf_object *o, struct err *err)
{
    struct bpf_program *p;

    bpf_object__for_each_program(p, o)
    {
        if (bpf_program__autoload(p) && attach_one(p, err) != 0)
            return -1;
    }
    return 0;
}

/* Before a program runs that asks for it. */
static int
configure(struct guard *g, const struct btf *kernel, bool fresh, struct err *err)
{
    struct guard_config config = {0};
    struct stat st;

    if (guard_read_config(g, &config) != 0)
        return err_errno(err, "cannot read the guard's configuration");
    if (fresh) {
        config.abi = GUARD_ABI;
        if (stat("/proc/self/exe", &st) == 0) {
            config.exe_dev = device_kernel_number(st.st_dev);
            config.exe_ino = st.st_ino;
        }
        if (fstat(g->lock, &st) == 0)
            config.pins = device_kernel_number(st.st_dev);
    }
    guard_learn_layout(kernel, &config.layout);
    return guard_write_config(g, &config, err);
}

static int
allow_judging(struct guard *g, struct err *err)
{
    struct guard_config config;

    if (guard_read_config(g, &config) != 0)
        return err_errno(err, "cannot read the guard's configuration");
    config.judge = guard_is_pinned("exhibit_judge") && guard_is_pinned("exhibit_judged");
    return guard_write_config(g, &config, err);
}

static int
load(struct guard *g, const struct btf *kernel, bool fresh, struct err *err)
{
    struct bpf_object *o = open_object(err);
    int r = -1;

    if (!o)
        return -1;
    if (bpf_object__load(o) != 0)
        (void)err_errno(err, "the kernel does not take the guard's programs");
    else if ((fresh && (g->maps.config = guard_open_map("exhibit_config")) < 0) ||
             configure(g, kernel, fresh, err) != 0)
        (void)err_context(err, "cannot set the guard up");
    else if (attach_all(o, err) == 0)
        r = allow_judging(g, err);
    bpf_object__close(o);
    return r;
}

/* Another job has loaded all that this kernel takes, and knows all that its modules tell. Reading
   the kernel's types takes longer than everything else. */
static bool
is_complete(const struct guard *g)
{
    static const char *const required[] = {
        "exhibit_open",    "exhibit_perm",   "exhibit_mmap",    "exhibit_mprot",  "exhibit_ioctl",
        "exhibit_capable", "exhibit_claim",  "exhibit_get",     "exhibit_got",    "exhibit_get_by",
        "exhibit_got_by",  "exhibit_add",    "exhibit_del",     "exhibit_unlink", "exhibit_rmdir",
        "exhibit_rename",  "exhibit_umount", "exhibit_bpf_map", "exhibit_bpf",    "exhibit_ptrace",
        "exhibit_sysctl",
    };
    struct guard_config config;

    if (guard_read_config(g, &config) != 0)
        return false;
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        if (!guard_is_pinned(required[i]))
            return false;
    }
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++) {
        if (!guard_is_pinned(optional[i].program) &&
            (!optional[i].module || guard_module_is_loaded(optional[i].module)))
            return false;
    }
    return guard_layout_is_known(&config.layout);
}

int
guard_load(struct guard *g, struct err *err)
{
    struct btf *kernel;
    int there;
    int r;

    kernel_types_be_quiet();
    there = guard_open_config(g, err);
    if (there < 0 || there == GUARD_OTHER)
        return -1;
    if (there == 1 && is_complete(g))
        return guard_open_maps(&g->maps, err);
    kernel = btf__load_vmlinux_btf();
    r = kernel ? load(g, kernel, there == 0, err)
               : err_errno(err, "cannot read the kernel's types (BTF)");
    btf__free(kernel);
    if (r == 0)
        r = guard_open_maps(&g->maps, err);
    if (r != 0 && there == 0)
        guard_unload(g);
    return r;
}
