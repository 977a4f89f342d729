/*
 * What a report knows: gathered once (facts.h, survey.h), then only read by the writers (writer.h).
 * All text in it is foreign (disks, images, manifests) and not escaped; each writer escapes for its
 * own format.
 */
#ifndef EXHIBIT_REPORT_MODEL_H
#define EXHIBIT_REPORT_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ranges.h"
#include "report/slack.h"
#include "report/tally.h"
#include "report/terms.h"

#define REPORT_SCHEMA "exhibit.report/1"

struct partition {
    uint64_t index;    /* as mmls numbers its rows */
    uint64_t start;    /* sectors of the table's sector size */
    uint64_t length;   /* sectors */
    char *slot;        /* as mmls shows it: "000:001", "Meta", "-------" */
    char *description; /* as mmls shows it; raw */
    enum part_state state;
    char *type_guid; /* GPT only, else NULL */
    char *type_name; /* what the GUID stands for, or NULL */
    char *guid;      /* GPT only */
    uint64_t attributes;
    char *type_code; /* as the table stores it: "0x83", "Apple_HFS"; NULL for GPT or if unknown */
    char *label;     /* a name of the entry's own (GPT, APM), or NULL */
    char *flags;     /* in words: "active", "required, hidden"; NULL if none is set */
    bool has_gap;    /* unallocated rows: what stands in the gap was looked at */
    struct tally gap;
};

/* One of the two copies of a GPT's header (UEFI Specification 2.10, 5.3.2). */
struct gpt_header {
    bool present;           /* its signature stands where it belongs */
    bool header_crc_ok;     /* the checksum over the header itself */
    bool entries_crc_ok;    /* the checksum over the entries that it names */
    uint64_t lba;           /* where it was found, sectors */
    uint64_t my_lba;        /* what it says of itself and of the other copy, sectors */
    uint64_t alternate_lba; /* sectors */
    uint64_t first_usable;  /* sectors */
    uint64_t last_usable;   /* sectors */
    uint64_t entries_lba;   /* sectors */
    uint64_t entry_count;
    uint64_t entry_size;     /* bytes */
    uint64_t header_crc;     /* as stored */
    uint64_t header_crc_is;  /* as it should be */
    uint64_t entries_crc;    /* as stored */
    uint64_t entries_crc_is; /* as it should be; 0 where the entries cannot be read */
    char *disk_guid;
};

struct table { /* the partition table */
    bool found;
    char *type;           /* "gpt", "dos", … */
    char *description;    /* "GUID Partition Table (EFI)" */
    uint64_t sector_size; /* bytes */
    bool backup;          /* the GPT found was the backup at the end of the media */
    struct partition *parts;
    size_t n_parts;
    struct gpt_header gpt[GPT_COPIES]; /* looked for on every disk with a table */
};

struct named_time {
    char *name; /* "created", "last mounted", "last written", "last checked" */
    char *time; /* RFC 3339 UTC; without a zone where the file system stores local time */
};

struct file_system {
    char *type;            /* libtsk's name: "ext4", "ntfs", "fat32", … */
    char *label;           /* or NULL */
    char *id;              /* UUID or serial number, or NULL */
    uint64_t block_size;   /* bytes */
    uint64_t cluster_size; /* bytes; the unit in which files are given space */
    uint64_t block_count;
    uint64_t first_block;
    uint64_t last_block;
    uint64_t first_inode;
    uint64_t last_inode;
    char *version; /* "3.1", or NULL */
    enum fs_state state;
    char *state_text; /* the marks that say so, in words; or NULL */
    char *mounted_on; /* where it was mounted last (ext, UFS), or NULL */
    struct named_time *times;
    size_t n_times;
};

struct volume {
    char *name;                        /* "partition 4, slot 000" or "whole image" */
    const struct partition *partition; /* or NULL */
    uint64_t start;                    /* bytes of the media */
    uint64_t length;                   /* bytes, as the table says */
    uint64_t present;                  /* bytes of it that lie within the media */
    uint64_t unreadable;               /* bytes of it that the source did not return */
    struct file_system *fs;            /* NULL: none was recognised */
    char *content;        /* recognised by its header though no file system: "BitLocker"; or NULL */
    char *content_detail; /* what that header says besides: version, cipher; or NULL */
    bool encrypted;       /* that header says so */
    bool has_sample;      /* no header is known: places all over the volume were looked at */
    struct tally sample;
    bool looks_encrypted; /* the sample is as even as random bytes: consistent with encryption */
    bool has_volume_slack;
    struct tally volume_slack;
    bool has_slack;
    struct slack slack;
    bool has_unallocated;
    struct unallocated unallocated;
    struct slack_file *top; /* the files with the most file slack that is not zero, falling */
    size_t n_top;
    bool complete; /* the parser came to its end */
};

struct finding {   /* content that is hostile or could not be parsed */
    char *code;    /* "parser-crash", "past-end", … */
    char *subject; /* a volume's name, a file, or NULL */
    char *text;
};

struct sandbox_facts {
    bool known;
    bool seccomp;
    bool no_new_privs;
    uint64_t landlock_abi;
    char *missing;
};

struct report {
    char *name;               /* NAME of the output files */
    char *image_path;         /* as given */
    char *manifest_path;      /* or NULL */
    char *created;            /* RFC 3339 UTC */
    json_t *facts;            /* the manifest, or what the image tells in the manifest's shape */
    uint64_t media_size;      /* bytes */
    uint32_t sector_size;     /* bytes */
    bool sector_size_known;   /* said by a manifest or an E01, not assumed */
    json_t *custody;          /* the ledger's entries, an array; NULL: there is no ledger */
    json_t *deviations;       /* array of { "text" }: deviations.h */
    struct ranges unreadable; /* bytes of the media */
    struct table table;
    struct volume *volumes;
    size_t n_volumes;
    struct finding *findings;
    size_t n_findings;
    char **notes; /* worth knowing, nothing wrong with the evidence */
    size_t n_notes;
    struct sandbox_facts sandbox;
};

void report_free(struct report *r);
/* What the structure holds; the structure itself is the caller's. */
void partition_clear(struct partition *p);
void file_system_free(struct file_system *fs);

void report_finding(struct report *r, const char *code, const char *subject, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void report_note(struct report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Sums over all volumes. */
struct totals {
    struct tally volume_slack;
    struct tally gaps;
    struct slack slack;
    struct unallocated unallocated;
};

void report_totals(const struct report *r, struct totals *out);

/* Sector slack and drive slack together. */
void report_file_slack(const struct file_slack *f, struct tally *out);

#endif
