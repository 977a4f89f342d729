/*
 * exhibit: runs the program of a command, which stands beside it: `exhibit acquire …` is
 * `exhibit-acquire …`.
 */
#include <unistd.h>

#include "common/cleanup.h"
#include "common/console.h"
#include "common/err.h"
#include "common/spawn.h"
#include "common/text.h"

static const struct {
    const char *name;
    const char *program; /* NULL: exhibit-NAME */
    const char *summary;
} commands[] = {
    {"acquire", NULL, "image a disk or a file, now"},
    {"cancel", "exhibit-client", "end a job of the daemon"},
    {"copy", NULL, "copy an image with all that belongs to it, and check the copy"},
    {"custody", NULL, "the ledger of an image: who had it, and what was done"},
    {"devices", NULL, "list the disks, and who uses them"},
    {"jobs", "exhibit-client", "list the jobs of the daemon"},
    {"pause", "exhibit-client", "have a job of the daemon wait"},
    {"release", NULL, "lift the write block that a job left on a disk"},
    {"report", NULL, "explain an image: partitions, file systems, slack"},
    {"resume", "exhibit-client", "have a job of the daemon go on"},
    {"seal", NULL, "sign a finished image, and have it time-stamped"},
    {"submit", "exhibit-client", "have the daemon image a disk or a file"},
    {"verify", NULL, "check an image against its hashes"},
    {"watch", "exhibit-client", "follow a job of the daemon to its end"},
};

static void
print_help(FILE *f)
{
    (void)fputs("usage: exhibit COMMAND [arguments]\n\ncommands:\n", f);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        (void)fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].summary);
    (void)fputs("\n'exhibit COMMAND --help' explains a command; exhibit(1) all of them.\n", f);
}

static int
run(const char *command, char **argv, struct err *err)
{
    AUTO_FREE char *name = xasprintf("exhibit-%s", command);
    AUTO_FREE char *path = NULL;

    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(command, commands[i].name) != 0)
            continue;
        path = spawn_program_path(commands[i].program ? commands[i].program : name, err);
        if (!path)
            return -1;
        (void)execv(path, argv);
        return err_errno(err, "cannot run '%s'", path);
    }
    return err_set(err, OUTCOME_USAGE, "unknown command '%s'; see 'exhibit --help'", command);
}

int
main(int argc, char **argv)
{
    struct err err = ERR_INIT;

    console_begin();
    if (argc < 2) {
        print_help(stderr);
        return OUTCOME_USAGE;
    }
    if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0) {
        print_help(stdout);
        return console_end(OUTCOME_DONE);
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)puts("Exhibit " EXHIBIT_VERSION);
        return console_end(OUTCOME_DONE);
    }
    (void)run(argv[1], argv + 1, &err);
    return err_report(&err);
}
