#include "acquire/front/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/json.h"
#include "common/outfile.h"
#include "common/text.h"

/* Each line ends in ,"check":"32 hex digits"} and a newline. */
#define CHECK_KEY ",\"check\":\""
#define CHECK_LENGTH (JOURNAL_CHECK_MAX - 1)
#define TAIL_LENGTH (sizeof CHECK_KEY - 1 + CHECK_LENGTH + 2)

struct journal {
    int fd;
    struct digest *digest;
    char check[JOURNAL_CHECK_MAX]; /* of the last line */
    size_t size;                   /* bytes of the lines that hold */
    bool torn;                     /* more lies behind them */
    bool failed;
};

/* SHA-256, cut to 128 bits, over the checksum of the line before and this line up to its own. */
static void
compute(struct digest *d, const char *previous, const char *body, size_t n,
        char out[JOURNAL_CHECK_MAX])
{
    char hex[DIGEST_HEX_MAX];

    digest_update(d, previous, strlen(previous));
    digest_update(d, body, n);
    digest_final_hex(d, hex);
    memcpy(out, hex, CHECK_LENGTH);
    out[CHECK_LENGTH] = '\0';
}

/* --- reading --- */

/* The checksum that a line states; false if it is not built like one. */
static bool
stated_check(const char *line, size_t n, char out[JOURNAL_CHECK_MAX])
{
    const char *tail;

    if (n <= TAIL_LENGTH)
        return false;
    tail = line + n - TAIL_LENGTH;
    if (memcmp(tail, CHECK_KEY, sizeof CHECK_KEY - 1) != 0 || memcmp(line + n - 2, "\"}", 2) != 0)
        return false;
    memcpy(out, line + n - 2 - CHECK_LENGTH, CHECK_LENGTH);
    out[CHECK_LENGTH] = '\0';
    return strspn(out, "0123456789abcdef") == CHECK_LENGTH;
}

static bool
line_holds(struct digest *d, const char *previous, const char *line, size_t n,
           char out[JOURNAL_CHECK_MAX])
{
    char computed[JOURNAL_CHECK_MAX];

    if (n > JOURNAL_LINE_MAX || !stated_check(line, n, out))
        return false;
    compute(d, previous, line, n - TAIL_LENGTH, computed);
    return memcmp(computed, out, CHECK_LENGTH) == 0;
}

struct cursor {
    const char *text;
    size_t n;
    size_t at;
};

/* The next line without its newline; false at the end, also where that has no newline. */
static bool
next_line(struct cursor *c, const char **line, size_t *length)
{
    const char *start = c->text + c->at;
    const char *end = c->at < c->n ? memchr(start, '\n', c->n - c->at) : NULL;

    if (!end)
        return false;
    *line = start;
    *length = (size_t)(end - start);
    c->at += *length + 1;
    return true;
}

/* Whether a line behind the first that does not hold follows from the one before it: then what does
   not hold is not a tail. */
static bool
goes_on(struct digest *d, struct cursor c)
{
    char previous[JOURNAL_CHECK_MAX];
    char check[JOURNAL_CHECK_MAX];
    bool known = false;
    const char *line;
    size_t n;

    while (next_line(&c, &line, &n)) {
        if (known && line_holds(d, previous, line, n, check))
            return true;
        known = stated_check(line, n, previous);
    }
    return false;
}

static int
take_line(const char *line, size_t n, journal_take take, void *context, size_t number,
          struct err *err)
{
    json_t *v = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
    int r = v && json_is_object(v) ? take(context, v, number, err)
                                   : err_set(err, OUTCOME_FAILED, "it is no JSON object");

    json_decref(v);
    return r == 0 ? 0 : err_context(err, "line %zu", number);
}

static int
parse(struct digest *d, const char *text, size_t size, journal_take take, void *context,
      struct journal_text *out, struct err *err)
{
    struct cursor c = {.text = text, .n = size};
    struct cursor before = c;
    char check[JOURNAL_CHECK_MAX];
    const char *line;
    size_t n;

    *out = (struct journal_text){0};
    while (next_line(&c, &line, &n) && line_holds(d, out->check, line, n, check)) {
        if (take_line(line, n, take, context, out->lines + 1, err) != 0)
            return -1;
        memcpy(out->check, check, sizeof check);
        out->lines++;
        out->valid = c.at;
        before = c;
    }
    out->torn = size - out->valid;
    if (goes_on(d, before))
        return err_set(err, OUTCOME_FAILED, "line %zu, at byte %zu, is damaged", out->lines + 1,
                       out->valid);
    return 0;
}

int
journal_parse(const char *text, size_t n, journal_take take, void *context,
              struct journal_text *out, struct err *err)
{
    struct digest *d = digest_new("sha256", err);
    int r = d ? parse(d, text, n, take, context, out, err) : -1;

    digest_free(d);
    return r;
}

/* --- the file --- */

/* Where a file system has no locks, a second run is kept out by DEST.partial alone. */
static int
lock(int fd, const char *name, struct err *err)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return 0;
    return err_set(err, OUTCOME_REFUSED, "the job of '%s' is running in another process", name);
}

static struct journal *
journal_new(int fd, struct err *err)
{
    struct journal *j = xcalloc(1, sizeof *j);

    j->fd = fd;
    j->digest = digest_new("sha256", err);
    if (j->digest)
        return j;
    journal_free(j);
    return NULL;
}

struct journal *
journal_create(int dir, const char *name, struct err *err)
{
    AUTO_FREE char *file = xasprintf("%s" JOURNAL_SUFFIX, name);
    int fd = openat(dir, file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0) {
        (void)err_errno(err, "cannot create '%s'", file);
        return NULL;
    }
    if (lock(fd, name, err) != 0 || outfile_sync_dir(dir, err) != 0) {
        (void)close(fd);
        return NULL;
    }
    return journal_new(fd, err);
}

static int
load(struct journal *j, int dir, const char *file, journal_take take, void *context,
     struct journal_text *out, struct err *err)
{
    AUTO_FREE char *text = NULL;
    size_t n;

    text = infile_read(dir, file, JOURNAL_SIZE_MAX, &n, err);
    if (!text)
        return -1;
    if (journal_parse(text, n, take, context, out, err) != 0)
        return err_context(err, "journal '%s'", file);
    memcpy(j->check, out->check, sizeof j->check);
    j->size = out->valid;
    j->torn = out->torn > 0;
    return 0;
}

struct journal *
journal_open(int dir, const char *name, journal_take take, void *context, struct journal_text *out,
             struct err *err)
{
    AUTO_FREE char *file = xasprintf("%s" JOURNAL_SUFFIX, name);
    int fd = openat(dir, file, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct journal *j;

    if (fd < 0) {
        (void)err_errno(err, "cannot open the journal '%s'", file);
        return NULL;
    }
    if (lock(fd, name, err) != 0) {
        (void)close(fd);
        return NULL;
    }
    j = journal_new(fd, err);
    if (j && load(j, dir, file, take, context, out, err) == 0)
        return j;
    journal_free(j);
    return NULL;
}

/* Once anything was written behind it, a torn tail would look like damage. */
static int
cut_tail(struct journal *j, struct err *err)
{
    if (!j->torn)
        return 0;
    if (ftruncate(j->fd, (off_t)j->size) != 0)
        return err_errno(err, "cannot cut the journal's torn end off");
    j->torn = false;
    return 0;
}

static int
append(struct journal *j, const char *line, size_t n, struct err *err)
{
    size_t done = 0;

    while (done < n) {
        ssize_t w = pwrite(j->fd, line + done, n - done, (off_t)(j->size + done));

        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return err_errno(err, "cannot write the journal");
        done += (size_t)w;
    }
    j->size += n;
    return 0;
}

int
journal_add(struct journal *j, json_t *line, bool sync, struct err *err)
{
    AUTO_FREE char *body = json_to_line(line);
    AUTO_FREE char *whole = NULL;
    size_t n = strlen(body) - 1; /* without the last brace */
    int r;

    json_decref(line);
    if (j->failed)
        return err_set(err, OUTCOME_FAILED, "the journal could not be written before");
    if (n > JOURNAL_LINE_MAX - TAIL_LENGTH || j->size > JOURNAL_SIZE_MAX - n - TAIL_LENGTH - 1)
        return err_set(err, OUTCOME_FAILED, "the journal would become too large");
    body[n] = '\0';
    compute(j->digest, j->check, body, n, j->check);
    whole = xasprintf("%s" CHECK_KEY "%s\"}\n", body, j->check);
    r = cut_tail(j, err) == 0 ? append(j, whole, strlen(whole), err) : -1;
    if (r == 0 && sync && fdatasync(j->fd) != 0)
        r = err_errno(err, "cannot sync the journal");
    j->failed = r != 0;
    return r;
}

void
journal_free(struct journal *j)
{
    if (!j)
        return;
    (void)close(j->fd);
    digest_free(j->digest);
    free(j);
}
