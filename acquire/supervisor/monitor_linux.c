#include "acquire/supervisor/monitor.h"

#include <errno.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "acquire/device/device_sysfs.h"
#include "acquire/supervisor/bpf/monitor_shared.h"
#include "acquire/supervisor/bpf/objects.h"
#include "acquire/supervisor/kernel_types.h"
#include "common/cleanup.h"
#include "common/text.h"

#define LINKS_MAX 8

struct monitor {
    struct bpf_object *object;
    struct bpf_link *links[LINKS_MAX];
    size_t n_links;
    int state;       /* descriptor of the map with struct monitor_state */
    bool by_request; /* the disk's driver takes requests; else bios */
};

/* A driver that is not loaded has no such tracepoint, and no disk either. */
static const struct {
    const char *program;
    const char *module;
    const char *type; /* of the tracepoint, in the kernel's description of itself */
} optional[] = {
    {"on_scsi", "scsi_mod", "btf_trace_scsi_dispatch_cmd_start"},
    {"on_nvme", "nvme_core", "btf_trace_nvme_setup_cmd"},
    {"on_ata", "libata", "btf_trace_ata_qc_issue"},
};

static int
choose_programs(struct bpf_object *object, struct err *err)
{
    struct kernel_names *names = kernel_names_read();

    if (!names)
        return err_set(err, OUTCOME_FAILED, "the kernel does not describe its types (BTF)");
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++) {
        struct bpf_program *p = bpf_object__find_program_by_name(object, optional[i].program);

        if (p && !kernel_names_have(names, optional[i].module, optional[i].type))
            (void)bpf_program__set_autoload(p, false);
    }
    kernel_names_free(names);
    return 0;
}

static int
load(struct monitor *m, struct err *err)
{
    m->object = bpf_object__open_mem(bpf_monitor, (size_t)(bpf_monitor_end - bpf_monitor), NULL);
    if (!m->object)
        return err_errno(err, "cannot read the monitor's programs");
    if (choose_programs(m->object, err) != 0)
        return -1;
    if (bpf_object__load(m->object) != 0)
        return err_errno(err, "the kernel does not take the monitor's programs");
    m->state = bpf_object__find_map_fd_by_name(m->object, "monitor");
    return m->state < 0 ? err_set(err, OUTCOME_FAILED, "the monitor's programs have no counts") : 0;
}

/* What is to be counted has to be known before the first event. */
static int
set_disk(struct monitor *m, const struct device *device, struct err *err)
{
    struct monitor_state state = {.disk = device_kernel_number(device->disk_number)};
    char dir[PATH_MAX];
    char controller[PATH_MAX + 16];
    unsigned key = 0;
    dev_t number;

    if (!sysfs_block_dir("", device->disk_number, dir))
        return err_set(err, OUTCOME_FAILED, "the disk has gone");
    m->by_request = sysfs_has(dir, "mq");
    (void)snprintf(controller, sizeof controller, "%s/device", dir);
    if (strncmp(device->disk_name, "nvme", 4) == 0 && sysfs_number(controller, &number))
        state.controller = device_kernel_number(number);
    if (bpf_map_update_elem(m->state, &key, &state, BPF_ANY) != 0)
        return err_errno(err, "cannot tell the monitor its disk");
    return 0;
}

static int
attach(struct monitor *m, struct err *err)
{
    struct bpf_program *p;

    bpf_object__for_each_program(p, m->object)
    {
        struct bpf_link *link;

        if (!bpf_program__autoload(p))
            continue;
        errno = E2BIG;
        link = m->n_links < LINKS_MAX ? bpf_program__attach(p) : NULL;
        if (!link)
            return err_errno(err, "cannot attach the monitor's '%s'", bpf_program__name(p));
        m->links[m->n_links++] = link;
    }
    return 0;
}

struct monitor *
monitor_start(const struct device *device, struct err *err)
{
    struct monitor *m;

    if (geteuid() != 0) {
        (void)err_set(err, OUTCOME_FAILED, "only root can watch the disk's requests");
        return NULL;
    }
    kernel_types_be_quiet();
    m = xcalloc(1, sizeof *m);
    m->state = -1;
    if (load(m, err) == 0 && set_disk(m, device, err) == 0 && attach(m, err) == 0)
        return m;
    monitor_stop(m);
    return NULL;
}

void
monitor_read(const struct monitor *m, struct monitor_counts *out)
{
    struct monitor_state state;
    const struct monitor_kinds *k;
    unsigned key = 0;

    *out = (struct monitor_counts){0};
    if (!m || bpf_map_lookup_elem(m->state, &key, &state) != 0)
        return;
    k = m->by_request ? &state.requests : &state.bios;
    *out = (struct monitor_counts){
        .available = true,
        .reads = k->reads,
        .writes = k->writes,
        .flushes = k->flushes,
        .discards = k->discards,
        .passthrough = k->passthrough + state.nvme_admin,
        .internal = state.ata_internal,
    };
}

void
monitor_stop(struct monitor *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n_links; i++)
        (void)bpf_link__destroy(m->links[i]);
    bpf_object__close(m->object);
    free(m);
}
