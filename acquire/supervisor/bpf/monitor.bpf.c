/*
 * Counts what reaches one disk: bios at the block layer's door, requests as they go to the driver,
 * and commands that never pass either. Nothing is changed, and nothing of the data is seen.
 */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "acquire/supervisor/bpf/block.h"
#include "acquire/supervisor/bpf/monitor_shared.h"

char LICENSE[] SEC("license") = "GPL";

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, unsigned int);
    __type(value, struct monitor_state);
} monitor SEC(".maps");

static __always_inline struct monitor_state *
the_state(void)
{
    unsigned int key = 0;

    return bpf_map_lookup_elem(&monitor, &key);
}

static __always_inline _Bool
is_source(const struct monitor_state *s, struct gendisk *disk)
{
    unsigned int major;
    unsigned int minor;

    if (!disk)
        return 0;
    major = (unsigned int)BPF_CORE_READ(disk, major);
    minor = (unsigned int)BPF_CORE_READ(disk, first_minor);
    return s->disk == (major << 20 | minor);
}

static __always_inline void
count(struct monitor_kinds *k, unsigned int op)
{
    if (op == OP_READ)
        __sync_fetch_and_add(&k->reads, 1);
    else if (op == OP_FLUSH)
        __sync_fetch_and_add(&k->flushes, 1);
    else if (op == OP_DISCARD || op == OP_SECURE_ERASE)
        __sync_fetch_and_add(&k->discards, 1);
    else if (op == OP_DRV_IN || op == OP_DRV_OUT)
        __sync_fetch_and_add(&k->passthrough, 1);
    else
        __sync_fetch_and_add(&k->writes, 1);
}

SEC("tp_btf/block_bio_queue")
int
BPF_PROG(on_bio, struct bio *bio)
{
    struct monitor_state *s = the_state();
    unsigned int op;

    if (!s || !is_source(s, BPF_CORE_READ(bio, bi_bdev, bd_disk)))
        return 0;
    op = BPF_CORE_READ(bio, bi_opf) & OP_MASK;
    /* A flush comes as a write of nothing. */
    if (op == OP_WRITE && BPF_CORE_READ(bio, bi_iter.bi_size) == 0)
        op = OP_FLUSH;
    count(&s->bios, op);
    return 0;
}

SEC("tp_btf/block_rq_issue")
int
BPF_PROG(on_request, struct request *rq)
{
    struct monitor_state *s = the_state();

    if (s && is_source(s, BPF_CORE_READ(rq, q, disk)))
        count(&s->requests, BPF_CORE_READ(rq, cmd_flags) & OP_MASK);
    return 0;
}

SEC("tp_btf/scsi_dispatch_cmd_start")
int
BPF_PROG(on_scsi, struct scsi_cmnd *cmd)
{
    struct monitor_state *s = the_state();

    if (s && is_source(s, BPF_CORE_READ(cmd, device, request_queue, disk)))
        __sync_fetch_and_add(&s->scsi, 1);
    return 0;
}

/* What goes to a namespace has been counted as a request; the controller's queue has no disk. */
SEC("tp_btf/nvme_setup_cmd")
int
BPF_PROG(on_nvme, struct request *rq, struct nvme_command *cmd)
{
    struct monitor_state *s = the_state();
    struct nvme_request *nvme = (void *)rq + bpf_core_type_size(struct request);

    if (s && s->controller && !BPF_CORE_READ(rq, q, disk) &&
        BPF_CORE_READ(nvme, ctrl, device, devt) == s->controller)
        __sync_fetch_and_add(&s->nvme_admin, 1);
    return 0;
}

/* libata's own commands (its error handler's, above all) belong to no SCSI command. */
SEC("tp_btf/ata_qc_issue")
int
BPF_PROG(on_ata, struct ata_queued_cmd *qc)
{
    struct monitor_state *s = the_state();

    if (s && !BPF_CORE_READ(qc, scsicmd) &&
        is_source(s, BPF_CORE_READ(qc, dev, sdev, request_queue, disk)))
        __sync_fetch_and_add(&s->ata_internal, 1);
    return 0;
}
