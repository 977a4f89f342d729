/* Which names the kernel's description of itself holds. */
#include "acquire/supervisor/kernel_types.h"
#include "tests/lib/unit.h"

#include <fcntl.h>
#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/text.h"

static char root[] = "/tmp/exhibit-names-XXXXXX";

static void
put_file(const char *name, const void *data, size_t n)
{
    char *path = xasprintf("%s/sys/kernel/btf/%s", root, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, n), (ssize_t)n);
    (void)close(fd);
    free(path);
}

/* Types that nobody looks at, the strings, and something behind them. */
static size_t
compose(unsigned char *out, const char *strings, size_t n, struct btf_header h)
{
    static const char types[] = "0123456789ab";

    if (h.magic == 0)
        h.magic = BTF_MAGIC;
    h.version = 1;
    h.hdr_len = sizeof h;
    h.type_len = sizeof types;
    h.str_off = sizeof types;
    if (h.str_len == 0)
        h.str_len = (unsigned)n;
    memcpy(out, &h, sizeof h);
    memcpy(out + sizeof h, types, sizeof types);
    memcpy(out + sizeof h + sizeof types, strings, n);
    memcpy(out + sizeof h + sizeof types + n, "\0behind", 8);
    return sizeof h + sizeof types + n;
}

static void
describe(const char *name, const char *strings, size_t n, struct btf_header h, size_t extra)
{
    unsigned char data[256];

    put_file(name, data, compose(data, strings, n, h) + extra);
}

static const char kernel[] = "\0task_struct\0btf_trace_one\0last";
static const char module[] = "\0of_module\0scsi_device";

static void
whole_names_are_found(void **state)
{
    const struct btf_header plain = {0};
    struct kernel_names *n;

    (void)state;
    describe("vmlinux", kernel, sizeof kernel, plain, 8);
    describe("scsi_mod", module, sizeof module, plain, 8);
    n = kernel_names_read_at(root);
    assert_non_null(n);
    assert_true(kernel_names_have(n, NULL, "task_struct"));
    assert_true(kernel_names_have(n, NULL, "btf_trace_one"));
    assert_true(kernel_names_have(n, NULL, "last"));
    assert_false(kernel_names_have(n, NULL, "btf_trace"));
    assert_false(kernel_names_have(n, NULL, "trace_one"));
    assert_false(kernel_names_have(n, NULL, "behind"));
    assert_false(kernel_names_have(n, NULL, "of_module"));
    assert_true(kernel_names_have(n, "scsi_mod", "of_module"));
    assert_true(kernel_names_have(n, "scsi_mod", "scsi_device"));
    assert_true(kernel_names_have(n, "scsi_mod", "task_struct"));
    assert_false(kernel_names_have(n, "scsi_mod", "scsi"));
    assert_false(kernel_names_have(n, "nvme_core", "of_module"));
    kernel_names_free(n);
}

static void
what_is_no_description_has_none(void **state)
{
    const struct btf_header cases[] = {
        {.magic = 0x1234},
        {.str_len = sizeof kernel + 100}, /* beyond the file's end */
        {.str_len = 0xffffffff},
        {.str_len = sizeof kernel - 2}, /* the last one does not end */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        describe("vmlinux", kernel, sizeof kernel, cases[i], 0);
        assert_null(kernel_names_read_at(root));
    }
    put_file("vmlinux", "short", 5);
    assert_null(kernel_names_read_at(root));
    assert_null(kernel_names_read_at("/nonexistent"));
}

static void
this_kernel_has_its_own(void **state)
{
    struct kernel_names *n = kernel_names_read();

    (void)state;
    if (!n)
        skip();
    assert_true(kernel_names_have(n, NULL, "task_struct"));
    assert_false(kernel_names_have(n, NULL, "exhibit_of_no_kernel"));
    kernel_names_free(n);
}

static int
set_up(void **state)
{
    static const char *const below[] = {"/sys", "/sys/kernel", "/sys/kernel/btf"};

    (void)state;
    if (!mkdtemp(root))
        return -1;
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++) {
        char *path = xasprintf("%s%s", root, below[i]);
        int r = mkdir(path, 0700);

        free(path);
        if (r != 0)
            return -1;
    }
    return 0;
}

static int
tear_down(void **state)
{
    static const char *const made[] = {"/sys/kernel/btf/vmlinux",
                                       "/sys/kernel/btf/scsi_mod",
                                       "/sys/kernel/btf",
                                       "/sys/kernel",
                                       "/sys",
                                       ""};

    (void)state;
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        char *path = xasprintf("%s%s", root, made[i]);

        (void)remove(path);
        free(path);
    }
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_names_are_found),
        cmocka_unit_test(what_is_no_description_has_none),
        cmocka_unit_test(this_kernel_has_its_own),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
