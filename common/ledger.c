#include "common/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/json.h"
#include "common/outfile.h"
#include "common/requester.h"
#include "common/text.h"

#define LEDGER_MAX ((size_t)64 << 20)
#define LINE_MAX_BYTES ((size_t)1 << 20)

/* How every line ends: this, 64 hex digits, and two characters. */
#define HASH_FIELD ",\"hash\":\""
#define HASH_FIELD_LENGTH (sizeof HASH_FIELD - 1)
#define HASH_LENGTH 64
#define TAIL_LENGTH (HASH_FIELD_LENGTH + HASH_LENGTH + 2)
/* Files moved away under the lock before giving up: a file system may number its files anew. */
#define MOVED_MAX 100
#define SIGNATURE_FIELD ",\"signature\":\""

static int
sha256_hex(const void *data, size_t n, char hex[LEDGER_HASH_MAX], struct err *err)
{
    struct digest *d = digest_new("sha256", err);
    char full[DIGEST_HEX_MAX];

    if (!d)
        return -1;
    digest_update(d, data, n);
    digest_final_hex(d, full);
    digest_free(d);
    (void)snprintf(hex, LEDGER_HASH_MAX, "%.64s", full);
    return 0;
}

/* --- reading --- */

static bool
misfit(struct ledger *l, const char *why)
{
    l->broken = l->n + 1;
    (void)snprintf(l->why, sizeof l->why, "line %zu: %s", l->broken, why);
    return false;
}

/* The line ends in the hash of what stands before that field. */
static bool
hash_fits(const char *line, size_t n)
{
    const char *tail = n > TAIL_LENGTH ? line + n - TAIL_LENGTH : NULL;
    struct err ignored = ERR_INIT;
    char hex[LEDGER_HASH_MAX];

    return tail && memcmp(tail, HASH_FIELD, HASH_FIELD_LENGTH) == 0 &&
           memcmp(line + n - 2, "\"}", 2) == 0 &&
           sha256_hex(line, n - TAIL_LENGTH, hex, &ignored) == 0 &&
           memcmp(tail + HASH_FIELD_LENGTH, hex, HASH_LENGTH) == 0;
}

/* Where the signature's own field begins: what it covers ends there. It stands right before the
   hash, and base64 holds no quote. */
static size_t
signed_length(const char *line, size_t n)
{
    size_t end = n - TAIL_LENGTH;
    size_t field = sizeof SIGNATURE_FIELD - 1;

    if (end < field + 1 || line[end - 1] != '"')
        return 0;
    for (size_t i = end - 1; i-- > 0;) {
        if (line[i] == '"')
            return i + 1 >= field && memcmp(line + i + 1 - field, SIGNATURE_FIELD, field) == 0
                       ? i + 1 - field
                       : 0;
    }
    return 0;
}

static bool
link_fits(struct ledger *l, const json_t *event)
{
    json_int_t number = json_integer_value(json_object_get(event, "line"));
    const char *previous = json_text_or_null(event, "previous");

    if (number != (json_int_t)l->n + 1)
        return misfit(l, "it was written as another line: one is missing, repeated or moved");
    if (l->n == 0)
        return json_is_null(json_object_get(event, "previous"))
                   ? true
                   : misfit(l, "it follows a line that is not there");
    if (!previous || strcmp(previous, l->v[l->n - 1].hash) != 0)
        return misfit(l, "the line before it is not the one that it follows");
    return true;
}

static bool
take_line(struct ledger *l, size_t offset, size_t n)
{
    const char *line = l->text + offset;
    struct err ignored = ERR_INIT;
    struct ledger_line *out;
    json_t *event;

    if (n > LINE_MAX_BYTES)
        return misfit(l, "it is too long");
    if (!hash_fits(line, n))
        return misfit(l, "its hash does not fit: it was changed");
    event = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
    if (!event || !json_text_or_null(event, "action")) {
        json_decref(event);
        return misfit(l, "it is no event");
    }
    if (!link_fits(l, event)) {
        json_decref(event);
        return false;
    }
    if ((l->n & (l->n - 1)) == 0)
        l->v = xrealloc(l->v, l->n ? l->n * 2 : 1, sizeof *l->v);
    out = &l->v[l->n++];
    *out = (struct ledger_line){.event = event, .offset = offset};
    out->signed_length = signed_length(line, n);
    (void)sha256_hex(line, n + 1, out->hash, &ignored);
    return true;
}

/* Lines are taken as long as they fit: behind one that does not, nothing is proven. */
static void
scan(struct ledger *l)
{
    size_t at = 0;

    while (at < l->size) {
        const char *end = memchr(l->text + at, '\n', l->size - at);

        if (!end) {
            l->torn = l->size - at;
            return;
        }
        if (!take_line(l, at, (size_t)(end - (l->text + at))))
            return;
        at = (size_t)(end - l->text) + 1;
    }
}

int
ledger_read(int dirfd, const char *name, struct ledger *out, struct err *err)
{
    *out = (struct ledger){0};
    out->text = infile_read(dirfd, name, LEDGER_MAX, &out->size, err);
    if (!out->text)
        return -1;
    scan(out);
    return 0;
}

void
ledger_clear(struct ledger *l)
{
    for (size_t i = 0; i < l->n; i++)
        json_decref(l->v[i].event);
    free(l->v);
    free(l->text);
    *l = (struct ledger){0};
}

const struct ledger_line *
ledger_last(const struct ledger *l, const char *action)
{
    for (size_t i = l->n; i-- > 0;) {
        if (strcmp(json_text_or_null(l->v[i].event, "action"), action) == 0)
            return &l->v[i];
    }
    return NULL;
}

bool
ledger_has_head(const struct ledger *l, const char *head)
{
    for (size_t i = 0; i < l->n; i++) {
        if (digest_hex_equal(l->v[i].hash, head))
            return true;
    }
    return false;
}

/* --- writing --- */

json_t *
ledger_event(const char *action)
{
    json_t *event = json_object();
    json_t *user = json_object();
    struct requester who;
    char time[CLOCK_TEXT_MAX];
    char host[256] = "";

    requester_find(&who);
    (void)gethostname(host, sizeof host - 1);
    json_set_text(event, "time", clock_text(clock_now(), time));
    json_set_text(event, "action", action);
    json_set_u64(user, "uid", who.uid);
    json_set_text(user, "name", who.name);
    (void)json_object_set_new(event, "user", user);
    json_set_text(event, "host", host);
    return event;
}

/* The ledger, locked: by that name still what was opened, for another writer may have moved it. */
static int
open_locked(int dirfd, const char *name, struct err *err)
{
    for (unsigned i = 0; i < MOVED_MAX; i++) {
        int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);
        struct stat ours;
        struct stat there;

        if (fd < 0)
            return err_errno(err, "cannot open '%s'", name);
        /* A file system without locks (some network shares) has no second writer to wait for. */
        while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
            ;
        if (fstat(fd, &ours) == 0 && fstatat(dirfd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
            ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
            return fd;
        (void)close(fd);
    }
    return err_set(err, OUTCOME_FAILED,
                   "'%s' is another file each time that it is opened; nothing was written", name);
}

/* The event's fields between the line's number and the link to the line before. */
static char *
compose(const struct ledger *l, json_t *event)
{
    json_t *line = json_object();
    char *text;

    json_set_text(line, "schema", LEDGER_SCHEMA);
    json_set_u64(line, "line", l->n + 1);
    (void)json_object_update(line, event);
    if (l->torn > 0)
        json_set_u64(line, "discarded_bytes", l->torn);
    json_set_text(line, "previous", l->n > 0 ? l->v[l->n - 1].hash : NULL);
    text = json_to_line(line);
    json_decref(line);
    text[strlen(text) - 1] = '\0'; /* open again, for the fields that close it */
    return text;
}

static int
sign_line(char **line, const struct signer *by, struct err *err)
{
    AUTO_FREE uint8_t *der = NULL;
    AUTO_FREE char *base64 = NULL;
    size_t n;
    char *longer;

    if (!by)
        return 0;
    der = signer_sign(by, *line, strlen(*line), &n, err);
    if (!der)
        return -1;
    base64 = base64_encode(der, n);
    longer = xasprintf("%s" SIGNATURE_FIELD "%s\"", *line, base64);
    free(*line);
    *line = longer;
    return 0;
}

/* What failed half-way is taken back: a torn line is for crashes alone. */
static int
write_line(int fd, const char *name, const char *line, size_t whole, struct err *err)
{
    size_t n = strlen(line);
    ssize_t w;

    if (ftruncate(fd, (off_t)whole) != 0)
        return err_errno(err, "cannot cut a torn line off '%s'", name);
    do {
        w = write(fd, line, n);
    } while (w < 0 && errno == EINTR);
    if (w == (ssize_t)n && fsync(fd) == 0)
        return 0;
    if (w >= 0 && (size_t)w < n)
        errno = ENOSPC;
    (void)err_errno(err, "cannot write '%s'", name);
    if (ftruncate(fd, (off_t)whole) == 0)
        (void)fsync(fd);
    return -1;
}

static int
append_locked(int fd, int dirfd, const char *name, json_t *event, const struct signer *by,
              char head[LEDGER_HASH_MAX], struct err *err)
{
    struct ledger l;
    AUTO_FREE char *open_line = NULL;
    AUTO_FREE char *line = NULL;
    char hash[LEDGER_HASH_MAX];
    int r = -1;

    if (ledger_read(dirfd, name, &l, err) != 0)
        return -1;
    if (l.broken) {
        (void)err_set(err, OUTCOME_REFUSED, "the ledger '%s' is broken: %s; nothing is added to it",
                      name, l.why);
        goto out;
    }
    open_line = compose(&l, event);
    if (sign_line(&open_line, by, err) != 0 ||
        sha256_hex(open_line, strlen(open_line), hash, err) != 0)
        goto out;
    line = xasprintf("%s" HASH_FIELD "%s\"}\n", open_line, hash);
    if (strlen(line) > LINE_MAX_BYTES || l.size - l.torn + strlen(line) > LEDGER_MAX) {
        (void)err_set(err, OUTCOME_USAGE, "the event is too long for the ledger '%s'", name);
        goto out;
    }
    r = write_line(fd, name, line, l.size - l.torn, err);
    if (r == 0 && head)
        r = sha256_hex(line, strlen(line), head, err);
out:
    ledger_clear(&l);
    return r;
}

int
ledger_append(int dirfd, const char *name, json_t *event, const struct signer *by,
              char head[LEDGER_HASH_MAX], struct err *err)
{
    AUTO_FD int fd = open_locked(dirfd, name, err);
    int r = fd < 0 ? -1 : append_locked(fd, dirfd, name, event, by, head, err);

    json_decref(event);
    return r == 0 ? outfile_sync_dir(dirfd, err) : -1;
}
