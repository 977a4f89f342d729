#include "report/writer.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/text.h"

const struct writer writers[] = {
    {"html", ".report.html", true, false, write_html},
    {"pdf", ".report.pdf", false, true, write_pdf},
    {"json", ".report.json", true, false, write_json},
    {"text", ".report.txt", false, false, write_text},
    {"dfxml", ".dfxml", false, false, write_dfxml},
    {"case", ".case.jsonld", false, false, write_case},
};

const size_t n_writers = sizeof writers / sizeof writers[0];

static int
unknown(const char *name, size_t len, struct err *err)
{
    AUTO_FREE char *known = xstrdup("");

    for (size_t i = 0; i < n_writers; i++) {
        char *longer = xasprintf("%s%s%s", known, i ? ", " : "", writers[i].format);

        free(known);
        known = longer;
    }
    return err_set(err, OUTCOME_USAGE, "report format '%.*s' is not available: there are %s",
                   (int)len, name, known);
}

int
writers_parse(const char *list, unsigned *set, struct err *err)
{
    *set = 0;
    for (;;) {
        size_t len = strcspn(list, ",");
        unsigned found = 0;

        for (size_t i = 0; i < n_writers; i++) {
            if (strlen(writers[i].format) == len && strncmp(writers[i].format, list, len) == 0)
                found = 1u << i;
        }
        if (!found)
            return unknown(list, len < 64 ? len : 64, err);
        *set |= found;
        if (list[len] == '\0')
            return 0;
        list += len + 1;
    }
}

unsigned
writers_default(void)
{
    unsigned set = 0;

    for (size_t i = 0; i < n_writers; i++)
        set |= writers[i].by_default ? 1u << i : 0;
    return set;
}

bool
writers_need_temporary(unsigned set)
{
    for (size_t i = 0; i < n_writers; i++) {
        if ((set >> i & 1) != 0 && writers[i].temporary)
            return true;
    }
    return false;
}

FILE *
writer_open(char **text, size_t *n)
{
    *text = NULL;
    return open_memstream(text, n);
}

char *
writer_close(FILE *f, char **text, struct err *err)
{
    bool bad = !f || ferror(f);

    if (f && fclose(f) != 0)
        bad = true;
    if (!bad)
        return *text;
    free(*text);
    (void)err_set(err, OUTCOME_FAILED, "out of memory");
    return NULL;
}
