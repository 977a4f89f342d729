#include "report/writer.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/text.h"

const struct writer writers[] = {
    {"html", ".report.html", write_html},
    {"json", ".report.json", write_json},
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
