/*
 * One acquisition, as the front's files share it: what was asked, what was found, what was done.
 */
#ifndef EXHIBIT_ACQUIRE_ACQUISITION_H
#define EXHIBIT_ACQUIRE_ACQUISITION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "acquire/device/device.h"
#include "acquire/front/destination.h"
#include "acquire/front/history.h"
#include "acquire/front/joblog.h"
#include "acquire/front/journal.h"
#include "acquire/front/options_acquire.h"
#include "acquire/front/plan.h"
#include "acquire/front/rate.h"
#include "acquire/front/result.h"
#include "acquire/front/watch.h"
#include "acquire/job/resume.h"
#include "common/progress.h"
#include "common/requester.h"
#include "common/session.h"

struct inhibit;
struct source_facts;
struct sealing;

struct acquisition {
    struct acquire_options options;
    struct requester requester;
    struct privilege writer; /* as whom the worker runs and the files are made */

    /* the source */
    struct device *device;      /* NULL: a regular file */
    struct source_facts *facts; /* of the device, once it is held */
    int file;                   /* descriptor of a file source, or -1 */
    struct stat file_stat;      /* of a file source, when it was opened */
    uint64_t source_size;       /* bytes */
    uint64_t offset, length;
    uint32_t sector_size;

    /* the image */
    struct plan_request request;
    struct plan plan;
    struct destination dest[WORKER_SINKS_MAX];
    size_t n_dest;

    /* what is there already, of a job that goes on; else nothing */
    struct destination
        place[WORKER_DIRS_MAX]; /* --segment-dir: DIR/NAME of the first image's files */
    char *place_paths[WORKER_DIRS_MAX];
    size_t n_places;
    size_t writing;       /* into which of them, from 1; 0: DEST.partial */
    bool new_place;       /* which has yet to be made */
    bool publishing;      /* the manifests tell where files will lie, not where they are checked */
    struct resume resume; /* its directories: dest[] first, then these */
    int earlier[WORKER_DIRS_MAX];
    size_t n_earlier;
    bool journaled; /* a journal is there to go on from, also if it can be written no more */
    struct journal *journals[WORKER_SINKS_MAX]; /* NULL: none, or it cannot be written any more */
    bool resume_noted;                          /* the journals say that the job goes on */
    struct range unnoted;   /* unreadable, and to be said in the journals before the next line */
    int unnoted_sys;        /* the errno of its reads */
    struct history history; /* of a job that is continued; else empty */

    /* the run */
    struct session *session;
    struct sealing *sealing; /* NULL: neither signed nor stamped */
    struct inhibit *inhibit;
    char inhibit_state[256];
    struct supervisor_message opened;    /* what the supervisor found when it took the device */
    struct supervisor_message last;      /* what it found when it last looked */
    struct supervisor_attempt *attempts; /* what the guard refused; SUPERVISOR_ATTEMPTS_MAX */
    size_t n_attempts;
    bool flag_lost; /* the read-only flag was found cleared at some time */
    struct watch watch;
    struct device_timeouts timeouts; /* the kernel's, for the source, as they were found */
    struct result result;
    struct joblog *log;
    struct progress *progress;
    struct rate rate;          /* of the source's bytes, for the manifest */
    int64_t started, finished; /* epoch; `started` of the first run */
    bool source_changed;       /* a file source differs after the run */
    bool released;             /* the write block was lifted, as asked */
    bool complete;             /* the images, papers included, stand in their DEST.partial */
    json_t *verification[WORKER_SINKS_MAX];     /* exhibit-verify's document, or NULL */
    char *verification_error[WORKER_SINKS_MAX]; /* why there is none, or NULL: not asked for */
    bool unrecorded;                            /* the supervisor's record lacks the manifest */
    bool unsealed;                              /* a signature or time stamp is missing */
    char record[SUPERVISOR_TEXT_MAX];           /* where the supervisor's record lies, or "" */
};

/* Where the files of image i are written now. */
static inline const struct destination *
acquisition_written_to(const struct acquisition *a, size_t i)
{
    return i == 0 && a->writing > 0 ? &a->place[a->writing - 1] : &a->dest[i];
}

static inline uint64_t
acquisition_unreadable_sectors(const struct acquisition *a)
{
    uint32_t size = a->sector_size ? a->sector_size : 1; /* not known before there is a source */

    return (ranges_total(&a->result.unreadable) + size - 1) / size;
}

#endif
