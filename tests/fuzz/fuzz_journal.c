/* A journal of any bytes is read without harm, and what it tells holds together. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/front/history.h"
#include "acquire/front/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The lines as they are, since no fuzzer finds their checksums; one JSON object a line. */
static void
take_lines(const char *text, size_t n)
{
    struct history h = {0};
    struct err err = ERR_INIT;
    size_t number = 1;

    for (const char *end = text + n; text < end; number++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t length = newline ? (size_t)(newline - text) : (size_t)(end - text);
        json_t *v = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
        int r = json_is_object(v) ? history_take(&h, v, number, &err) : -1;

        json_decref(v);
        if (r != 0)
            break;
        text += length + 1;
    }
    for (size_t i = 0; i < h.n_sinks; i++) {
        if (h.sinks[i].durable > h.length)
            abort();
    }
    history_clear(&h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct history h = {0};
    struct journal_text text;
    struct err err = ERR_INIT;

    if (journal_parse((const char *)data, n, history_take, &h, &text, &err) == 0 &&
        text.valid + text.torn != n)
        abort();
    history_clear(&h);
    take_lines((const char *)data, n);
    return 0;
}
