/*
 * Logs whose lines depend on those before them, or that have pieces of their own shape: hashdeep,
 * dc3dd and dcfldd.
 */
#include "common/text.h"
#include "verify/hashlog_impl.h"

/* --- hashdeep ------------------------------------------------------------------------------- */

static void
deep_columns(struct hashlog_reader *r, struct text line)
{
    r->n_columns = 0;
    while (line.n > 0 && r->n_columns < HASHLOG_COLUMNS_MAX) {
        struct text word = text_until(&line, ",");
        char *name = r->column[r->n_columns++];

        (void)text_skip(&line, ",");
        if (!text_hash_name(word, name))
            (void)snprintf(name, DIGEST_NAME_MAX, "%.*s", (int)(word.n < 30 ? word.n : 30), word.p);
    }
}

/* "%%%% HASHDEEP-1.0", "%%%% size,md5,sha256,filename", then a line of these for each file; the
   name is the last and may hold commas. With -p: "NAME offset A-B". */
bool
hashlog_deep_line(struct hashlog_reader *r, struct text line)
{
    struct text values[HASHLOG_COLUMNS_MAX] = {{0}};
    size_t last;

    if (text_skip(&line, "%%%% ")) {
        r->deep = true;
        if (!text_starts(line, "HASHDEEP-"))
            deep_columns(r, line);
        return true;
    }
    if (!r->deep)
        return false;
    if (text_starts(line, "##") || r->n_columns == 0)
        return true;
    last = r->n_columns - 1;
    for (size_t i = 0; i < last; i++) {
        values[i] = text_until(&line, ",");
        if (!text_skip(&line, ","))
            return true;
    }
    values[last] = line;
    for (size_t i = 0; i < last; i++) {
        struct hashlog_claim c = {.hash = r->column[i], .hex = values[i]};
        struct text file = values[last];

        if (digest_hex_length(r->column[i]) == 0)
            continue;
        hashlog_piece_suffix(&file, &c);
        c.file = hashlog_name(r->log, file);
        hashlog_add(r, &c);
    }
    return true;
}

/* --- dc3dd ---------------------------------------------------------------------------------- */

/* "input results for device `/dev/sdb':", "output results for files `o.000':" */
static bool
dc3dd_section(struct hashlog_reader *r, struct text line)
{
    bool input = text_skip(&line, "input results for ");

    if (!input && !text_skip(&line, "output results for "))
        return false;
    r->input = input;
    r->last[0] = '\0';
    (void)text_until(&line, "`");
    if (!input && text_skip(&line, "`")) {
        struct text name = line;

        while (name.n > 0 && strchr("':", name.p[name.n - 1]))
            name.n--;
        hashlog_output(r, name);
    }
    return true;
}

/* "HEX (md5)", or, of a piece: "HEX, sectors A - B", with an output's file: "…, `o.000'". */
static void
dc3dd_hash(struct hashlog_reader *r, struct text line)
{
    struct hashlog_claim c = {.hex = text_until(&line, " ,")};
    uint64_t first;
    uint64_t last;

    if (text_skip(&line, " (")) {
        if (!text_hash_name(text_until(&line, ")"), r->last))
            r->last[0] = '\0';
        c.hash = r->last[0] ? r->last : NULL;
        if (r->input && c.hash)
            hashlog_add(r, &c);
        return;
    }
    if (r->last[0] == '\0' || !text_skip(&line, ", sectors ") || !text_number(&line, &first) ||
        !text_skip(&line, " - ") || !text_number(&line, &last) || last < first ||
        last >= INT64_MAX / r->sector)
        return;
    c.hash = r->last;
    if (r->input) {
        c.offset = first * r->sector;
        c.length = (last - first + 1) * r->sector;
    } else if (text_skip(&line, ", `") && line.n > 1 && line.p[line.n - 1] == '\'') {
        line.n--;
        c.file = hashlog_name(r->log, line);
        hashlog_output(r, line);
    } else {
        return;
    }
    hashlog_add(r, &c);
}

/* What dc3dd read back of its output counts where it found it good, "[ok]". */
bool
hashlog_dc3dd_line(struct hashlog_reader *r, struct text line)
{
    uint64_t sector;

    if (text_starts(line, "dc3dd ") && line.n > 10) {
        struct text rest = {line.p + 6, line.n - 6};

        (void)text_until(&rest, " ");
        if (text_starts(rest, " started at ")) {
            r->dc3dd = true;
            r->log->runs++;
        }
        return true;
    }
    if (!r->dc3dd)
        return false;
    if (text_skip(&line, "sector size: ")) {
        if (text_number(&line, &sector) && sector > 0 && sector <= UINT64_C(1) << 20)
            r->sector = sector;
        return true;
    }
    if (dc3dd_section(r, line))
        return true;
    if (*line.p != ' ')
        return true;
    text_skip_blanks(&line);
    if (!r->input && !text_skip(&line, "[ok] "))
        return true;
    if (text_hex_digits(line) >= 16)
        dc3dd_hash(r, line);
    return true;
}

/* --- dcfldd --------------------------------------------------------------------------------- */

/* "Total (md5): HEX", and of each window "0 - 1048576: HEX", the end not counted. */
bool
hashlog_dcfldd_line(struct hashlog_reader *r, struct text line)
{
    struct hashlog_claim c = {0};
    char name[DIGEST_NAME_MAX];
    uint64_t first;
    uint64_t end;

    if (text_skip(&line, "Total (")) {
        struct text hash = text_until(&line, ")");

        if (!text_hash_name(hash, name) || !text_skip(&line, "): "))
            return false;
        c.hash = name;
        c.hex = text_trim(line);
    } else {
        if (!text_number(&line, &first) || !text_skip(&line, " - ") || !text_number(&line, &end) ||
            !text_skip(&line, ": ") || end <= first)
            return false;
        c.hex = text_trim(line);
        c.offset = first;
        c.length = end - first;
        if (text_hex_digits(c.hex) < 8)
            return false;
    }
    hashlog_tool(r, "dcfldd");
    hashlog_add(r, &c);
    return true;
}
