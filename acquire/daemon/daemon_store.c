#include "acquire/daemon/daemon_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/outfile.h"
#include "common/size.h"
#include "common/text.h"

/* The largest that one can be: 64 KiB of texts, each byte as \u00XX and in base64. */
#define FILE_MAX (1024 * 1024)
#define SUFFIX ".json"

struct store {
    int dir;
    char boot[64]; /* the kernel's name of this boot: process numbers of another say nothing */
};

/* --- the document --- */

static const char *const process_names[JOB_PROCESSES] = {"front", "supervisor"};

static json_t *
processes_to_json(const struct daemon_job *job)
{
    json_t *all = json_object();

    for (size_t i = 0; i < JOB_PROCESSES; i++) {
        json_t *one = json_object();

        if (job->processes[i].pid > 0) {
            json_set_u64(one, "pid", (uint64_t)job->processes[i].pid);
            json_set_u64(one, "start", job->processes[i].start);
        }
        (void)json_object_set_new(all, process_names[i], one);
    }
    return all;
}

json_t *
store_job_to_json(const struct daemon_job *job)
{
    const struct job_facts *f = &job->facts;
    json_t *v = json_object();
    json_t *options = json_array();

    json_set_text(v, "schema", STORE_SCHEMA);
    json_set_u64(v, "id", f->id);
    json_set_u64(v, "uid", f->uid);
    json_set_u64(v, "gid", job->gid);
    json_set_bool(v, "listed", job->listed);
    json_set_text(v, "user", job->user);
    json_set_text(v, "source", job->source);
    json_set_text(v, "dest", job->dest);
    for (size_t i = 0; i < job->n_options; i++) {
        json_t *one = json_object();

        json_set_text(one, "option", job->options[i]);
        (void)json_array_append_new(options, one);
    }
    (void)json_object_set_new(v, "options", options);
    json_set_text(v, "state", job_state_name((enum job_state)f->state));
    (void)json_object_set_new(v, "exit", json_integer(f->exit));
    json_set_text(v, "message", job->message);
    json_set_bool(v, "begun", job->begun);
    json_set_bool(v, "stopping", f->stopping != 0);
    json_set_bool(v, "discard", job->discard);
    json_set_u64(v, "bytes_done", f->bytes_done);
    json_set_u64(v, "bytes_total", f->bytes_total);
    json_set_u64(v, "unreadable_sectors", f->unreadable_sectors);
    json_set_u64(v, "submitted", (uint64_t)f->submitted);
    json_set_u64(v, "started", (uint64_t)f->started);
    json_set_u64(v, "finished", (uint64_t)f->finished);
    json_set_u64(v, "last_event", job->events.last);
    (void)json_object_set_new(v, "processes", processes_to_json(job));
    return v;
}

static int
take_bytes(const json_t *v, const char *key, char **out, struct err *err)
{
    *out = json_get_bytes(v, key);
    if (!*out)
        return err_set(err, OUTCOME_FAILED, "'%s' is missing or no text", key);
    return 0;
}

static int
take_bounded(const json_t *v, const char *key, uint64_t max, uint64_t *out, struct err *err)
{
    if (json_get_u64(v, key, out, err) != 0)
        return -1;
    return *out <= max ? 0 : err_set(err, OUTCOME_FAILED, "'%s' is out of range", key);
}

static int
take_time(const json_t *v, const char *key, int64_t *out, struct err *err)
{
    uint64_t n;

    if (take_bounded(v, key, UINT64_C(253402300799), &n, err) != 0)
        return -1;
    *out = (int64_t)n;
    return 0;
}

static int
take_options(const json_t *v, struct daemon_job *job, struct err *err)
{
    const json_t *all = json_object_get(v, "options");
    size_t n = json_array_size(all);

    if (!json_is_array(all) || n > DAEMON_OPTIONS_MAX + DAEMON_DEFAULTS_MAX)
        return err_set(err, OUTCOME_FAILED, "'options' is no list, or too long");
    job->options = xcalloc(n + 1, sizeof *job->options);
    for (size_t i = 0; i < n; i++) {
        if (take_bytes(json_array_get(all, i), "option", &job->options[i], err) != 0)
            return -1;
        job->n_options++;
    }
    return 0;
}

static int
take_state(const json_t *v, struct daemon_job *job, struct err *err)
{
    const char *name;
    const json_t *code = json_object_get(v, "exit");

    if (json_get_text(v, "state", &name, err) != 0)
        return -1;
    if (!json_is_integer(code) || json_integer_value(code) < -1 || json_integer_value(code) > 255)
        return err_set(err, OUTCOME_FAILED, "'exit' is no exit code");
    job->facts.exit = (int32_t)json_integer_value(code);
    for (uint32_t s = 0; s <= JOB_CANCELLED; s++) {
        job->facts.state = s;
        if (strcmp(name, job_state_name((enum job_state)s)) == 0)
            return 0;
    }
    return err_set(err, OUTCOME_FAILED, "'state' is none");
}

static int
take_processes(const json_t *v, struct daemon_job *job, struct err *err)
{
    const json_t *all = json_object_get(v, "processes");

    for (size_t i = 0; i < JOB_PROCESSES; i++) {
        const json_t *one = json_object_get(all, process_names[i]);
        uint64_t pid;

        if (json_object_size(one) == 0)
            continue;
        if (take_bounded(one, "pid", INT32_MAX, &pid, err) != 0 ||
            json_get_u64(one, "start", &job->processes[i].start, err) != 0)
            return -1;
        job->processes[i].pid = (pid_t)pid;
    }
    return 0;
}

static int
take_facts(const json_t *v, struct daemon_job *job, struct err *err)
{
    struct job_facts *f = &job->facts;
    uint64_t uid;
    uint64_t gid;

    if (take_bounded(v, "id", JOB_ID_MAX, &f->id, err) != 0 ||
        take_bounded(v, "uid", UINT32_MAX - 1, &uid, err) != 0 ||
        take_bounded(v, "gid", UINT32_MAX - 1, &gid, err) != 0 ||
        json_get_u64(v, "bytes_done", &f->bytes_done, err) != 0 ||
        json_get_u64(v, "bytes_total", &f->bytes_total, err) != 0 ||
        json_get_u64(v, "unreadable_sectors", &f->unreadable_sectors, err) != 0 ||
        json_get_u64(v, "last_event", &job->events.last, err) != 0 ||
        take_time(v, "submitted", &f->submitted, err) != 0 ||
        take_time(v, "started", &f->started, err) != 0 ||
        take_time(v, "finished", &f->finished, err) != 0)
        return -1;
    if (f->id == 0)
        return err_set(err, OUTCOME_FAILED, "'id' is 0");
    f->uid = (uint32_t)uid;
    job->gid = (gid_t)gid;
    job->listed = json_is_true(json_object_get(v, "listed"));
    job->begun = json_is_true(json_object_get(v, "begun"));
    job->discard = json_is_true(json_object_get(v, "discard"));
    f->stopping = json_is_true(json_object_get(v, "stopping"));
    return 0;
}

struct daemon_job *
store_job_from_json(const json_t *v, struct err *err)
{
    struct daemon_job *job = daemon_job_new();
    const char *schema = NULL;

    if (json_get_text(v, "schema", &schema, err) == 0 && strcmp(schema, STORE_SCHEMA) != 0)
        (void)err_set(err, OUTCOME_FAILED, "the schema is '%s'", schema);
    else if (schema && take_facts(v, job, err) == 0 && take_state(v, job, err) == 0 &&
             take_bytes(v, "user", &job->user, err) == 0 &&
             take_bytes(v, "source", &job->source, err) == 0 &&
             take_bytes(v, "dest", &job->dest, err) == 0 && take_options(v, job, err) == 0 &&
             take_processes(v, job, err) == 0) {
        job->message = json_get_bytes(v, "message");
        return job;
    }
    daemon_job_free(job);
    return NULL;
}

/* --- the directory --- */

static int
make_directory(const char *path, mode_t mode, struct err *err)
{
    if (mkdir(path, mode) != 0 && errno != EEXIST)
        return err_errno(err, "cannot create '%s'", path);
    return 0;
}

/* Whoever else could write there could have root start jobs as anybody. */
static int
open_own(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return err_errno(err, "cannot open '%s'", path);
    if (fstat(fd, &st) != 0 || st.st_uid != geteuid() || (st.st_mode & 022) != 0)
        (void)err_set(err, OUTCOME_REFUSED, "'%s' can be written by others", path);
    else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        (void)err_set(err, OUTCOME_REFUSED, "'%s' is in use: another exhibitd runs", path);
    else
        return fd;
    (void)close(fd);
    return -1;
}

static void
read_boot(struct store *s)
{
    AUTO_FILE FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (f && fgets(s->boot, sizeof s->boot, f))
        s->boot[strcspn(s->boot, "\n")] = '\0';
}

struct store *
store_open(const char *dir, struct err *err)
{
    AUTO_FREE char *parent = xstrdup(dir);
    char *slash = strrchr(parent, '/');
    struct store *s;
    int fd;

    if (slash && slash != parent) {
        *slash = '\0';
        if (make_directory(parent, 0755, err) != 0)
            return NULL;
    }
    if (make_directory(dir, 0700, err) != 0)
        return NULL;
    fd = open_own(dir, err);
    if (fd < 0)
        return NULL;
    s = xcalloc(1, sizeof *s);
    s->dir = fd;
    read_boot(s);
    return s;
}

void
store_close(struct store *s)
{
    if (!s)
        return;
    (void)close(s->dir);
    free(s);
}

int
store_save(struct store *s, const struct daemon_job *job, struct err *err)
{
    AUTO_FREE char *name = xasprintf("%" PRIu64 SUFFIX, job->facts.id);
    json_t *v = store_job_to_json(job);
    AUTO_FREE char *text = NULL;

    json_set_text(v, "boot", s->boot);
    text = json_to_text(v);
    json_decref(v);
    if (outfile_write(s->dir, name, text, strlen(text), true, err) != 0)
        return err_context(err, "cannot keep job %" PRIu64, job->facts.id);
    return 0;
}

void
store_remove(struct store *s, uint64_t id)
{
    AUTO_FREE char *name = xasprintf("%" PRIu64 SUFFIX, id);

    (void)unlinkat(s->dir, name, 0);
}

/* The id in a name like "12.json", or 0. */
static uint64_t
id_of(const char *name)
{
    size_t n = strlen(name);
    AUTO_FREE char *digits = NULL;
    struct err ignored = ERR_INIT;
    uint64_t id;

    if (n <= strlen(SUFFIX) || strcmp(name + n - strlen(SUFFIX), SUFFIX) != 0)
        return 0;
    digits = xstrndup(name, n - strlen(SUFFIX));
    return number_parse(digits, 1, JOB_ID_MAX, "id", &id, &ignored) == 0 ? id : 0;
}

static struct daemon_job *
load_one(const struct store *s, const char *name, uint64_t id, struct err *err)
{
    size_t n = 0;
    AUTO_FREE char *text = infile_read(s->dir, name, FILE_MAX, &n, err);
    json_error_t why;
    json_t *v;
    struct daemon_job *job;
    const char *boot;

    if (!text)
        return NULL;
    v = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    if (!v) {
        (void)err_set(err, OUTCOME_FAILED, "line %d: %s", why.line, why.text);
        return NULL;
    }
    job = store_job_from_json(v, err);
    boot = json_text_or_null(v, "boot");
    if (job && (!boot || strcmp(boot, s->boot) != 0))
        memset(job->processes, 0, sizeof job->processes);
    json_decref(v);
    if (job && job->facts.id != id) {
        (void)err_set(err, OUTCOME_FAILED, "it is of job %" PRIu64, job->facts.id);
        daemon_job_free(job);
        return NULL;
    }
    return job;
}

int
store_load(struct store *s, struct queue *q, struct err *err)
{
    int again = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_DIR DIR *dir = again < 0 ? NULL : fdopendir(again);
    const struct dirent *e;

    if (!dir)
        return err_errno(err, "cannot read the jobs");
    while ((e = readdir(dir)) != NULL) {
        struct err why = ERR_INIT;
        uint64_t id = id_of(e->d_name);
        struct daemon_job *job;

        if (id == 0)
            continue;
        queue_skip(q, id);
        job = load_one(s, e->d_name, id, &why);
        if (job) {
            daemon_job_set_aside(job, clock_now_ms());
            queue_add(q, job);
        } else {
            (void)err_context(&why, "the job in '%s' is left out", e->d_name);
            (void)err_report(&why);
        }
    }
    return 0;
}
