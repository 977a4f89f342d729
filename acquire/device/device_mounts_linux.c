#include "acquire/device/device_sysfs.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "common/cleanup.h"
#include "common/text.h"

#define MOUNTS_MAX 65536

void
mounts_unescape(char *s)
{
    char *to = s;

    for (; *s; s++) {
        if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
            s[3] >= '0' && s[3] <= '7') {
            *to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
            s += 3;
        } else {
            *to++ = *s;
        }
    }
    *to = '\0';
}

/* The next field, ended by a blank or the end of the line; NULL if there is none. */
static char *
next_field(char **at)
{
    char *field = *at;
    size_t n;

    field += strspn(field, " \n");
    if (!*field)
        return NULL;
    n = strcspn(field, " \n");
    *at = field + n;
    if (**at)
        *(*at)++ = '\0';
    return field;
}

static bool
parse_number(const char *text, dev_t *out)
{
    char *end;
    unsigned long major_number = strtoul(text, &end, 10), minor_number;

    if (*end != ':' || !isdigit((unsigned char)text[0]))
        return false;
    minor_number = strtoul(end + 1, &end, 10);
    if (*end || major_number > UINT_MAX || minor_number > UINT_MAX)
        return false;
    *out = makedev((unsigned)major_number, (unsigned)minor_number);
    return true;
}

static char *
copy_field(const char *field)
{
    char *copy = xstrdup(field);

    mounts_unescape(copy);
    return copy;
}

/* Commas and blanks inside the option's value stand escaped, so a comma ends it. */
static char *
upper_directory(const char *options)
{
    static const char key[] = "upperdir=";
    const char *at = options;

    while (at && *at) {
        if (strncmp(at, key, sizeof key - 1) == 0) {
            char *copy;

            at += sizeof key - 1;
            copy = xstrndup(at, strcspn(at, ","));
            mounts_unescape(copy);
            return copy;
        }
        at = strchr(at, ',');
        at = at ? at + 1 : NULL;
    }
    return NULL;
}

/* proc(5): id parent major:minor root point options [tag…] - type source super-options */
static bool
parse_mount(char *line, struct mount *out)
{
    char *fields[6], *field, *type, *source, *options;
    dev_t number;

    for (size_t i = 0; i < 6; i++)
        if (!(fields[i] = next_field(&line)))
            return false;
    while ((field = next_field(&line)) && strcmp(field, "-") != 0)
        ;
    type = next_field(&line);
    source = next_field(&line);
    options = next_field(&line);
    if (!field || !type || !source || !parse_number(fields[2], &number))
        return false;
    *out = (struct mount){
        .id = strtoull(fields[0], NULL, 10),
        .number = number,
        .point = copy_field(fields[4]),
        .type = copy_field(type),
        .source = copy_field(source),
        .upper = strcmp(type, "overlay") == 0 && options ? upper_directory(options) : NULL,
    };
    return true;
}

static bool
is_known(const struct mounts *mounts, uint64_t id)
{
    for (size_t i = 0; i < mounts->n; i++)
        if (mounts->list[i].id == id)
            return true;
    return false;
}

static void
free_mount(struct mount *mount)
{
    free(mount->point);
    free(mount->type);
    free(mount->source);
    free(mount->upper);
}

/* The ids are the kernel's own, so a mount that both processes see is taken once. */
static void
read_table(const char *root, const char *name, struct mounts *out)
{
    char path[PATH_MAX];
    AUTO_FILE FILE *f = NULL;
    AUTO_FREE char *line = NULL;
    size_t room = 0;

    if ((size_t)snprintf(path, sizeof path, "%s/proc/%s/mountinfo", root, name) >= sizeof path)
        return;
    f = fopen(path, "re");
    while (f && out->n < MOUNTS_MAX && getline(&line, &room, f) > 0) {
        struct mount mount;

        if (!parse_mount(line, &mount))
            continue;
        if (is_known(out, mount.id)) {
            free_mount(&mount);
            continue;
        }
        out->list = xrealloc(out->list, out->n + 1, sizeof *out->list);
        out->list[out->n++] = mount;
    }
}

void
mounts_read(const char *root, struct mounts *out)
{
    *out = (struct mounts){0};
    read_table(root, "self", out);
    /* sudo inside a mount namespace does not see what the rest of the machine has mounted. */
    read_table(root, "1", out);
}

void
mounts_free(struct mounts *mounts)
{
    for (size_t i = 0; i < mounts->n; i++)
        free_mount(&mounts->list[i]);
    free(mounts->list);
    *mounts = (struct mounts){0};
}
