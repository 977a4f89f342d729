/* What users can hand to exhibitd: bodies of requests, what a job says on stderr, and (though only
   root could) the files in which jobs are kept. The first byte chooses. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/daemon/api_json.h"
#include "acquire/daemon/daemon_job.h"
#include "acquire/daemon/daemon_options.h"
#include "acquire/daemon/daemon_store.h"
#include "common/json.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct daemon_message message;

/* What comes out of a body is a job's, and must come back from its file as it was. */
static void
keep(const struct daemon_message *m)
{
    struct daemon_job *job = daemon_job_new();
    struct err err = ERR_INIT;
    size_t at = 0;
    struct daemon_job *got;
    const char *text;
    json_t *v;

    job->facts.id = 1;
    job->user = xstrdup("u");
    job->source = xstrdup(daemon_message_text(m, &at));
    job->dest = xstrdup(daemon_message_text(m, &at));
    job->options = xcalloc(DAEMON_OPTIONS_MAX, sizeof *job->options);
    while ((text = daemon_message_text(m, &at)) != NULL)
        job->options[job->n_options++] = xstrdup(text);
    (void)daemon_options_check(job->source, job->dest, job->options, job->n_options, &err);
    v = store_job_to_json(job);
    got = store_job_from_json(v, &err);
    if (!got || strcmp(got->source, job->source) != 0 || strcmp(got->dest, job->dest) != 0 ||
        got->n_options != job->n_options)
        abort();
    for (size_t i = 0; i < got->n_options; i++) {
        if (strcmp(got->options[i], job->options[i]) != 0)
            abort();
    }
    json_decref(v);
    daemon_job_free(got);
    daemon_job_free(job);
}

static void
take_body(const char *body, size_t n)
{
    struct err err = ERR_INIT;
    char *device = NULL;
    bool discard;

    if (api_read_submit(body, n, &message, &err) == 0)
        keep(&message);
    (void)api_read_cancel(body, n, &discard, &err);
    (void)api_read_nothing(body, n, &err);
    if (api_read_device(body, n, &device, &err) == 0 && device[0] != '/')
        abort();
    free(device);
}

static void
take_line(const char *line, size_t n)
{
    struct daemon_job *job = daemon_job_new();

    job->facts.state = JOB_RUNNING;
    (void)daemon_job_hear(job, line, n, 0);
    if (job->message && !text_is_utf8(job->message, strlen(job->message)))
        abort();
    daemon_job_free(job);
}

static void
take_file(const char *text, size_t n)
{
    json_t *v = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
    struct err err = ERR_INIT;
    struct daemon_job *job = v ? store_job_from_json(v, &err) : NULL;

    if (job)
        daemon_job_set_aside(job, 0);
    daemon_job_free(job);
    json_decref(v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const takers[])(const char *, size_t) = {take_body, take_line, take_file};
    char *copy;

    if (size == 0)
        return 0;
    copy = xcalloc(size, 1);
    memcpy(copy, data + 1, size - 1);
    takers[data[0] % 3](copy, size - 1);
    free(copy);
    return 0;
}
