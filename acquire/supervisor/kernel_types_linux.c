#include "acquire/supervisor/kernel_types.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/btf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "common/cleanup.h"
#include "common/text.h"

/* Those of Debian's kernel take 2 MB. */
#define NAMES_MAX ((size_t)64 << 20)

struct names {
    char *text; /* one after the other, each with a NUL; the first is empty */
    size_t n;
};

struct kernel_names {
    const char *root;
    struct names kernel;
};

static bool
read_all(int fd, void *data, size_t n, uint64_t offset)
{
    char *p = data;

    while (n > 0) {
        ssize_t r = pread(fd, p, n, (off_t)offset);

        if (r <= 0)
            return false;
        p += r;
        n -= (size_t)r;
        offset += (uint64_t)r;
    }
    return true;
}

/* Documentation/bpf/btf.rst: a header, from whose end the offsets count; the strings, of which the
   first is empty. A module's file holds those alone that the kernel's has not. */
static bool
read_names(const char *root, const char *of, struct names *out)
{
    AUTO_FREE char *path = xasprintf("%s/sys/kernel/btf/%s", root, of);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct btf_header h;

    if (fd < 0 || !read_all(fd, &h, sizeof h, 0) || h.magic != BTF_MAGIC || h.str_len == 0 ||
        h.str_len > NAMES_MAX)
        return false;
    out->n = h.str_len;
    out->text = malloc(out->n);
    if (out->text && read_all(fd, out->text, out->n, (uint64_t)h.hdr_len + h.str_off) &&
        out->text[out->n - 1] == '\0')
        return true;
    free(out->text);
    out->text = NULL;
    return false;
}

static bool
holds(const struct names *names, const char *name)
{
    AUTO_FREE char *whole = xasprintf("%c%s", '\0', name);

    return memmem(names->text, names->n, whole, strlen(name) + 2) != NULL;
}

struct kernel_names *
kernel_names_read_at(const char *root)
{
    struct kernel_names *n = xcalloc(1, sizeof *n);

    n->root = root;
    if (read_names(root, "vmlinux", &n->kernel))
        return n;
    free(n);
    return NULL;
}

struct kernel_names *
kernel_names_read(void)
{
    return kernel_names_read_at("");
}

bool
kernel_names_have(const struct kernel_names *n, const char *module, const char *name)
{
    struct names of_module = {0};
    bool has = holds(&n->kernel, name);

    if (!has && module && read_names(n->root, module, &of_module))
        has = holds(&of_module, name);
    free(of_module.text);
    return has;
}

void
kernel_names_free(struct kernel_names *n)
{
    if (!n)
        return;
    free(n->kernel.text);
    free(n);
}

static int
say_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
    (void)level;
    (void)format;
    (void)args;
    return 0;
}

void
kernel_types_be_quiet(void)
{
    (void)libbpf_set_print(say_nothing);
}
