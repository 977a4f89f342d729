/*
 * exhibit-devices: the disks of this machine and who uses them. It reads what the kernel publishes
 * and opens no device, so it needs no rights.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/device.h"
#include "acquire/device_sysfs.h"
#include "common/cleanup.h"
#include "common/console.h"
#include "common/json.h"
#include "common/options.h"
#include "common/size.h"
#include "common/text.h"

enum { OPTION_JSON = 1 };

static const struct option_spec option_table[] = {
    {"json", 0, NULL, OPTION_JSON, "print one JSON document"},
};

static const struct program program = {
    .name = "exhibit devices",
    .usage = "[--json]",
    .summary = "List the disks that can be acquired, and who uses them.",
    .options = option_table,
    .n_options = sizeof option_table / sizeof *option_table,
};

enum column { NAME, SIZE, BUS, MODEL, SERIAL, PARTITIONS, READ_ONLY, USE, COLUMNS };

static const char *const headings[COLUMNS] = {
    "DEVICE", "SIZE", "BUS", "MODEL", "SERIAL", "PARTS", "RO", "IN USE",
};

struct row {
    char *cells[COLUMNS];
};

/* Characters, not bytes; wide ones are counted as one, which at worst misplaces a column. */
static size_t
width_of(const char *s)
{
    size_t n = 0;

    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static char *
use_text(const struct device *device)
{
    char why[1024];
    AUTO_FREE char *safe = NULL;
    enum device_use use = device_in_use(device, why, sizeof why);

    if (use == DEVICE_FREE)
        return xstrdup("free");
    safe = text_printable(why);
    return xasprintf("%s (%s)", use == DEVICE_SYSTEM ? "system" : "busy", safe);
}

/* A loop device has no model; what it shows is its file. */
static char *
model_text(const struct device *device)
{
    AUTO_FREE char *raw = NULL;

    if (*device->backing_file)
        raw = xasprintf("file %s", device->backing_file);
    else
        raw = xasprintf("%s%s%s", device->vendor, *device->vendor && *device->model ? " " : "",
                        device->model);
    return text_printable(raw);
}

static char *
or_dash(char *s)
{
    if (*s)
        return s;
    free(s);
    return xstrdup("-");
}

static void
fill_row(const struct device *device, struct row *row)
{
    char size[SIZE_TEXT_MAX];
    AUTO_FREE char *path = xasprintf("/dev/%s", device->name);

    row->cells[NAME] = text_printable(path);
    row->cells[SIZE] = xstrdup(size_human(device->size, size));
    row->cells[BUS] = or_dash(xstrdup(device->bus));
    row->cells[MODEL] = or_dash(model_text(device));
    row->cells[SERIAL] = or_dash(text_printable(device->serial));
    row->cells[PARTITIONS] =
        xasprintf("%zu%s", device->n_partitions, device->more_partitions ? "+" : "");
    row->cells[READ_ONLY] = xstrdup(device->read_only ? "yes" : "no");
    row->cells[USE] = use_text(device);
}

static void
print_row(const char *const cells[COLUMNS], const size_t widths[COLUMNS])
{
    for (int c = 0; c < COLUMNS; c++) {
        int pad = (int)(widths[c] - width_of(cells[c]));
        bool right = c == SIZE || c == PARTITIONS;

        if (c == USE)
            (void)printf("%s\n", cells[c]);
        else if (right)
            (void)printf("%*s%s  ", pad, "", cells[c]);
        else
            (void)printf("%s%*s  ", cells[c], pad, "");
    }
}

static void
print_table(const struct row *rows, size_t n)
{
    size_t widths[COLUMNS];

    for (int c = 0; c < COLUMNS; c++) {
        widths[c] = width_of(headings[c]);
        for (size_t i = 0; i < n; i++)
            if (width_of(rows[i].cells[c]) > widths[c])
                widths[c] = width_of(rows[i].cells[c]);
    }
    print_row(headings, widths);
    for (size_t i = 0; i < n; i++)
        print_row((const char *const *)rows[i].cells, widths);
}

static json_t *
json_of_mounts(const struct mounts *mounts, dev_t number)
{
    json_t *list = json_array();

    for (size_t i = 0; i < mounts->n; i++) {
        json_t *one;

        if (mounts->list[i].number != number)
            continue;
        one = json_object();
        json_set_text(one, "path", mounts->list[i].point);
        json_set_text(one, "type", mounts->list[i].type);
        (void)json_array_append_new(list, one);
    }
    return list;
}

static json_t *
json_of_partitions(const struct device *device, const struct mounts *mounts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < device->n_partitions; i++) {
        const struct device_partition *p = &device->partitions[i];
        json_t *one = json_object();

        json_set_textf(one, "path", "/dev/%s", p->name);
        json_set_text(one, "name", p->name);
        json_set_u64(one, "start", p->start);
        json_set_u64(one, "size", p->size);
        (void)json_object_set_new(one, "mounts", json_of_mounts(mounts, p->number));
        (void)json_array_append_new(list, one);
    }
    return list;
}

static json_t *
json_of_use(const struct device *device)
{
    static const char *const states[] = {"free", "busy", "system"};
    char why[1024];
    json_t *use = json_object();
    enum device_use state = device_in_use(device, why, sizeof why);

    json_set_text(use, "state", states[state]);
    json_set_text(use, "reason", state == DEVICE_FREE ? NULL : why);
    return use;
}

static void
set_known(json_t *object, const char *key, const char *text)
{
    json_set_text(object, key, *text ? text : NULL);
}

static json_t *
json_of_device(const struct device *device, const struct mounts *mounts)
{
    json_t *o = json_object();

    json_set_textf(o, "path", "/dev/%s", device->name);
    json_set_text(o, "name", device->name);
    json_set_u64(o, "size", device->size);
    json_set_u64(o, "logical_sector_size", device->logical_sector_size);
    json_set_u64(o, "physical_sector_size", device->physical_sector_size);
    set_known(o, "vendor", device->vendor);
    set_known(o, "model", device->model);
    set_known(o, "serial", device->serial);
    set_known(o, "wwn", device->wwn);
    set_known(o, "firmware", device->firmware);
    set_known(o, "bus", device->bus);
    json_set_bool(o, "removable", device->removable);
    json_set_bool(o, "rotational", device->rotational);
    json_set_bool(o, "read_only", device->read_only);
    json_set_u64(o, "diskseq", device->diskseq);
    set_known(o, "backing_file", device->backing_file);
    (void)json_object_set_new(o, "mounts", json_of_mounts(mounts, device->number));
    (void)json_object_set_new(o, "partitions", json_of_partitions(device, mounts));
    (void)json_object_set_new(o, "in_use", json_of_use(device));
    return o;
}

static int
finish_output(struct err *err)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return err_errno(err, "cannot write the list");
    return 0;
}

static int
list_json(const dev_t *numbers, size_t n, struct err *err)
{
    json_t *list = json_array();
    struct mounts mounts;
    AUTO_FREE struct device *device = xcalloc(1, sizeof *device);
    AUTO_FREE char *text = NULL;

    mounts_read("", &mounts);
    for (size_t i = 0; i < n; i++) {
        struct err gone = ERR_INIT;

        /* One that was pulled out since is no longer to be listed. */
        if (device_read(numbers[i], device, &gone) == 0)
            (void)json_array_append_new(list, json_of_device(device, &mounts));
    }
    mounts_free(&mounts);
    text = json_to_text(list);
    json_decref(list);
    (void)fputs(text, stdout);
    return finish_output(err);
}

static int
list_table(const dev_t *numbers, size_t n, struct err *err)
{
    AUTO_FREE struct row *rows = xcalloc(n + 1, sizeof *rows);
    AUTO_FREE struct device *device = xcalloc(1, sizeof *device);
    size_t used = 0;

    for (size_t i = 0; i < n; i++) {
        struct err gone = ERR_INIT;

        if (device_read(numbers[i], device, &gone) == 0)
            fill_row(device, &rows[used++]);
    }
    if (used)
        print_table(rows, used);
    else
        (void)fputs("no disks found\n", stderr);
    for (size_t i = 0; i < used; i++)
        for (int c = 0; c < COLUMNS; c++)
            free(rows[i].cells[c]);
    return finish_output(err);
}

static int
read_options(int argc, char **argv, bool *json, struct err *err)
{
    struct options *options = options_new(&program, argc, argv);
    const char *arg;
    char **operands;
    int id, count, rc = 0;

    while ((id = options_next(options, &arg, err)) > 0)
        *json = true; /* there is no other option */
    operands = options_operands(options, &count);
    if (id < 0)
        rc = -1;
    else if (count > 0)
        rc = err_set(err, OUTCOME_USAGE, "unexpected argument '%s'; see 'exhibit devices --help'",
                     operands[0]);
    options_free(options);
    return rc;
}

int
main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    AUTO_FREE dev_t *numbers = NULL;
    bool json = false;
    size_t n = 0;

    console_begin();
    if (read_options(argc, argv, &json, &err) < 0 || device_list(&numbers, &n, &err) < 0 ||
        (json ? list_json : list_table)(numbers, n, &err) < 0)
        return err_report(&err);
    return console_end(OUTCOME_DONE);
}
